/** Where a link stands. It leaves `'closed'` never, and goes between the two others by itself. */
export type LinkStatus = 'connecting' | 'connected' | 'closed';

/** What a link reports. None of these throws. */
export interface LinkHandlers {
  /**
   * A message of a channel that was subscribed. Its bytes belong to the relay from now on. Messages of one channel that
   * one node published through one connection come in the order in which they were published.
   */
  onMessage(channel: string, message: Uint8Array): void;
  /**
   * The link has another status, or an attempt to connect has failed: then the status is `'connecting'`, with the error.
   * After each `'connected'` the link has no subscriptions, until it is asked for them again.
   */
  onStatus(status: LinkStatus, error?: Error): void;
  /** These subscriptions are gone, although the link is connected; they are asked for again. */
  onLost(channels: readonly string[]): void;
  /**
   * Whether the link, though it is connected, reaches only a part of the cluster, such as the processes of this machine: the
   * node is degraded as long as it does. Links that have no parts never call it.
   */
  onPartial?(isPartial: boolean): void;
  /** Something else went wrong that somebody should know of. */
  onError(error: Error): void;
}

/**
 * The connection of one node to the messaging engine that connects it to the others: Redis, NATS, another process.
 * {@link relayBroker} makes a cluster of a broker and a link.
 *
 * What a link has to do, and what it need not do:
 * - It connects, and after a failure connects again until it is closed, with delays of its own. It finds out by itself
 *   when an engine does not answer any more.
 * - It remembers no subscriptions and keeps no messages: the relay does. Whoever is promised something has an answer, at
 *   the latest when the connection is lost: a promise that was not kept by then is rejected.
 * - It never sends a message twice. One whose answer did not come is rejected, though it may have arrived.
 * - Calls come in runs: all that a turn of the event loop has to say, one call after the other. A link that gains by
 *   writing them together does so at the end of the run (`queueMicrotask()`).
 * - For one channel, at most one `subscribe()` or `unsubscribe()` is under way at a time. All calls but `close()` come
 *   only while it is connected.
 * - Channels are any well-formed text of at least one character. A link whose engine is pickier encodes them.
 * - What it published itself may come back or not: the relay tells its own messages apart.
 */
export interface BrokerLink {
  /** Begins to connect. Called once, before anything else. */
  connect(handlers: LinkHandlers): void;
  /** Publishes; resolves when the engine has accepted the message, rejects when it has not, or when nobody knows. */
  publish(channel: string, message: Uint8Array): Promise<void>;
  /** Resolves when the engine has confirmed that it sends the messages of the channel from now on. */
  subscribe(channel: string): Promise<void>;
  /** Resolves when the engine has confirmed that it has stopped. */
  unsubscribe(channel: string): Promise<void>;
  /** Ends the connection, and whatever waits with an error. Never rejects. */
  close(): Promise<void>;
  /** The longest message that the engine takes, in bytes, as far as the link knows; may change with the connection. */
  readonly maxMessageBytes?: number | undefined;
}
