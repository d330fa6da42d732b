import type { BrokerEngine } from '../exchange/broker-engine.js';
import { AGSimpleBroker } from '../exchange/simple-broker.js';

/** compat: who extends the broker with a publish of his own sees every message. */
export function interceptsPublishes(broker: BrokerEngine): boolean {
  return broker instanceof AGSimpleBroker && broker.interceptsPublishes;
}
