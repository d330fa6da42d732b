import { randomBytes } from 'node:crypto';
import { BrokerError, type CodecEngine, jsonCodec, spawn } from '@socketcluster-ts/core';
import { AsyncStreamEmitter } from '@socketcluster-ts/streams';
import type { BrokerEngine, BrokerStatus } from '../exchange/broker-engine.js';
import type { ClusterLine } from '../exchange/cluster-line.js';
import { AGExchange } from '../exchange/exchange.js';
import type { HandedOver } from '../exchange/handed-over.js';
import { type EncodedMessage, Publication } from '../exchange/publication.js';
import type { Gap, Subscriber } from '../exchange/subscriber.js';
import type { BrokerLink, LinkStatus } from './broker-link.js';
import { checkChannelName } from './channel-name.js';
import { Complaints } from './complaints.js';
import { envelopeBytes } from './envelope.js';
import { followBroker } from './follow-broker.js';
import { Inbox } from './inbox.js';
import { interceptsPublishes } from './intercepts-publishes.js';
import { Interest } from './interest.js';
import { Outbox, type Settle } from './outbox.js';
import type { RelayEvents, RelayStats } from './relay-events.js';
import { isLineChannel, RelayLine } from './relay-line.js';
import { assertParts, type RelayOptions, resolveRelayOptions } from './relay-options.js';
import { statusOf } from './status-of.js';

/** A message on its way to this node's subscribers and the others. */
interface Outgoing {
  readonly publication: Publication;
  readonly bytes: number;
}

/**
 * Owns what this node and the others tell each other: which channels it is sent, and the messages that are on their way.
 * A broker of one process goes on to own the channels and their subscribers.
 *
 * What it guarantees is in `docs/scaling.md`. In short: local subscribers get a message before `publish` returns, whatever
 * the engine does; other nodes get it at most once, in order per channel and publisher.
 */
export class RelayBroker extends AsyncStreamEmitter<RelayEvents> implements BrokerEngine {
  readonly #broker: BrokerEngine;
  readonly #link: BrokerLink;
  readonly #options: Required<RelayOptions>;
  readonly #node: Uint8Array = randomBytes(8);
  readonly #nodeId: string = Buffer.from(this.#node).toString('hex');
  readonly #interest: Interest;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #line: RelayLine;
  readonly #exchange: AGExchange;
  #codec: CodecEngine = jsonCodec;
  readonly #complaints = new Complaints((error) => this.emit('error', { error }));
  #isBrokerReady: boolean;
  #linkStatus: LinkStatus = 'connecting';
  /** The engine was there and is not, or the first attempt to connect has failed. */
  #isAway = false;
  #isPartial = false;
  #status: BrokerStatus = 'connecting';
  #wasReady = false;
  #refused = 0;
  #closing: Promise<void> | undefined;

