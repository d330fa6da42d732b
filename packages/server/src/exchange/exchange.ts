import {
  AGChannel,
  addChannelMethods,
  type ChannelClient,
  type ChannelMethods,
  ChannelStreams,
  spawn,
} from '@socketcluster-ts/core';
import { AsyncStreamEmitter } from '@socketcluster-ts/streams';
import type { Publication } from './publication.js';
import type { Subscriber } from './subscriber.js';

/** What an exchange asks of the broker behind it; see `BrokerEngine` for the guarantees. */
export interface ExchangeBroker {
  /** Ends the loops over the events of the broker. */
  closeAllListeners(): void;
  /** Subscribes the exchange to a channel. */
  subscribeClient(client: Subscriber, channelName: string): Promise<void>;
  /** Ends that subscription. */
  unsubscribeClient(client: Subscriber, channelName: string): Promise<void>;
  /** Publishes and waits for everybody who has to accept the message. */
  invokePublish(channelName: string, data: unknown): Promise<void>;
  /** Publishes and does not wait for other processes. */
  transmitPublish(channelName: string, data: unknown): Promise<void>;
  /** As `invokePublish()`, giving `undefined` when everything is done on return. */
  publishNow?(channelName: string, data: unknown): Promise<void> | undefined;
}

/** What {@link AGExchange} emits. */
export interface ExchangeEvents {
  subscribe: { channel: string; subscriptionOptions: Record<string, never> };
  unsubscribe: { channel: string };
  subscribeFail: { error: unknown; channel: string; subscriptionOptions: Record<string, never> };
  /** The broker could not end a subscription; nothing of the channel is delivered here all the same. */
  unsubscribeFail: { error: unknown; channel: string };
}

/** The channel family of method names; see {@link ChannelMethods}. */
export interface AGExchange extends ChannelMethods {} // oxlint-disable-line typescript/no-unsafe-declaration-merging -- addChannelMethods() below puts the family on the prototype

/**
 * Owns the server's own subscriptions and their streams: the server as a publisher and subscriber of channels.
 *
 * Nothing that passes through it is seen by inbound middleware. It receives its own messages on channels it is
 * subscribed to.
 */
export class AGExchange extends AsyncStreamEmitter<ExchangeEvents> implements ChannelClient, Subscriber {
  readonly id = 'exchange';
  /** The streams behind the channels; use the methods of the exchange or of a channel. */
  readonly channelStreams: ChannelStreams = new ChannelStreams();
  readonly #broker: ExchangeBroker;
  readonly #subscribed = new Set<string>();

  constructor(broker: ExchangeBroker) {
    super();
    this.#broker = broker;
  }

  /** Publishes; resolves without waiting for other processes. Data that cannot be encoded is reported by the broker. */
  transmitPublish(channelName: string, data?: unknown): Promise<void> {
    return this.#broker.transmitPublish(channelName, data);
  }

  /** Publishes; resolves when the broker accepted the message, rejects when it did not. */
  invokePublish(channelName: string, data?: unknown): Promise<void> {
    return this.#broker.invokePublish(channelName, data);
  }

  /**
   * As `invokePublish()`, but gives `undefined` when everything is done on return, and throws instead of rejecting
   * then. The inbound path of the sockets uses it: no promise where nothing has to be waited for.
   */
  publishNow(channelName: string, data: unknown): Promise<void> | undefined {
    // compat: who replaces invokePublish() intercepts the publishes of clients too.
    if (this.invokePublish !== AGExchange.prototype.invokePublish || this.#broker.publishNow === undefined) {
      return this.invokePublish(channelName, data);
    }
    return this.#broker.publishNow(channelName, data);
  }

  /**
   * Subscribes the server and gives the channel. The state is `'subscribed'` on return; the event `subscribe`
   * (on the channel and here) follows in a microtask, so that a listener attached to the result sees it.
   */
  subscribe<T = unknown>(channelName: string): AGChannel<T> {
    if (!this.#subscribed.has(channelName)) {
      this.#subscribed.add(channelName);
      spawn(
        () => this.#broker.subscribeClient(this, channelName),
        (error) => {
          this.#subscribed.delete(channelName);
          this.channelStreams.writeEvent(channelName, 'subscribeFail', { error, subscriptionOptions: {} });
          this.emit('subscribeFail', { error, channel: channelName, subscriptionOptions: {} });
        },
      );
      queueMicrotask(() => {
        this.channelStreams.writeEvent(channelName, 'subscribe', {});
        this.emit('subscribe', { channel: channelName, subscriptionOptions: {} });
      });
    }
    return this.channel(channelName);
  }

  /** Unsubscribes the server. Loops over the channel stay; they go on when it is subscribed again. */
  async unsubscribe(channelName: string): Promise<void> {
    if (!this.#subscribed.delete(channelName)) return;
    const done = this.#broker.unsubscribeClient(this, channelName);
    // In a microtask, so that the events stay behind those of a subscribe() of the same tick.
    await Promise.resolve();
    this.channelStreams.writeEvent(channelName, 'unsubscribe', {});
    try {
      await done;
    } catch (error) {
      this.emit('unsubscribeFail', { error, channel: channelName });
      throw error;
    }
    this.emit('unsubscribe', { channel: channelName });
  }

  /** The channel, without subscribing to it. */
  channel<T = unknown>(channelName: string): AGChannel<T> {
    return new AGChannel<T>(channelName, this, this.channelStreams);
  }

  /** The channels the server is subscribed to; none is ever pending. */
  subscriptions(_includePending?: boolean): string[] {
    return [...this.#subscribed];
  }

  /** Whether the server is subscribed to the channel. */
  isSubscribed(channelName: string, _includePending?: boolean): boolean {
    return this.#subscribed.has(channelName);
  }

  /** Whether the server is subscribed, as a channel tells it. */
  getChannelState(channelName: string): 'subscribed' | 'unsubscribed' {
    return this.#subscribed.has(channelName) ? 'subscribed' : 'unsubscribed';
  }

  /** The options of a subscription of the server: there are none. */
  getChannelOptions(_channelName: string): Record<string, never> {
    return {};
  }

  /** Called by brokers: writes a message of a subscribed channel to its stream, before it returns. */
  transmit(event: string, packet: { channel: string; data?: unknown }): void {
    if (event === '#publish') this.#write(packet.channel, packet.data);
  }

  deliver(publication: Publication): void {
    if (this.transmit === AGExchange.prototype.transmit) this.#write(publication.channel, publication.data);
    else this.transmit('#publish', publication.packet());
  }

  #write(channelName: string, data: unknown): void {
    if (this.#subscribed.has(channelName)) this.channelStreams.write(channelName, data);
  }

  /** The highest backpressure of any listener or channel of the exchange. */
  getBackpressure(): number {
    return Math.max(this.getAllListenersBackpressure(), this.getAllChannelsBackpressure());
  }

  /** Closes the listeners of the broker. */
  destroy(): void {
    this.#broker.closeAllListeners();
  }
}

addChannelMethods(AGExchange);
