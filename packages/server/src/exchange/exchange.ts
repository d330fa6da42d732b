import {
  AGChannel,
  type AnyContract,
  addChannelMethods,
  type ChannelArguments,
  type ChannelClient,
  type ChannelInput,
  type ChannelMessage,
  type ChannelMethods,
  ChannelStreams,
  type ContractChecks,
  type DataArguments,
  InvalidActionError,
  InvalidArgumentsError,
  outgoingError,
  spawn,
  type Untyped,
  type WhenUntyped,
} from '@socketcluster-ts/core';
import { AsyncStreamEmitter } from '@socketcluster-ts/streams';
import type { ChannelInfo, ClusterView, NodeInfo } from './cluster-line.js';
import type { HandedOver } from './handed-over.js';
import type { Publication } from './publication.js';
import type { Gap, Subscriber } from './subscriber.js';

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
  publishNow?(channelName: string, data: unknown): Promise<void> | HandedOver | undefined;
}

/** What {@link AGExchange} emits. */
export interface ExchangeEvents {
  /** A function given to `each()` of a channel failed, or a message of the server is not what the contract says. */
  error: { error: unknown };
  subscribe: { channel: string; subscriptionOptions: Record<string, never> };
  unsubscribe: { channel: string };
  subscribeFail: { error: unknown; channel: string; subscriptionOptions: Record<string, never> };
  /** Messages of a subscribed channel may be missing; `dropped: null` when nobody knows how many. */
  gap: Gap;
  /** The broker could not end a subscription; nothing of the channel is delivered here all the same. */
  unsubscribeFail: { error: unknown; channel: string };
}

/** The channel family of method names; see {@link ChannelMethods}. */
// oxlint-disable-next-line no-unused-vars -- has to repeat the type parameter of the class
export interface AGExchange<C extends AnyContract = Untyped> extends ChannelMethods {} // oxlint-disable-line typescript/no-unsafe-declaration-merging -- addChannelMethods() below puts the family on the prototype

/**
 * Owns the server's own subscriptions and their streams: the server as a publisher and subscriber of channels.
 *
 * Nothing that passes through it is seen by inbound middleware. It receives its own messages on channels it is
 * subscribed to.
 *
 * @typeParam C - the contract, whose channels the server knows by name and by template
 */
