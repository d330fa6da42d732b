import type { Redis } from 'ioredis';
import { isRedirection } from './slot-lanes.js';
import { connectionSettings, WatchedClient } from './watched-client.js';

/** How long after the first hint of a move all channels are looked at: a move takes many at once. */
const LOOK_AFTER_MS = 5;

/** What is told of a shard. */
export interface ShardHandlers {
  onMessage(name: string, message: Buffer): void;
  /** The node does not send these channels any more. */
  onLost(names: readonly string[], error: Error | undefined): void;
}

/** Owns the connection to one node of a cluster through which it sends the channels of its slots. */
export class Shard {
  /** The channels that the node has confirmed, with their slots. */
  readonly channels: Map<string, number> = new Map();
  readonly #connection: WatchedClient;
  readonly #handlers: ShardHandlers;
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
    client.on('smessageBuffer', (name: Buffer, message: Buffer) =>
      handlers.onMessage(name.toString(), message),
    );
    // A slot has moved: ioredis does not say which.
    client.on('moved', () => this.#lookSoon());
    this.#connection.connect();
  }

  #tellWaiting(error: Error | undefined): void {
    for (const tell of this.#waiting) tell(error);
    this.#waiting.clear();
  }

  #down(error: Error): void {
    this.#tellWaiting(error);
    this.#lose([...this.channels.keys()], error);
  }

  #lose(names: readonly string[], error?: Error): void {
    for (const name of names) this.channels.delete(name);
    if (names.length > 0 && !this.#hasEnded) this.#handlers.onLost(names, error);
  }

  /** Resolves when the node has confirmed the channel; rejects with its answer, or why it could not be asked. */
  async subscribe(name: string, slot: number): Promise<void> {
    await this.#up();
    this.#connection.cork();
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

  /** Asks for every channel again: the node says which it does not send any more. */
  #lookSoon(): void {
    if (this.#isLooking || this.#hasEnded) return;
    this.#isLooking = true;
    setTimeout(() => {
      this.#isLooking = false;
      if (!this.#connection.isUp) return;
      this.#connection.cork();
      for (const name of this.channels.keys()) {
        this.#connection.client.ssubscribe(name).catch(() => {
          if (this.channels.has(name)) this.#lose([name]);
        });
      }
    }, LOOK_AFTER_MS);
  }

  /** Lets go of channels whose slots have another owner. */
  keepOnly(isOwned: (slot: number) => boolean): void {
    const gone = [...this.channels].filter(([, slot]) => !isOwned(slot)).map(([name]) => name);
    // In case that it still sends them.
    if (this.#connection.isUp) {
      for (const name of gone) this.#connection.client.sunsubscribe(name).catch(() => {});
    }
    this.#lose(gone);
  }

  /** Ends the connection; nothing is told after it. */
  end(): void {
    this.#hasEnded = true;
    this.#connection.end();
    this.#tellWaiting(new Error('The connection is closed'));
  }
}
