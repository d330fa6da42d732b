import type { EnginePlace, EngineProcess } from '../cluster/engine-process.js';
import { startNats } from '../cluster/nats-server.js';
import { startRedis } from '../cluster/redis-server.js';
import type { Membership } from './fault-server.js';

/** An engine that connects the nodes of a cluster. */
export interface Engine {
  readonly name: string;
  /** Tells its rows from those of the other ones. */
  readonly letter: string;
  start(place?: EnginePlace): Promise<EngineProcess>;
  /** How a node reaches the engine; the link's times are its defaults. */
  membership(port: number, host?: string): Membership;
}

/** One Redis server. */
export const REDIS: Engine = {
  name: 'Redis',
  letter: 'a',
  start: (place) => startRedis(place === undefined ? {} : { place }),
  membership: (port, host = '127.0.0.1') => ({ engine: 'redis', link: { redis: { host, port } } }),
};

/** One NATS server. */
export const NATS: Engine = {
  name: 'NATS',
  letter: 'b',
  start: (place) => startNats([], undefined, place),
  membership: (port, host = '127.0.0.1') => ({ engine: 'nats', link: { servers: `nats://${host}:${port}` } }),
};

/** The engines that a cluster can have, each as one server. */
export const ENGINES: readonly Engine[] = [REDIS, NATS];
