import type { Redis, RedisOptions } from 'ioredis';

/** What is told of a connection. */
export interface ConnectionHandlers {
  /** Commands can be sent. */
  onUp(): void;
  /** It was up and is not, or an attempt to connect has failed. It is tried again. */
  onDown(error: Error): void;
}

/** Delays between attempts to connect, in milliseconds. */
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 2000;

/** Milliseconds before the attempt to connect of this number, from 1. */
export function retryDelay(attempt: number): number {
  const longest = Math.min(FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 10), LONGEST_DELAY_MS);
  return Math.ceil(longest * (0.5 + Math.random() / 2));
}

/** Options of ioredis that are not the user's to choose. */
export type ConnectionSettings = Omit<RedisOptions, 'replyMapping'> & { readonly replyMapping: 'legacy' };

/** How every connection of a link is set up, whatever the user's options say: nothing waits in it, and nothing is sent twice. */
export function connectionSettings(timeout: number): ConnectionSettings {
  return {
    lazyConnect: true,
    connectTimeout: timeout,
    sentinelCommandTimeout: timeout,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    enableAutoPipelining: false,
    keyPrefix: '',
    replyMapping: 'legacy',
    retryStrategy: retryDelay,
  };
}

/**
 * Owns one connection to one server: whether it is up, and the pings that find out when the server does not answer, from
 * the moment at which it took the connection. The client connects again by itself, until the end.
 */
export class WatchedClient {
  readonly client: Redis;
  readonly #timeout: number;
  readonly #handlers: ConnectionHandlers;
  #isUp = false;
  /** While the server has taken the connection and has not said that commands can be sent. */
  #greeting: NodeJS.Timeout | undefined;
  #lastError: Error | undefined;
  #pings: NodeJS.Timeout | undefined;
  #isCorked = false;

  /** `client` must not have begun to connect. */
  constructor(client: Redis, timeout: number, handlers: ConnectionHandlers) {
    this.client = client;
    this.#timeout = timeout;
    this.#handlers = handlers;
    client.on('error', (error: Error) => (this.#lastError = error));
    client.on('connect', () => (this.#greeting = this.#expectAnswer()));
    client.on('ready', () => this.#up());
    client.on('close', () => this.#down());
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  connect(): void {
    // Failures come as events.
    this.client.connect().catch(() => {});
  }

  #up(): void {
    clearTimeout(this.#greeting);
    this.#isUp = true;
    this.#lastError = undefined;
    this.#pings = setInterval(() => this.#ping(), this.#timeout / 2);
    this.#handlers.onUp();
  }

  #down(): void {
    clearTimeout(this.#greeting);
    clearInterval(this.#pings);
    this.#isUp = false;
    this.#handlers.onDown(this.#lastError ?? new Error('The connection was closed'));
  }

  #expectAnswer(): NodeJS.Timeout {
    const { stream } = this.client;
    return setTimeout(() => {
      // Not disconnect(): that waits for a server that does not answer.
      stream.destroy(new Error(`No answer within ${this.#timeout} ms`));
    }, this.#timeout);
  }

  #ping(): void {
    const deadline = this.#expectAnswer();
    // A refused ping is an answer.
    this.client
      .ping()
      .catch(() => {})
      .finally(() => clearTimeout(deadline));
  }

  /** Has everything that is sent until the end of this run of calls leave in one write. */
  cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    const { stream } = this.client;
    stream.cork();
    queueMicrotask(() => {
      this.#isCorked = false;
      stream.uncork();
    });
  }

  /** Breaks the connection off, and connects again. */
  drop(): void {
    if (this.#isUp) this.client.stream.destroy();
  }

  /** Ends the connection, and does not connect again. */
  end(): void {
    clearTimeout(this.#greeting);
    clearInterval(this.#pings);
    this.client.disconnect();
    // A server that does not answer would keep it half closed.
    (this.client.stream as typeof this.client.stream | undefined)?.destroy();
  }
}
