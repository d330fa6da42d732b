import {
  addFamilyMethods,
  DemuxedConsumableStream,
  MANAGING_METHODS,
  type NamedConsumerStats,
  type StreamDemux,
} from '@socketcluster-ts/streams';
import type { ChannelStreams } from './channel-streams.js';
import type { DataArguments } from './contract/contract-types.js';

/** Where the subscription to a channel stands: asked for and not answered yet, in force, or neither. */
export type ChannelState = 'pending' | 'subscribed' | 'unsubscribed';

/** How a channel was subscribed to. On the exchange of a server there are none. `Data` is what a contract says. */
export interface ChannelOptions<Data = unknown> {
  /** Whether the subscription waits until the client is authenticated. */
  readonly waitForAuth?: boolean;
  /** Higher ones are subscribed first after a reconnect. */
  readonly priority?: number;
  /** What goes to the SUBSCRIBE middleware of the server. */
  readonly data?: Data;
}

/** The events of one channel. The exchange of a server emits `subscribe`, `subscribeFail` and `unsubscribe`. */
export interface ChannelEvents {
  subscribe: { readonly subscriptionOptions?: ChannelOptions };
  subscribeFail: { readonly error: unknown; readonly subscriptionOptions?: ChannelOptions };
  unsubscribe: Readonly<Record<string, never>>;
  subscribeStateChange: {
    readonly oldChannelState: ChannelState;
    readonly newChannelState: ChannelState;
    readonly subscriptionOptions?: ChannelOptions;
  };
  kickOut: { readonly message?: string };
  /** So many messages were not delivered; `null` when nobody knows how many, and it may be none. */
  gap: { readonly dropped: number | null };
}

/** What a channel asks of the exchange or client socket that it belongs to, which owns the subscription. */
export interface ChannelClient {
  /** Where the subscription stands. */
  getChannelState(channelName: string): ChannelState;
  /** How the channel was subscribed to. */
  getChannelOptions(channelName: string): ChannelOptions;
  /** Subscribes to the channel. */
  subscribe(channelName: string, options?: ChannelOptions): unknown;
  /** If it gives a promise, a channel does not wait for it: the client reports a failure itself. */
  unsubscribe(channelName: string): unknown;
  /** Whether the channel is subscribed. */
  isSubscribed(channelName: string, includePending?: boolean): boolean;
  /** Publishes without an acknowledgement. */
  transmitPublish(channelName: string, data?: unknown): Promise<void>;
  /** Publishes; rejects when the message was not accepted. */
  invokePublish(channelName: string, data?: unknown): Promise<unknown>;
  /** Ends the loops over the channel once they have read what waits for them. */
  closeChannel(channelName: string): void;
  /** Ends the loops over the channel at once. */
  killChannel(channelName: string): void;
  /** Called with what a function given to `each()` of a channel threw. */
  handlerFailed(error: unknown): void;
}

/** The methods that manage the consumers of one channel. An id of another channel changes nothing, and nothing is known of it. */
export interface ChannelConsumerMethods {
  /** Closes the output: its loops finish what waits for them. */
  closeOutput(): void;

  /** Kills the output: its loops end at once. */
  killOutput(): void;

  /** Kills one consumer of the output. An id of another channel changes nothing. */
  killOutputConsumer(consumerId: number): void;

  /** Closes the listeners of one event. */
  closeListener(eventName: string): void;

  /** Kills the listeners of one event. */
  killListener(eventName: string): void;

  /** Closes the listeners of all events. */
  closeAllListeners(): void;

  /** Kills the listeners of all events. */
  killAllListeners(): void;

  /** Kills one consumer of a listener. An id of another channel changes nothing. */
  killListenerConsumer(consumerId: number): void;

  /** How one consumer of the output stands; `undefined` for an id of another channel. */
  getOutputConsumerStats(consumerId: number): NamedConsumerStats | undefined;

  /** How one consumer of a listener stands; `undefined` for an id of another channel. */
  getListenerConsumerStats(consumerId: number): NamedConsumerStats | undefined;

  /** How the consumers of the output stand. */
  getOutputConsumerStatsList(): NamedConsumerStats[];

  /** How the consumers of one event stand. */
  getListenerConsumerStatsList(eventName: string): NamedConsumerStats[];

  /** How the consumers of all events stand. */
  getAllListenersConsumerStatsList(): NamedConsumerStats[];

  /** The backpressure of the output. */
  getOutputBackpressure(): number;

  /** The backpressure of one event. */
  getListenerBackpressure(eventName: string): number;

  /** The largest backpressure of all events. */
  getAllListenersBackpressure(): number;

  /** The backpressure of one consumer of the output; 0 for an id of another channel. */
  getOutputConsumerBackpressure(consumerId: number): number;

  /** The backpressure of one consumer of a listener; 0 for an id of another channel. */
  getListenerConsumerBackpressure(consumerId: number): number;

