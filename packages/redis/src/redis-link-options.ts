import { InvalidOptionsError } from '@socketcluster-ts/server';
import { Cluster, type ClusterNode, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import type { ConnectionSettings } from './watched-client.js';

/** Several ways to say where Redis or Valkey is: exactly one of `url`, `redis`, `cluster` and `client`. */
export interface RedisLinkOptions {
  /** One server, such as `'redis://user:password@host:6379/0'`; `rediss:` for TLS. */
  readonly url?: string;
  /** One server or Sentinel, as ioredis takes it: `host`, `port`, `username`, `password`, `tls`, `sentinels`, `name` and more. */
  readonly redis?: RedisOptions;
  /** A cluster: some of its nodes, and options as ioredis takes them (`redisOptions` for passwords and TLS). Redis 7 or newer. */
  readonly cluster?: { readonly nodes: readonly ClusterNode[]; readonly options?: ClusterOptions };
  /** A client of yours. The link makes connections of its own like it; yours stays yours, and open. */
  readonly client?: Redis | Cluster;
  /**
   * Begins the names of all channels at the engine.
   * @default 'sc:'
   */
  readonly prefix?: string;
  /**
   * Milliseconds after which a server that does not answer is taken to be gone.
   * @default 5000
   */
  readonly timeout?: number;
}

/** Where the engine is. */
export type RedisTarget =
  | {
      readonly kind: 'single';
      readonly create: (override: ConnectionSettings) => Redis;
      readonly named: string;
    }
  | {
      readonly kind: 'cluster';
      readonly create: (override: ClusterOptions, each: ConnectionSettings) => Cluster;
      readonly named: string;
    };

/** The options, checked. */
export interface ResolvedRedisOptions {
  readonly target: RedisTarget;
  readonly prefix: string;
  readonly timeout: number;
}

const NAMES = ['url', 'redis', 'cluster', 'client', 'prefix', 'timeout'];
const TARGETS = ['url', 'redis', 'cluster', 'client'] as const;

/**
 * Checks what was given and fills in the defaults.
 * @throws {InvalidOptionsError} that names the option, what was given and what is allowed
 */
export function resolveRedisOptions(options: RedisLinkOptions): ResolvedRedisOptions {
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    throw new InvalidOptionsError(
      `redisLink() has no option ${JSON.stringify(unknown)}: it has ${NAMES.join(', ')}`,
    );
  }
  const { prefix = 'sc:', timeout = 5000 } = options;
  if (typeof prefix !== 'string') throw wrong('prefix', prefix, 'a string');
  if (typeof timeout !== 'number' || !(timeout >= 100 && timeout <= 600_000)) {
    throw wrong('timeout', timeout, 'milliseconds from 100 to 600000');
  }
  return { target: targetOf(options), prefix, timeout };
}

function targetOf(options: RedisLinkOptions): RedisTarget {
  const given = TARGETS.filter((name) => options[name] !== undefined);
  if (given.length !== 1) {
    const got = given.length === 0 ? 'none' : given.join(' and ');
    throw new InvalidOptionsError(
      `redisLink() needs exactly one of the options ${TARGETS.join(', ')} - Got ${got}`,
    );
  }
  const { url, redis, cluster, client } = options;
  if (url !== undefined) return ofUrl(url);
  if (redis !== undefined) {
    if (typeof redis !== 'object' || redis === null)
      throw wrong('redis', redis, 'an object of options of ioredis');
    return {
      kind: 'single',
      create: (override) => new Redis({ ...redis, ...override }),
      named: addressOf(redis),
    };
  }
  if (cluster !== undefined) return ofCluster(cluster);
  if (client instanceof Cluster) {
    return {
      kind: 'cluster',
      create: (override, redisOptions) => client.duplicate([], { ...override, redisOptions }),
      named: 'the cluster of the option client',
    };
  }
  if (client instanceof Redis) {
    return {
      kind: 'single',
      create: (override) => client.duplicate(override),
      named: `${addressOf(client.options)} (option client)`,
    };
  }
  throw wrong('client', client, 'a Redis or Cluster of ioredis 6');
}

function ofUrl(url: unknown): RedisTarget {
  let parsed: URL | undefined;
  if (typeof url === 'string' && URL.canParse(url)) parsed = new URL(url);
  if (parsed?.protocol !== 'redis:' && parsed?.protocol !== 'rediss:') {
    throw wrong(
      'url',
      parsed === undefined ? url : `${parsed.protocol}//…`,
      'a URL that begins with redis: or rediss:',
    );
  }
  return {
    kind: 'single',
    create: (override) => new Redis(url as string, override),
    // Without the password.
    named: `${parsed.host} (option url)`,
  };
}

function ofCluster(cluster: NonNullable<RedisLinkOptions['cluster']>): RedisTarget {
  const { nodes, options } = cluster;
  if (!Array.isArray(nodes) || nodes.length === 0) {
    throw wrong('cluster.nodes', nodes, "an array of nodes, such as [{host: '10.0.0.1', port: 6379}]");
  }
  return {
    kind: 'cluster',
    create: (override, each) =>
      new Cluster([...nodes], {
        ...options,
        ...override,
        redisOptions: { ...options?.redisOptions, ...each },
      }),
    named: 'the cluster of the option cluster.nodes',
  };
}

function addressOf({ sentinels, name, path, host = 'localhost', port = 6379 }: RedisOptions): string {
  if (sentinels !== undefined && sentinels !== null) {
    return `the master ${JSON.stringify(name)} of the sentinels (options redis.sentinels, redis.name)`;
  }
  return path === undefined || path === null
    ? `${host}:${port} (options redis.host, redis.port)`
    : `${path} (option redis.path)`;
}

function wrong(name: string, value: unknown, allowed: string): InvalidOptionsError {
  const got = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return new InvalidOptionsError(`The option ${name} of redisLink() must be ${allowed} - Got ${got}`);
}
