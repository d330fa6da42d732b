import { type CodecEngine, jsonCodec } from '@socketcluster-ts/core';
import { AsyncStreamEmitter } from '@socketcluster-ts/streams';
import type { BrokerEngine } from './broker-engine.js';
import { AGExchange } from './exchange.js';
import { Publication } from './publication.js';
import type { Gap, Subscriber } from './subscriber.js';

/** What {@link AGSimpleBroker} emits. */
export interface BrokerEvents {
  ready: Record<string, never>;
  error: { error: unknown };
  subscribe: { channel: string };
  unsubscribe: { channel: string };
  publish: { channel: string; data?: unknown };
}

/**
 * Owns the channels of one process and who is subscribed to each.
 *
 * It becomes ready on the next timer tick after its construction. Subscribing and unsubscribing take effect at
 * the call; publishing hands the message to all subscribers before it returns, in the order they subscribed.
 */
export class AGSimpleBroker extends AsyncStreamEmitter<BrokerEvents> implements BrokerEngine {
  isReady = false;
  #codec: CodecEngine = jsonCodec;
  #exchange: AGExchange | undefined;
  readonly #channels = new Map<string, Map<string, Subscriber>>();

  constructor() {
    super();
    setTimeout(() => {
      this.isReady = true;
      this.emit('ready', {});
    }, 0);
  }

  /** The exchange of this broker; the same at each call. */
  exchange(): AGExchange {
    return (this.#exchange ??= new AGExchange(this));
  }

  /** Encodes with this codec from now on. */
  setCodecEngine(codec: CodecEngine): void {
    this.#codec = codec;
  }

  /** Subscribes a socket; one that is subscribed already is replaced by this object. */
  subscribeSocket(socket: Subscriber, channelName: string): Promise<void> {
    return this.subscribeClient(socket, channelName);
  }

  /** Ends a subscription; one that does not exist is no error. */
  unsubscribeSocket(socket: Subscriber, channelName: string): Promise<void> {
    return this.unsubscribeClient(socket, channelName);
  }

  /** As `subscribeSocket()`, for the exchange. */
  async subscribeClient(client: Subscriber, channelName: string): Promise<void> {
    let subscribers = this.#channels.get(channelName);
    if (subscribers === undefined) {
      subscribers = new Map();
      this.#channels.set(channelName, subscribers);
      this.emit('subscribe', { channel: channelName });
    }
    subscribers.set(client.id, client);
  }

  /** As `unsubscribeSocket()`, for the exchange. */
  async unsubscribeClient(client: Subscriber, channelName: string): Promise<void> {
    const subscribers = this.#channels.get(channelName);
    if (subscribers === undefined || !subscribers.delete(client.id) || subscribers.size > 0) return;
    this.#channels.delete(channelName);
    this.emit('unsubscribe', { channel: channelName });
  }

  subscriptions(): string[] {
    return [...this.#channels.keys()];
  }

  /** How many subscribers the channel has, the exchange among them. */
  countSubscribers(channelName: string): number {
    return this.#channels.get(channelName)?.size ?? 0;
  }

  /** Whether the channel has a subscriber. */
  isSubscribed(channelName: string): boolean {
    return this.#channels.has(channelName);
  }

  /** Rejects with the error of the codec when the data cannot be encoded; nobody received anything then. */
  async invokePublish(channelName: string, data: unknown, suppressEvent = false): Promise<void> {
    // compat: who replaces transmitPublish() intercepts every publish.
    if (this.transmitPublish !== AGSimpleBroker.prototype.transmitPublish)
      await this.transmitPublish(channelName, data, suppressEvent);
    else this.#publish(channelName, data, suppressEvent);
  }

  /** Resolves even when the data could not be encoded; the event `error` tells. */
  async transmitPublish(channelName: string, data: unknown, suppressEvent = false): Promise<void> {
    try {
      this.#publish(channelName, data, suppressEvent);
    } catch {
      // Emitted as an error event where it happened.
    }
  }

  /** compat: whether somebody has replaced `invokePublish()` or `transmitPublish()`, and so sees every publish. */
  get interceptsPublishes(): boolean {
    return (
      this.invokePublish !== AGSimpleBroker.prototype.invokePublish ||
      this.transmitPublish !== AGSimpleBroker.prototype.transmitPublish
    );
  }

  publishNow(channelName: string, data: unknown): Promise<void> | undefined {
    if (this.interceptsPublishes) return this.invokePublish(channelName, data);
    this.#publish(channelName, data, false);
    return undefined;
  }

  #publish(channelName: string, data: unknown, suppressEvent: boolean): void {
    const publication = new Publication(channelName, data, this.#codec);
    try {
      // Encoded even when nobody is subscribed: whether data can be published must not depend on who listens.
      void publication.payload;
    } catch (error) {
      this.emit('error', { error });
      throw error;
    }
    this.deliver(publication);
    if (!suppressEvent && this.hasListener('publish')) this.emit('publish', publication.packet());
  }

  deliver(publication: Publication): void {
    const subscribers = this.#channels.get(publication.channel);
    if (subscribers === undefined) return;
    for (const subscriber of subscribers.values()) this.#hand(publication, subscriber);
  }

  reportGap(gap: Gap): void {
    for (const subscriber of this.#channels.get(gap.channel)?.values() ?? []) {
      try {
        subscriber.reportGap?.(gap);
      } catch (error) {
        this.emit('error', { error });
      }
    }
  }

  /** One subscriber that fails must not keep the message from the others. */
  #hand(publication: Publication, subscriber: Subscriber): void {
    try {
      if (subscriber.deliver !== undefined) {
        subscriber.deliver(publication);
        return;
      }
      const { payload } = publication;
      const sent = subscriber.transmit('#publish', publication.packet(), { stringifiedData: payload });
      if (sent instanceof Promise) sent.catch((error: unknown) => this.emit('error', { error }));
    } catch (error) {
      this.emit('error', { error });
    }
  }
}