  /** Whether the output has a consumer with that id. */
  hasOutputConsumer(consumerId: number): boolean;

  /** Whether one event has a consumer with that id. */
  hasListenerConsumer(eventName: string, consumerId: number): boolean;

  /** Whether any event has a consumer with that id. */
  hasAnyListenerConsumer(consumerId: number): boolean;
}

/** The families of method names for the output and the listeners of one channel. */
export interface AGChannel<T = unknown, Input = unknown> extends ChannelConsumerMethods {} // oxlint-disable-line typescript/no-unsafe-declaration-merging, no-unused-vars -- addFamilyMethods() puts the families on the prototype; merged declarations have the same parameters

/**
 * Owns nothing but its name: a view of one channel of an exchange or client socket. It is an async iterable of the
 * channel's messages; any number of views of one channel share its subscription and its streams.
 *
 * Closing or killing ends loops, it does not unsubscribe; loops started afterwards, and loops that were never ended,
 * go on when the channel is subscribed again.
 *
 * @typeParam T - the messages; without a contract not checked by the library
 * @typeParam Input - what may be published
 */
export class AGChannel<T = unknown, Input = unknown> extends DemuxedConsumableStream<T> {
  static {
    addFamilyMethods(
      this,
      MANAGING_METHODS.filter((method) => !method.endsWith('All')),
      'Output',
      (channel: AGChannel) => channel.#streams.outputs.at(channel.name),
    );
    addFamilyMethods(this, MANAGING_METHODS, 'Listener', (channel: AGChannel) =>
      channel.#streams.listeners.scope(channel.name),
    );
  }

  static readonly PENDING = 'pending';
  static readonly SUBSCRIBED = 'subscribed';
  static readonly UNSUBSCRIBED = 'unsubscribed';
  readonly PENDING = 'pending';
  readonly SUBSCRIBED = 'subscribed';
  readonly UNSUBSCRIBED = 'unsubscribed';
  /** The name of the channel, without a prefix that a client may put before it on the wire. */
  declare readonly name: string;
  /** The exchange or client socket. */
  readonly client: ChannelClient;
  readonly #streams: ChannelStreams;

  constructor(name: string, client: ChannelClient, streams: ChannelStreams) {
    super(streams.outputs as StreamDemux<T>, name, (error) => client.handlerFailed(error));
    this.client = client;
    this.#streams = streams;
  }

  /**
   * Where the subscription stands. Read only.
   * @throws {Error} when assigned to
   */
  get state(): ChannelState {
    return this.client.getChannelState(this.name);
  }

  set state(_state: never) {
    throw new Error('Cannot directly set channel state');
  }

  /**
   * How the channel was subscribed to, as a copy. Read only.
   * @throws {Error} when assigned to
   */
  get options(): ChannelOptions {
    return { ...this.client.getChannelOptions(this.name) };
  }

  set options(_options: never) {
    throw new Error('Cannot directly set channel options');
  }

  /** One event of this channel's subscription, as an async iterable. */
  listener<E extends keyof ChannelEvents>(eventName: E): DemuxedConsumableStream<ChannelEvents[E]>;
  listener<P = unknown>(eventName: string): DemuxedConsumableStream<P>;
  listener(eventName: string): DemuxedConsumableStream<unknown> {
    return this.#streams.listeners.scope(this.name).stream(eventName);
  }

  /** Subscribes, or changes the options of the subscription that there is. */
  subscribe(options?: ChannelOptions): void {
    this.client.subscribe(this.name, options);
  }

  /** Ends the subscription. */
  unsubscribe(): void {
    const done: unknown = this.client.unsubscribe(this.name);
    // Nobody can wait for it here, and its owner reports a failure: a rejection must not be reported as unhandled too.
    if (done instanceof Promise) done.then(undefined, () => {});
  }

  /** Whether the channel is subscribed, or with `includePending` also being subscribed. */
  isSubscribed(includePending?: boolean): boolean {
    return this.client.isSubscribed(this.name, includePending);
  }

  /** Publishes to the channel without waiting for an acknowledgement. */
  transmitPublish(...data: DataArguments<Input>): Promise<void> {
    return this.client.transmitPublish(this.name, data[0]);
  }

  /** Publishes to the channel; settles with the acknowledgement. */
  invokePublish(...data: DataArguments<Input>): Promise<unknown> {
    return this.client.invokePublish(this.name, data[0]);
  }

  /** Closes the output and all listeners. */
  close(): void {
    this.client.closeChannel(this.name);
  }

  /** Kills the output and all listeners. */
  kill(): void {
    this.client.killChannel(this.name);
  }

  /** The larger backpressure of the output and the listeners: items that a consumer has not taken yet. */
  getBackpressure(): number {
    return this.#streams.getBackpressure(this.name);
  }
}
