import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { freePort, programPath } from '@socketcluster-ts/testkit';
import { type EngineProcess } from './engine-process.js';
import { type RedisServerOptions, startRedis } from './redis-server.js';

const run = promisify(execFile);

/** A Redis Cluster of the current test: three masters. */
export interface RedisCluster {
  readonly servers: readonly EngineProcess[];
  /** Sends a command to one of the servers; gives the answer as text. */
  command(server: EngineProcess, ...args: string[]): Promise<string>;
  /** Resolves when every server takes the cluster to be whole. */
  whole(): Promise<void>;
  /** The slot of a channel of a link with the usual prefix, and the server that owns it now. */
  slotOf(channel: string): Promise<{ slot: number; owner: EngineProcess }>;
  /** Gives a slot of one server to another, as resharding does. */
  move(slot: number, from: EngineProcess, to: EngineProcess): Promise<void>;
}

/** Starts the servers and joins them. */
export async function startRedisCluster(
  size: number = 3,
  options: Pick<RedisServerOptions, 'atEnd'> = {},
): Promise<RedisCluster> {
  const servers: EngineProcess[] = [];
  for (let n = 0; n < size; n += 1) {
    const busPort = await freePort();
    const args = [
      '--cluster-enabled',
      'yes',
      '--cluster-config-file',
      'nodes.conf',
      '--cluster-port',
      `${busPort}`,
    ];
    const settings = ['--cluster-node-timeout', '2000', '--cluster-require-full-coverage', 'no'];
    servers.push(await startRedis({ ...options, args: [...args, ...settings] }));
  }
  const cli = programPath('redis-cli');
  const command = async (server: EngineProcess, ...args: string[]): Promise<string> => {
    const { stdout } = await run(cli, ['-p', `${server.port}`, ...args], { timeout: 20_000 });
    return stdout.trim();
  };
  const whole = async (): Promise<void> => {
    for (let tries = 0; tries < 400; tries += 1) {
      const infos = await Promise.all(
        servers.map((server) => command(server, 'cluster', 'info').catch(() => '')),
      );
      if (infos.every((info) => info.includes('cluster_state:ok') && info.includes(`cluster_size:${size}`)))
        return;
    }
    throw new Error('The cluster did not become whole');
  };
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
  await run(cli, ['--cluster', 'create', ...addresses, '--cluster-yes'], { timeout: 30_000 });
  await whole();
  return {
    servers,
    command,
    whole,
    async slotOf(channel) {
      const [any] = servers as [EngineProcess];
      const slot = Number(await command(any, 'cluster', 'keyslot', `sc:${channel}`));
      for (const line of (await command(any, 'cluster', 'nodes')).split('\n')) {
        const [, address = '', , , , , , , ...ranges] = line.split(' ');
        const owns = ranges.some((range) => {
          const [from = NaN, to = from] = range.split('-').map(Number);
          return slot >= from && slot <= to;
        });
        const owner = servers.find(({ port }) => address.includes(`:${port}@`));
        if (owns && owner !== undefined) return { slot, owner };
      }
      throw new Error(`Nobody owns ${channel}`);
    },
    async move(slot, from, to) {
      const source = await command(from, 'cluster', 'myid');
      const target = await command(to, 'cluster', 'myid');
      await command(to, 'cluster', 'setslot', `${slot}`, 'importing', source);
      await command(from, 'cluster', 'setslot', `${slot}`, 'migrating', target);
      for (const server of [to, from, ...servers]) {
        await command(server, 'cluster', 'setslot', `${slot}`, 'node', target);
      }
    },
  };
}