export class AGExchange<C extends AnyContract = Untyped>
  extends AsyncStreamEmitter<ExchangeEvents>
  implements Subscriber
{
  readonly id = 'exchange';
  /** The streams behind the channels; use the methods of the exchange or of a channel. */
  readonly channelStreams: ChannelStreams = new ChannelStreams();
  readonly #broker: ExchangeBroker;
  readonly #subscribed = new Set<string>();

  #contract: ContractChecks | undefined;
  #cluster: ClusterView | undefined;
  #checkOutgoing = false;

  constructor(broker: ExchangeBroker) {
    super();
    this.#broker = broker;
  }

  /** Called by the server, once, when it was given a contract; `checkOutgoing` has messages of the server checked. */
  useContract(contract: ContractChecks, checkOutgoing: boolean): void {
    this.#contract = contract;
    this.#checkOutgoing = checkOutgoing;
  }

  /** Called by the server, once: what is known of its cluster. */
  useCluster(cluster: ClusterView): void {
    this.#cluster = cluster;
  }

  /**
   * The nodes of the cluster that are known here, this one first, with their load. A node that ended without a word is in
   * the list for ten seconds more. Without a cluster this node is the only one; without a server there is none.
   */
  cluster(): NodeInfo[] {
    return this.#cluster?.list() ?? [];
  }

  /**
   * Counts the subscribed clients of a channel on all nodes. Of a node that does not answer within two seconds the count is
   * missing, and the result says so.
   */
  channelInfo(channelName: C['types']['names']): Promise<ChannelInfo> {
    const channel: string = channelName;
    return (
      this.#cluster?.channelInfo(channel) ??
      Promise.resolve({ channel, subscribers: 0, nodes: {}, complete: true, missing: [] })
    );
  }

  /** Why a message of the server must not be published. A schema that gives a promise is reported only. */
  #outgoingError(channelName: string, data: unknown): Error | undefined {
    if (this.#contract === undefined) return undefined;
    const checked = this.#contract.checkMessage(channelName, data);
    return outgoingError(checked, (error) => this.emit('error', { error }));
  }

  /** The exchange as its channels see it: they know their types themselves. */
  get #client(): ChannelClient {
    return this;
  }

  /**
   * Publishes; resolves without waiting for other processes. Data that cannot be encoded is reported by the broker, a name
   * that is neither text nor a number by the event `error`.
   */
  transmitPublish<N extends C['types']['names']>(
    channelName: N,
    ...data: DataArguments<ChannelInput<C, N>>
  ): Promise<void>;
  transmitPublish(channelName?: unknown, data?: unknown): Promise<void> {
    let name: string;
    try {
      name = nameOf(channelName);
    } catch (error) {
      this.emit('error', { error });
      return Promise.resolve();
    }
    const error = this.#checkOutgoing ? this.#outgoingError(name, data) : undefined;
    if (error !== undefined) {
      this.emit('error', { error });
      return Promise.resolve();
    }
    return this.#broker.transmitPublish(name, data);
  }

  /**
   * Publishes; resolves when the broker accepted the message, rejects when it did not.
   * @throws {InvalidArgumentsError} for a name that is neither text nor a number
   * @throws {InvalidDataError} for a message that is not what the contract says, and {UnknownNameError} for a channel it
   *   does not have (both with the option `checkOutgoing`)
   */
  invokePublish<N extends C['types']['names']>(
    channelName: N,
    ...data: DataArguments<ChannelInput<C, N>>
  ): Promise<void>;
  async invokePublish(channelName?: unknown, data?: unknown): Promise<void> {
    const name = nameOf(channelName);
    const error = this.#checkOutgoing ? this.#outgoingError(name, data) : undefined;
    if (error !== undefined) throw error;
    await this.#broker.invokePublish(name, data);
  }

  /**
   * As `invokePublish()`, but gives `undefined` when everything is done on return, and throws instead of rejecting
   * then. The inbound path of the sockets uses it: no promise where nothing has to be waited for.
   */
  publishNow(channelName: string, data: unknown): Promise<void> | HandedOver | undefined {
    // compat: who replaces invokePublish() intercepts the publishes of clients too.
    if (this.invokePublish !== AGExchange.prototype.invokePublish || this.#broker.publishNow === undefined) {
      return (this as AGExchange).invokePublish(channelName, data);
    }
    return this.#broker.publishNow(channelName, data);
  }

  /**
   * Subscribes the server and gives the channel. The state is `'subscribed'` on return; the event `subscribe`
   * (on the channel and here) follows in a microtask, so that a listener attached to the result sees it.
   * @throws {InvalidArgumentsError} for a name that is neither text nor a number
   */
  subscribe<T = unknown>(...name: WhenUntyped<C, [channelName: string]>): AGChannel<T>;
  subscribe<N extends C['types']['names']>(
    channelName: N,
  ): AGChannel<ChannelMessage<C, N>, ChannelInput<C, N>>;
  subscribe(name?: unknown): unknown {
    const channel = nameOf(name);
    if (!this.#subscribed.has(channel)) {
      this.#subscribed.add(channel);
      spawn(
        () => this.#broker.subscribeClient(this, channel),
        (error) => {
          this.#subscribed.delete(channel);
          this.channelStreams.writeEvent(channel, 'subscribeFail', { error, subscriptionOptions: {} });
          this.emit('subscribeFail', { error, channel, subscriptionOptions: {} });
        },
      );
      queueMicrotask(() => {
        this.channelStreams.writeEvent(channel, 'subscribe', {});
        this.emit('subscribe', { channel, subscriptionOptions: {} });
      });
    }
    return new AGChannel(channel, this.#client, this.channelStreams);
  }

  /** Unsubscribes the server. Loops over the channel stay; they go on when it is subscribed again. */
  async unsubscribe(channel: string): Promise<void> {
    const channelName = nameOf(channel);
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

  /**
   * The channel, without subscribing to it. With a contract it may be asked for by its template, followed by the
   * parameters; the server needs the contract as an option for that.
   * @throws {InvalidActionError} for parameters without a contract; {InvalidArgumentsError} for wrong ones
   */
  channel<T = unknown>(...name: WhenUntyped<C, [channelName: string]>): AGChannel<T>;
  channel<N extends C['types']['names'] | (keyof C['types']['channels'] & string)>(
    channelName: N,
    ...parameters: ChannelArguments<C, N>
  ): AGChannel<ChannelMessage<C, N>, ChannelInput<C, N>>;
  channel(name?: unknown, parameters?: unknown): unknown {
    if (parameters !== undefined && this.#contract === undefined) {
      throw new InvalidActionError(
        `The channel ${JSON.stringify(name)} was asked for with parameters, which needs the contract as an option`,
      );
    }
    const found = this.#contract?.channelName(name as string, parameters) ?? nameOf(name);
    return new AGChannel(found, this.#client, this.channelStreams);
  }

  /** The channels the server is subscribed to; none is ever pending. */
  subscriptions(_includePending?: boolean): string[] {
    return [...this.#subscribed];
  }

  /** Whether the server is subscribed to the channel. */
  isSubscribed(channelName: string | number, _includePending?: boolean): boolean {
    return this.#subscribed.has(String(channelName));
  }

  /** Whether the server is subscribed, as a channel tells it. */
  getChannelState(channelName: string): 'subscribed' | 'unsubscribed' {
    return this.isSubscribed(channelName) ? 'subscribed' : 'unsubscribed';
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

  reportGap(gap: Gap): void {
    if (!this.#subscribed.has(gap.channel)) return;
    this.channelStreams.writeEvent(gap.channel, 'gap', { dropped: gap.dropped });
    this.emit('gap', gap);
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

/** The name of a channel. compat: a number is one, too. */
function nameOf(given: unknown): string {
  if (typeof given === 'string') return given;
  if (typeof given === 'number' || typeof given === 'bigint') return String(given);
  const shown = given === null ? 'null' : typeof given;
  throw new InvalidArgumentsError(`The name of a channel must be a string or a number - Got ${shown}`);
}
