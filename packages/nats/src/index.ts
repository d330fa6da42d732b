/**
 * A link to NATS, for `relayBroker()` of the server package; see {@link natsLink}.
 *
 * @module
 */
export { type NatsLinkOptions, natsLink } from './nats-link.js';
