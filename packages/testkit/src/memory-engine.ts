import type { BrokerLink, LinkHandlers } from '@socketcluster-ts/server';

/** Something a link has asked of the engine, and what becomes of the answer. */
interface Request {
  readonly run: () => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Owns a messaging engine inside this process: which of its links is subscribed to what, and what they have asked of it.
 * It answers in a later turn of the event loop, and can fail as one on another machine can.
 */
export class MemoryEngine {
  readonly #links = new Set<MemoryLink>();
  #isRunning = true;
  #isPaused = false;

  /** A new link to this engine. */
  link(): BrokerLink {
    return new MemoryLink(this);
  }

  /** Whether links can connect. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Whether what is asked is left waiting. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** How many links are subscribed to the channel. */
  subscriberCount(channel: string): number {
    return [...this.#links].filter((link) => link.channels.has(channel)).length;
  }

  /** Ends: every connection is lost, with what was not answered. */
  stop(): void {
    this.#isRunning = false;
    for (const link of this.#links) link.disconnect();
  }

  /** Begins again, without any subscriptions. */
  start(): void {
    this.#isRunning = true;
    for (const link of this.#links) link.tryToConnect();
  }

  /** Answers nothing until `resume()`; connections stay. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Answers again, what was asked meanwhile first. */
  resume(): void {
    this.#isPaused = false;
    for (const link of this.#links) link.answerSoon();
  }

  /** Drops one channel of all links, which stay connected. */
  drop(channel: string): void {
    for (const link of this.#links) link.lose(channel);
  }

  /** Called by links. */
  add(link: MemoryLink): void {
    this.#links.add(link);
  }

  /** Called by links. */
  remove(link: MemoryLink): void {
    this.#links.delete(link);
  }

  /** Called by links. */
  fanOut(channel: string, message: Uint8Array): void {
    for (const link of this.#links) link.take(channel, message);
  }
}

/** Owns the connection of one node to a {@link MemoryEngine}: its subscriptions, and the requests without an answer. */
class MemoryLink implements BrokerLink {
  readonly channels = new Set<string>();
  readonly #engine: MemoryEngine;
  #handlers: LinkHandlers | undefined;
  #isConnected = false;
  #requests: Request[] = [];

  constructor(engine: MemoryEngine) {
    this.#engine = engine;
  }

  connect(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    this.#engine.add(this);
    if (!this.#engine.isRunning) handlers.onStatus('connecting', new Error('The engine is not there'));
    this.tryToConnect();
  }

  tryToConnect(): void {
    setImmediate(() => {
      if (this.#handlers === undefined || this.#isConnected || !this.#engine.isRunning) return;
      this.#isConnected = true;
      this.#handlers.onStatus('connected');
    });
  }

  disconnect(): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    this.channels.clear();
    const requests = this.#requests;
    this.#requests = [];
    for (const { reject } of requests) reject(new Error('The connection to the engine is lost'));
    this.#handlers?.onStatus('connecting', new Error('The connection to the engine is lost'));
  }

  publish(channel: string, message: Uint8Array): Promise<void> {
    return this.#ask(() => this.#engine.fanOut(channel, message));
  }

  subscribe(channel: string): Promise<void> {
    return this.#ask(() => this.channels.add(channel));
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#ask(() => this.channels.delete(channel));
  }

  #ask(run: () => void): Promise<void> {
    if (!this.#isConnected) return Promise.reject(new Error('The link is not connected'));
    return new Promise((resolve, reject) => {
      this.#requests.push({ run, resolve, reject });
      this.answerSoon();
    });
  }

  answerSoon(): void {
    setImmediate(() => {
      if (this.#engine.isPaused) return;
      const requests = this.#requests;
      this.#requests = [];
      for (const { run, resolve } of requests) {
        run();
        resolve();
      }
    });
  }

  take(channel: string, message: Uint8Array): void {
    // A copy, as what comes from a network is.
    if (this.channels.has(channel)) this.#handlers?.onMessage(channel, Uint8Array.from(message));
  }

  lose(channel: string): void {
    if (this.channels.delete(channel)) this.#handlers?.onLost([channel]);
  }

  close(): Promise<void> {
    this.disconnect();
    this.#handlers = undefined;
    this.#engine.remove(this);
    return Promise.resolve();
  }
}
