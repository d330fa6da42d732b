import type { BrokerLink } from '@socketcluster-ts/server';
import { ClusterLink } from './cluster-link.js';
import { type RedisLinkOptions, resolveRedisOptions } from './redis-link-options.js';
import { SingleLink } from './single-link.js';

/**
 * Connects a node to the others through Redis (6 or newer) or Valkey: one server, Sentinel, or a cluster (7 or newer) with sharded
 * pub/sub. Give it to `relayBroker()`, which connects, and closes it.
 *
 * Nothing is stored at the engine. A wrong address, password or version does not throw: the relay reports it as an `error`, which
 * names the setting, is degraded, and goes on to try.
 *
 * @throws {InvalidOptionsError} that names what was given and what is allowed
 */
export function redisLink(options: RedisLinkOptions): BrokerLink {
  const { target, prefix, timeout } = resolveRedisOptions(options);
  return target.kind === 'single'
    ? new SingleLink({ ...target, prefix, timeout })
    : new ClusterLink({ ...target, prefix, timeout });
}
