import type { BrokerStatus } from '../exchange/broker-engine.js';

/** Where a relay stands that is not closed. */
export function statusOf(relay: {
  readonly isConnected: boolean;
  /** Whether the engine has confirmed every channel. */
  readonly isComplete: boolean;
  /** The link reaches only a part of the cluster. */
  readonly isPartial: boolean;
  /** The engine was there and is not, or the first attempt to connect has failed. */
  readonly isAway: boolean;
}): Exclude<BrokerStatus, 'closed'> {
  if (relay.isConnected) return relay.isComplete && !relay.isPartial ? 'connected' : 'degraded';
  return relay.isAway ? 'degraded' : 'connecting';
}
