import type { CodecEngine } from '@socketcluster-ts/core';
import type { ConsumableStream } from '@socketcluster-ts/streams';
import type { ClusterLine } from './cluster-line.js';
import type { AGExchange } from './exchange.js';
import type { HandedOver } from './handed-over.js';
import type { Publication } from './publication.js';
import type { Gap, Subscriber } from './subscriber.js';

/**
 * Where a broker that connects this node to others stands. `'connecting'`: the first connection is being made.
 * `'connected'`: the node is sent every channel that it has subscribers for. `'degraded'`: it is cut off, or not sent every
 * channel yet, and serves its own clients meanwhile.
 */
export type BrokerStatus = 'connecting' | 'connected' | 'degraded' | 'closed';

/** What a server asks of the exchange of its broker. One made for `socketcluster-server` has only the first three. */
export type BrokerExchange = Pick<AGExchange, 'invokePublish' | 'isSubscribed' | 'listener'> &
  Partial<Pick<AGExchange, 'publishNow' | 'useCluster' | 'useContract'>>;

/**
 * Carries messages from publishers to the subscribers of a channel.
 *
 * - The server reads `isReady` once; when it is false it waits for the event `ready`.
 * - `exchange()` gives the same object each time. `setCodecEngine()` is called before the first publish and
 *   whenever the codec of the server is replaced.
 * - `subscribeSocket()` and `unsubscribeSocket()` are awaited, one at a time per socket and channel. The
 *   subscription is effective before the promise resolves; after an `unsubscribe` resolved nothing of that
 *   channel is handed to the subscriber. A rejection tells the client that it failed.
 * - `invokePublish()` settles when the message was handed to the local subscribers and accepted by whatever
 *   connects this process to others; `transmitPublish()` need not wait for the latter. With `suppressEvent` the
 *   event `publish` is not emitted (messages that came from elsewhere must not go back).
 * - Every subscriber of a process sees the messages of one channel in the same order.
 * - Events: `ready {}`; `error {error}` (the server makes a warning of it); `subscribe {channel}` when a channel
 *   gets its first local subscriber, `unsubscribe {channel}` when it lost the last; `publish {channel, data}`
 *   after the local fan-out.
 *
 * @example
 * ```ts
 * import { AGSimpleBroker, attach } from '@socketcluster-ts/server';
 * import { createServer } from 'node:http';
 *
 * class AuditedBroker extends AGSimpleBroker {
 *   override async invokePublish(channel: string, data: unknown, suppressEvent?: boolean): Promise<void> {
 *     console.log(`publish to ${channel}`);
 *     await super.invokePublish(channel, data, suppressEvent);
 *   }
 * }
 * attach(createServer(), { brokerEngine: new AuditedBroker() });
 * ```
 */
export interface BrokerEngine {
  readonly isReady: boolean;
  /** Optional: where the node stands among others; the server is ready only while it is `'connected'`. */
  readonly status?: BrokerStatus;
  /** Optional: how the servers of a cluster talk to each other. */
  readonly line?: ClusterLine;
  /** The stream of one of the events above. */
  listener(event: 'ready' | 'error' | 'subscribe' | 'unsubscribe' | 'publish'): ConsumableStream<unknown>;
  /** Ends the loops over the events, once they have read what waits for them. */
  closeAllListeners(): void;
  /** The exchange that publishes and subscribes through this broker; the same at each call. */
  exchange(): AGExchange;
  /** Encodes with this codec from now on. */
  setCodecEngine(codec: CodecEngine): void;
  /** Subscribes a client's socket; rejects when it could not. */
  subscribeSocket(socket: Subscriber, channelName: string): Promise<void>;
  /** Ends that subscription; one that does not exist is no error. */
  unsubscribeSocket(socket: Subscriber, channelName: string): Promise<void>;
  /** As `subscribeSocket()`, for the exchange. */
  subscribeClient(client: Subscriber, channelName: string): Promise<void>;
  /** As `unsubscribeSocket()`, for the exchange. */
  unsubscribeClient(client: Subscriber, channelName: string): Promise<void>;
  /** The channels with at least one local subscriber. */
  subscriptions(): string[];
  /** Whether the channel has a local subscriber. */
  isSubscribed(channelName: string): boolean;
  /** Optional: how many local subscribers the channel has, the exchange among them. */
  countSubscribers?(channelName: string): number;
  /** Publishes; settles when the message was accepted everywhere it has to go. */
  invokePublish(channelName: string, data: unknown, suppressEvent?: boolean): Promise<void>;
  /** Publishes without waiting for other processes. */
  transmitPublish(channelName: string, data: unknown, suppressEvent?: boolean): Promise<void>;
  /**
   * Optional: as `invokePublish()`, but gives `undefined` instead of a promise when everything is done on return,
   * {@link HandedOver} when only others still have to accept the message, and throws instead of rejecting then.
   */
  publishNow?(channelName: string, data: unknown): Promise<void> | HandedOver | undefined;
  /**
   * Optional: hands the local subscribers a message that is encoded already, before it returns, and emits no
   * `publish`. A relay uses it for what other nodes sent; without it the message is decoded for `invokePublish()`.
   */
  deliver?(publication: Publication): void;
  /** Optional: tells the local subscribers of a channel that messages may be missing. */
  reportGap?(gap: Gap): void;
}
