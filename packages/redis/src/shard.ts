import type { Redis } from 'ioredis';
import { isRedirection } from './slot-lanes.js';
import { connectionSettings, WatchedClient } from './watched-client.js';

/** How long after the first hint of a move all channels are looked at: a move takes many at once. */
const LOOK_AFTER_MS = 5;
/** How long a node may take to learn that it has lost a slot, after the others have. */
const STRAY_MS = 5000;

/** What is told of a shard. */
export interface ShardHandlers {
  onMessage(name: string, message: Buffer): void;
  /** The node does not send these channels any more, or has sent a message when another one was taken to send them. */
  onLost(names: readonly string[], error: Error | undefined): void;
}

/** Owns the connection to one node of a cluster through which it sends the channels of its slots. */
export class Shard {
  /** The channels that the node has confirmed, with their slots. */
  readonly channels: Map<string, number> = new Map();
  readonly #connection: WatchedClient;
  readonly #handlers: ShardHandlers;
  /**
   * Channels that another node sends now. This one may not know yet, and still accept messages: the subscription is kept,
   * so that none of these is missed in silence. They are not passed on: they could come behind newer ones.
   */
  readonly #strays = new Set<string>();
  readonly #waiting = new Set<(error: Error | undefined) => void>();
  #isLooking = false;
  #hasEnded = false;

  /** Connects like a client of the node, which is not used. */
  constructor(node: Redis, timeout: number, handlers: ShardHandlers) {
    this.#handlers = handlers;
    const client = node.duplicate(connectionSettings(timeout));
    this.#connection = new WatchedClient(client, timeout, {
      onUp: () => this.#tellWaiting(undefined),
      onDown: (error) => this.#down(error),
    });
    client.on('smessageBuffer', (nameBytes: Buffer, message: Buffer) => {
      const name = nameBytes.toString();
      if (this.#strays.has(name)) handlers.onLost([name], undefined);
      else handlers.onMessage(name, message);
    });
    // The node has dropped a channel with its slot: ioredis does not say which.
    client.on('moved', () => this.#lookSoon());
    this.#connection.connect();
  }

  #tellWaiting(error: Error | undefined): void {
    for (const tell of this.#waiting) tell(error);
    this.#waiting.clear();
  }

  #down(error: Error): void {
    this.#tellWaiting(error);
    const strays = [...this.#strays];
    this.#strays.clear();
    this.#lose([...this.channels.keys(), ...strays], error);
  }

  #lose(names: readonly string[], error?: Error): void {
    for (const name of names) this.channels.delete(name);
    if (names.length > 0 && !this.#hasEnded) this.#handlers.onLost(names, error);
  }

  /** Resolves when the node has confirmed the channel; rejects with its answer, or why it could not be asked. */
  async subscribe(name: string, slot: number): Promise<void> {
    await this.#up();
    this.#connection.cork();
    this.#strays.delete(name);
    await this.#connection.client.ssubscribe(name);
    this.channels.set(name, slot);
  }

  async unsubscribe(name: string): Promise<void> {
    this.channels.delete(name);
    if (!this.#connection.isUp) return;
    this.#connection.cork();
    try {
      await this.#connection.client.sunsubscribe(name);
    } catch (error) {
      // The slot has moved, and the node does not send the channel any more.
      if (!isRedirection(error)) throw error;
    }
  }

  #up(): Promise<void> {
    if (this.#hasEnded) return Promise.reject(new Error('The connection is closed'));
    if (this.#connection.isUp) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.add((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /** Whether the node may still take messages for channels that another one sends. */
  get hasStrays(): boolean {
    return this.#strays.size > 0;
  }

  /** Finds out which channels the node has dropped, even if it has their slot again by now. */
  #lookSoon(): void {
    if (this.#isLooking || this.#hasEnded) return;
    this.#isLooking = true;
    setTimeout(() => {
      this.#isLooking = false;
      if (!this.#connection.isUp) return;
      const { condition } = this.#connection.client;
      const held = new Set(condition?.subscriber ? condition.subscriber.channels('ssubscribe') : []);
      for (const name of this.#strays) if (!held.has(name)) this.#strays.delete(name);
      this.#lose([...this.channels.keys()].filter((name) => !held.has(name)));
    }, LOOK_AFTER_MS);
  }

  /** Lets go of channels whose slots have another owner. */
  keepOnly(isOwned: (slot: number) => boolean): void {
    const gone = [...this.channels].filter(([, slot]) => !isOwned(slot)).map(([name]) => name);
    if (gone.length === 0) return;
    for (const name of gone) this.#strays.add(name);
    setTimeout(() => this.#letGo(gone), STRAY_MS).unref();
    this.#lose(gone);
  }

  #letGo(names: readonly string[]): void {
    for (const name of names) {
      if (this.#strays.delete(name) && this.#connection.isUp) {
        this.#connection.client.sunsubscribe(name).catch(() => {});
      }
    }
  }

  /** Ends the connection; nothing is told after it. */
  end(): void {
    this.#hasEnded = true;
    this.#connection.end();
    this.#tellWaiting(new Error('The connection is closed'));
  }
}