  /** Begins to connect. Use {@link relayBroker}. */
  constructor(broker: BrokerEngine, link: BrokerLink, options: RelayOptions = {}) {
    super();
    assertParts(broker, link);
    this.#options = resolveRelayOptions(options);
    const { ackTimeout, subscribeTimeout, grace, maxBufferedBytes, maxBufferedMessages } = this.#options;
    this.#broker = broker;
    this.#link = link;
    this.#isBrokerReady = broker.isReady;
    this.#exchange = new AGExchange(this);
    this.#outbox = new Outbox(link, this.#node, {
      ackTimeout,
      maxBytes: maxBufferedBytes,
      maxMessages: maxBufferedMessages,
    });
    this.#interest = new Interest({
      link,
      grace,
      subscribeTimeout,
      isWanted: (channel) => this.#line.wants(channel) || broker.isSubscribed(channel),
      onGap: (channel) => this.#reportGap(channel),
      onChange: () => this.#judge(),
      onError: (error) => this.emit('error', { error }),
    });
    this.#inbox = new Inbox(this.#nodeId, (channel, message, node) =>
      this.#deliverForeign(channel, message, node),
    );
    this.#line = new RelayLine({
      nodeId: this.#nodeId,
      want: (channel) =>
        void this.#interest.want(channel)?.catch((error: unknown) => this.emit('error', { error })),
      send: (channel, text) => this.#outbox.post(channel, text),
    });
    this.#watchBroker();
    link.connect({
      onMessage: (channel, message) => this.#inbox.receive(channel, message),
      onStatus: (status, error) => this.#follow(status, error),
      onLost: (channels) => this.#interest.lost(channels),
      onPartial: (isPartial) => {
        this.#isPartial = isPartial;
        this.#judge();
      },
      onError: (error) => this.emit('error', { error }),
    });
  }

  /** The id of this node among the others: 16 hexadecimal digits, another one for each relay. */
  get nodeId(): string {
    return this.#nodeId;
  }

  /** Whether the broker is ready and every channel of this node confirmed. */
  get isReady(): boolean {
    return this.#isBrokerReady && this.#status === 'connected';
  }

  get status(): BrokerStatus {
    return this.#status;
  }

  /** How the servers of the cluster talk to each other. */
  get line(): ClusterLine {
    return this.#line;
  }

  /** What has been counted so far. */
  get stats(): RelayStats {
    const { counts, messages, bytes } = this.#outbox;
    return {
      ...counts,
      ...this.#inbox.counts,
      dropped: counts.dropped + this.#refused,
      status: this.#status,
      channels: Math.max(this.#interest.size - this.#line.channels, 0),
      buffered: messages,
      bufferedBytes: bytes,
    };
  }

  #watchBroker(): void {
    const broker = this.#broker;
    followBroker(broker, {
      onReady: () => {
        this.#isBrokerReady = true;
        this.#announce();
      },
      onError: (error) => this.emit('error', { error }),
      onSubscribe: (channel) => {
        this.emit('subscribe', { channel });
        // Somebody may have subscribed at the broker itself; nobody waits for it then.
        if (broker.isSubscribed(channel) && !this.#interest.has(channel)) {
          this.#interest.want(channel)?.catch(() => {});
        }
      },
      onUnsubscribe: (channel) => {
        this.emit('unsubscribe', { channel });
        this.#release(channel);
      },
      onPublish: (published) => this.#relayForeign(published),
    });
  }

  /** What was published at the broker itself goes to the others, too. */
  #relayForeign({ channel, data }: RelayEvents['publish']): void {
    try {
      this.#send(this.#prepare(channel, data), this.#complaints.lost);
    } catch {
      // Emitted as an error event where it happened.
    }
    this.emit('publish', { channel, data });
  }

  #follow(status: LinkStatus, error: Error | undefined): void {
    if (this.#status === 'closed') return;
    const wasConnected = this.#linkStatus === 'connected';
    this.#linkStatus = status;
    if (status === 'connected') {
      this.#isAway = false;
      this.#complaints.ended();
      this.#outbox.open();
      this.#interest.restore();
    } else if (wasConnected || error !== undefined || status === 'closed') {
      this.#complaints.away(error);
      if (!this.#isAway) {
        this.#isAway = true;
        this.#outbox.pause();
        this.#interest.suspend();
      }
    }
    this.#judge();
  }

  #judge(): void {
    const isConnected = this.#linkStatus === 'connected';
    const status = statusOf({
      isConnected,
      isComplete: this.#interest.isComplete,
      isPartial: this.#isPartial,
      isAway: this.#isAway,
    });
    if (this.#status === 'closed' || status === this.#status) return;
    this.#status = status;
    this.emit('status', { status });
    if (status === 'connected') this.#line.opened();
    this.#announce();
  }

  #announce(): void {
    if (this.#wasReady || !this.isReady) return;
    this.#wasReady = true;
    this.emit('ready', {});
  }

  /** The exchange of this broker; the same at each call. */
  exchange(): AGExchange {
    return this.#exchange;
  }

  /** Encodes with this codec from now on; all nodes must use the same one. */
  setCodecEngine(codec: CodecEngine): void {
    this.#codec = codec;
    this.#broker.setCodecEngine(codec);
  }

  /**
   * Subscribes a socket: at once to what this node publishes; resolves when the engine has confirmed that it sends the
   * channel, or is away. In that case the channel is restored later.
   * @throws {BrokerError} when the engine refuses or does not answer in time, and for a name that is no well-formed text
   */
  subscribeSocket(socket: Subscriber, channelName: string): Promise<void> {
    return this.#subscribe(socket, channelName, 'Socket');
  }

  unsubscribeSocket(socket: Subscriber, channelName: string): Promise<void> {
    return this.#unsubscribe(socket, channelName, 'Socket');
  }

  /** As `subscribeSocket()`, for the exchange. */
  subscribeClient(client: Subscriber, channelName: string): Promise<void> {
    return this.#subscribe(client, channelName, 'Client');
  }

  unsubscribeClient(client: Subscriber, channelName: string): Promise<void> {
    return this.#unsubscribe(client, channelName, 'Client');
  }

  async #subscribe(subscriber: Subscriber, channel: string, who: 'Socket' | 'Client'): Promise<void> {
    checkChannelName(channel);
    const local = this.#broker[`subscribe${who}`](subscriber, channel);
    const confirmed = this.#interest.want(channel);
    // Whatever becomes of it while the broker is waited for is looked at below.
    confirmed?.catch(() => {});
    try {
      await local;
    } catch (error) {
      this.#release(channel);
      throw error;
    }
    if (confirmed === undefined) return;
    try {
      await confirmed;
    } catch (error) {
      await this.#unsubscribe(subscriber, channel, who);
      throw error;
    }
  }

  async #unsubscribe(subscriber: Subscriber, channel: string, who: 'Socket' | 'Client'): Promise<void> {
    await this.#broker[`unsubscribe${who}`](subscriber, channel);
    this.#release(channel);
  }

  #release(channel: string): void {
    if (!this.#broker.isSubscribed(channel)) this.#interest.release(channel);
  }

  /** The channels with a subscriber on this node. */
  subscriptions(): string[] {
    return this.#broker.subscriptions();
  }

  /** How many subscribers the channel has on this node, the exchange among them. */
  countSubscribers(channelName: string): number {
    return this.#broker.countSubscribers?.(channelName) ?? (this.#broker.isSubscribed(channelName) ? 1 : 0);
  }

  /** Whether the channel has a subscriber on this node. */
  isSubscribed(channelName: string): boolean {
    return this.#broker.isSubscribed(channelName);
  }

  /**
   * Publishes; resolves when the engine has accepted the message for the other nodes. The subscribers of this node have it
   * before.
   * @throws {BrokerError} when the message is too long or the name of the channel no well-formed text: nobody has it then;
   *   and when the engine has not accepted it in time: the others do not have it, or the error says that nobody knows
   */
  async invokePublish(channelName: string, data: unknown, suppressEvent = false): Promise<void> {
    if (suppressEvent) return this.#broker.invokePublish(channelName, data, true);
    return this.#publish(channelName, data).accepted;
  }

  /**
   * Publishes without waiting for the others. Never rejects: a message that cannot be published is an `error` event, and
   * what the others do not get is counted in {@link stats}, with an `error` event once a second at most.
   */
  async transmitPublish(channelName: string, data: unknown, suppressEvent = false): Promise<void> {
    if (suppressEvent) return this.#broker.transmitPublish(channelName, data, true);
    let local: Promise<void> | undefined;
    try {
      local = this.#hand(this.#prepare(channelName, data), this.#complaints.lost);
    } catch {
      // Emitted as an error event where it happened.
    }
    return local;
  }

  publishNow(channelName: string, data: unknown): Promise<void> | HandedOver {
    // compat: who replaces invokePublish() intercepts every publish.
    if (this.invokePublish !== RelayBroker.prototype.invokePublish) {
      return this.invokePublish(channelName, data);
    }
    return this.#publish(channelName, data);
  }

  #publish(channel: string, data: unknown): HandedOver {
    const outgoing = this.#prepare(channel, data);
    let local: Promise<void> | undefined;
    const accepted = new Promise<void>((resolve, reject) => {
      local = this.#hand(outgoing, (error) => (error === undefined ? resolve() : reject(error)));
    });
    return { accepted: local === undefined ? accepted : Promise.all([local, accepted]).then(() => {}) };
  }

  /** A message that can be published. What is wrong with another one is thrown, and emitted. */
  #prepare(channel: string, data: unknown): Outgoing {
    try {
      checkChannelName(channel);
      const publication = new Publication(channel, data, this.#codec);
      const { payload } = publication;
      const bytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength;
      this.#checkLength(channel, bytes);
      return { publication, bytes };
    } catch (error) {
      this.emit('error', { error });
      throw error;
    }
  }

  #checkLength(channel: string, bytes: number): void {
    // The engine counts the envelope, too.
    const engineLimit = (this.#link.maxMessageBytes ?? Infinity) - envelopeBytes(1, 0);
    const limit = Math.min(this.#options.maxMessageBytes, engineLimit);
    if (bytes <= limit) return;
    this.#refused += 1;
    throw new BrokerError(
      `The message for the channel ${JSON.stringify(channel)} has ${bytes} bytes: the relay takes ${limit} (maxMessageBytes)`,
    );
  }

  /** Hands a message to the subscribers of this node first, then to the others. */
  #hand(outgoing: Outgoing, settle: Settle): Promise<void> | undefined {
    const { publication } = outgoing;
    const local = this.#deliver(publication);
    if (this.hasListener('publish')) this.emit('publish', publication.packet());
    this.#send(outgoing, settle);
    return local;
  }

  #send({ publication, bytes }: Outgoing, settle: Settle): void {
    this.#outbox.add(publication.channel, publication.payload, bytes, settle);
  }

  /** Hands a message to the subscribers of this node; gives what the broker has to be waited for. */
  #deliver(publication: Publication): Promise<void> | undefined {
    const broker = this.#broker;
    if (broker.deliver !== undefined && !interceptsPublishes(broker)) {
      broker.deliver(publication);
      return undefined;
    }
    return broker.invokePublish(publication.channel, publication.data, true);
  }

  #deliverForeign(channel: string, message: EncodedMessage, node: string): void {
    const onError = (error: unknown): void => this.emit('error', { error });
    if (isLineChannel(channel)) {
      spawn(() => this.#line.receive(node, message), onError);
      return;
    }
    spawn(() => this.#deliver(Publication.encoded(channel, message, this.#codec)), onError);
  }

  #reportGap(channel: string): void {
    if (isLineChannel(channel)) return;
    const gap: Gap = { channel, dropped: null };
    this.#broker.reportGap?.(gap);
    this.emit('gap', gap);
  }

  /**
   * Sends what waits, as far as the engine is there, and ends the connection. The subscribers of this node are served
   * further on; what is published after this does not reach the others, and is an error. `AGServer.close()` does not do this.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#line.closing();
    await this.#outbox.close();
    this.#interest.close();
    this.#status = 'closed';
    this.emit('status', { status: 'closed' });
    await this.#link.close();
  }
}

/**
 * Gives a broker a cluster: what is published on one node reaches the subscribers on all.
 *
 * It begins to connect at once, and is ready when it is connected. While the engine is away the node is degraded, not
 * down: its own clients reach each other, subscriptions are accepted and restored later, and what is published waits for
 * a while.
 *
 * ```ts
 * import { createServer } from 'node:http';
 * import { AGSimpleBroker, attach, type BrokerLink, relayBroker } from '@socketcluster-ts/server';
 *
 * declare const link: BrokerLink; // such as redisLink() of @socketcluster-ts/redis
 *
 * const brokerEngine = relayBroker(new AGSimpleBroker(), link);
 * const server = attach(createServer(), { brokerEngine });
 * ```
 *
 * @param broker - owns the channels of this node; its own exchange is not used
 * @param link - the connection to the engine; it belongs to the relay from now on
 * @throws {InvalidOptionsError} that names what was given and what is allowed
 */
export function relayBroker(broker: BrokerEngine, link: BrokerLink, options?: RelayOptions): RelayBroker {
  return new RelayBroker(broker, link, options);
}
