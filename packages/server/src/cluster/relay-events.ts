import type { BrokerStatus } from '../exchange/broker-engine.js';
import type { BrokerEvents } from '../exchange/simple-broker.js';
import type { Gap } from '../exchange/subscriber.js';
import type { InboxCounts } from './inbox.js';
import type { OutboxCounts } from './outbox.js';

/** What a {@link RelayBroker} emits. */
export interface RelayEvents extends BrokerEvents {
  status: { status: BrokerStatus };
  /** A channel is restored; nobody knows how many of its messages this node has missed. */
  gap: Gap;
}

/** What a relay has counted since it began, and what waits. */
export interface RelayStats extends OutboxCounts, InboxCounts {
  readonly status: BrokerStatus;
  /** Channels that the engine sends to this node, or was asked for. */
  readonly channels: number;
  /** Messages that wait for the engine, or for its answer. */
  readonly buffered: number;
  /** The bytes of these. */
  readonly bufferedBytes: number;
}
