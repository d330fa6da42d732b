import type { BrokerLink, LinkHandlers, LinkStatus } from '@socketcluster-ts/server';
import type { Redis } from 'ioredis';
import { asBuffer } from './as-buffer.js';
import { explainError, explainVersion } from './explain-error.js';
import { type ConnectionSettings, connectionSettings, WatchedClient } from './watched-client.js';

/** The oldest version with all that a link uses. */
const OLDEST_VERSION = 6;

/** What a link to one server is made of. */
export interface SingleLinkOptions {
  readonly create: (override: ConnectionSettings) => Redis;
  /** The address, with the options that say so. */
  readonly named: string;
  readonly prefix: string;
  readonly timeout: number;
}

/**
 * Owns two connections to one server, or to the master that Sentinel names: one publishes, the other is subscribed. The link is
 * connected while both are up.
 */
export class SingleLink implements BrokerLink {
  readonly #options: SingleLinkOptions;
  readonly #publisher: WatchedClient;
  readonly #subscriber: WatchedClient;
  #handlers: LinkHandlers | undefined;
  #status: LinkStatus = 'connecting';
  /** Counts connections, so that the version of one that is gone is not looked at. */
  #attempt = 0;

  constructor(options: SingleLinkOptions) {
    this.#options = options;
    const { create, prefix, timeout } = options;
    const watch = (other: () => WatchedClient): WatchedClient =>
      new WatchedClient(create(connectionSettings(timeout)), timeout, {
        onUp: () => this.#up(),
        onDown: (error) => {
          this.#down(error);
          // A link that comes back has no subscriptions: one that stayed up would keep those that nobody wants any more.
          other().drop();
        },
      });
    this.#publisher = watch(() => this.#subscriber);
    this.#subscriber = watch(() => this.#publisher);
    this.#subscriber.client.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      this.#handlers?.onMessage(channel.toString().slice(prefix.length), message);
    });
  }

  connect(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    this.#publisher.connect();
    this.#subscriber.connect();
  }

  #up(): void {
    if (!this.#publisher.isUp || !this.#subscriber.isUp) return;
    this.#attempt += 1;
    const attempt = this.#attempt;
    const isCurrent = (): boolean => this.#attempt === attempt && this.#handlers !== undefined;
    // Who may not ask for the version is not held up.
    void this.#publisher.client
      .info('server')
      .catch(() => '')
      .then((info) => {
        if (!isCurrent() || !this.#publisher.isUp || !this.#subscriber.isUp) return;
        const tooOld = explainVersion(info, OLDEST_VERSION, `at ${this.#options.named}`);
        if (tooOld === undefined) this.#tell('connected');
        else this.#tell('connecting', tooOld);
      });
  }

  #down(error: Error): void {
    this.#attempt += 1;
    this.#tell('connecting', explainError(error, this.#options.named));
  }

  #tell(status: LinkStatus, error?: Error): void {
    this.#status = status;
    this.#handlers?.onStatus(status, error);
  }

  async publish(channel: string, message: Uint8Array): Promise<void> {
    this.#publisher.cork();
    await this.#publisher.client.publish(this.#options.prefix + channel, asBuffer(message));
  }

  async subscribe(channel: string): Promise<void> {
    this.#subscriber.cork();
    await this.#subscriber.client.subscribe(this.#options.prefix + channel);
  }

  async unsubscribe(channel: string): Promise<void> {
    this.#subscriber.cork();
    await this.#subscriber.client.unsubscribe(this.#options.prefix + channel);
  }

  close(): Promise<void> {
    this.#handlers = undefined;
    if (this.#status !== 'closed') {
      this.#status = 'closed';
      this.#publisher.end();
      this.#subscriber.end();
    }
    return Promise.resolve();
  }
}
