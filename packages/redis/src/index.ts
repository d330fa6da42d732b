/**
 * Connects the nodes of a cluster through Redis or Valkey.
 *
 * ```ts
 * import { createServer } from 'node:http';
 * import { redisLink } from '@socketcluster-ts/redis';
 * import { AGSimpleBroker, attach, relayBroker } from '@socketcluster-ts/server';
 *
 * const link = redisLink({ url: 'redis://localhost:6379' });
 * const server = attach(createServer(), { brokerEngine: relayBroker(new AGSimpleBroker(), link) });
 * ```
 *
 * @module
 */
export { redisLink } from './redis-link.js';
export type { RedisLinkOptions } from './redis-link-options.js';
