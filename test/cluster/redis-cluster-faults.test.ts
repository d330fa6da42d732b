import { redisLink } from '@socketcluster-ts/redis';
import { until } from '@socketcluster-ts/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keySlot } from '../../packages/redis/src/key-slot.js';
import {
  CLUSTER_DEADLINE_MS,
  type ClusterNode,
  messages,
  publish,
  startCluster,
  subscribe,
} from './cluster-node.js';
import type { EngineProcess } from './engine-process.js';
import { type RedisCluster, startRedisCluster } from './redis-cluster.js';

const ends: (() => Promise<void>)[] = [];
let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster(3, { atEnd: (end) => ends.push(end) });
}, 60_000);

afterAll(async () => {
  for (const end of ends) await end();
});

function startNodes(size: number): Promise<ClusterNode[]> {
  const nodes = cluster.servers.map(({ port }) => ({ host: '127.0.0.1', port }));
  return startCluster(() => redisLink({ cluster: { nodes }, timeout: 1000 }), size, { ackTimeout: 3000 });
}

/** Which server owns the slot of a channel now. */
async function ownerOf(channel: string): Promise<EngineProcess> {
  const slot = keySlot(`sc:${channel}`);
  const [any] = cluster.servers as [EngineProcess];
  for (const line of (await cluster.command(any, 'cluster', 'nodes')).split('\n')) {
    const [, address = '', , , , , , , ...ranges] = line.split(' ');
    const owns = ranges.some((range) => {
      const [from = NaN, to = from] = range.split('-').map(Number);
      return slot >= from && slot <= to;
    });
    const found = cluster.servers.find(({ port }) => address.includes(`:${port}@`));
    if (owns && found !== undefined) return found;
  }
  throw new Error(`Nobody owns ${channel}`);
}

/** A channel of each server. */
async function channelsOfServers(prefix: string): Promise<Map<EngineProcess, string>> {
  const channels = new Map<EngineProcess, string>();
  for (let n = 0; channels.size < cluster.servers.length; n += 1) {
    const owner = await ownerOf(`${prefix}${n}`);
    if (!channels.has(owner)) channels.set(owner, `${prefix}${n}`);
  }
  return channels;
}

test('the slot of a name is the one that Redis computes', async () => {
  const [server] = cluster.servers as [EngineProcess];
  const name = fc.string({
    unit: fc.constantFrom('a', 'b', '{', '}', 'ü', '😀'),
    minLength: 1,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(name, async (key) => {
      expect(`${keySlot(key)}`).toBe(await cluster.command(server, 'cluster', 'keyslot', key));
    }),
    { numRuns: 60, examples: [['{}{a}'], ['{a}b{c}'], ['}{a}'], ['a{']] },
  );
});

test('a slot that moves under load: nothing twice, nothing out of order, and the channel goes on', async () => {
  const [one, two] = (await startNodes(2)) as [ClusterNode, ClusterNode];
  const reader = await one.subscriber('moving');
  const unconcerned = await one.subscriber('staying');
  const { exchange } = two.started.server;
  const outcomes: Promise<string>[] = [];
  const load = { isOn: true };
  const publishing = (async () => {
    for (let n = 0; load.isOn; n += 1) {
      outcomes.push(exchange.invokePublish('moving', n).then(() => '', String));
      if (n % 10 === 9) await outcomes.at(-1);
    }
  })();
  for (let round = 0; round < 4; round += 1) {
    const received = messages(reader, 'moving').length;
    await until(() => messages(reader, 'moving').length > received + 50, CLUSTER_DEADLINE_MS);
    const from = await ownerOf('moving');
    const to = cluster.servers.find((server) => server !== from) as EngineProcess;
    await cluster.move(keySlot('sc:moving'), from, to);
    expect(await ownerOf('moving')).toBe(to);
  }
  const received = messages(reader, 'moving').length;
  await until(() => messages(reader, 'moving').length > received + 50, CLUSTER_DEADLINE_MS);
  load.isOn = false;
  await publishing;
  await until(() => one.broker.status === 'connected');
  expect(await Promise.all(outcomes)).toEqual(outcomes.map(() => ''));
  await exchange.invokePublish('moving', -1);
  await until(() => messages(reader, 'moving').includes(-1));
  const numbers = messages(reader, 'moving').slice(0, -1) as number[];
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
  const gaps = reader.received.filter(({ event }) => event === '#gap').length;
  // Whoever missed something was told of it.
  if (numbers.length < outcomes.length) expect(gaps).toBeGreaterThan(0);
  expect(unconcerned.received.filter(({ event }) => event === '#gap')).toEqual([]);
}, 60_000);

test('one server of the cluster is lost: the channels of the others are not concerned, its own come back with it', async () => {
  const [one, two] = (await startNodes(2)) as [ClusterNode, ClusterNode];
  const channels = await channelsOfServers('member/');
  const reader = await one.client();
  for (const channel of channels.values()) await subscribe(reader, channel);
  const writer = await two.client();
  const [lost] = channels.keys() as unknown as [EngineProcess];
  const own = channels.get(lost) as string;
  const others = [...channels.values()].filter((channel) => channel !== own);
  await lost.kill();
  await until(() => one.broker.status === 'degraded', CLUSTER_DEADLINE_MS);
  for (const channel of others) expect(await publish(writer, channel, 'meanwhile')).toBeUndefined();
  expect(await publish(writer, own, 'meanwhile')).toMatch(/BrokerError/);
  await until(() => others.every((channel) => messages(reader, channel).length === 1));
  await lost.start();
  await cluster.whole();
  await until(() => one.broker.status === 'connected' && two.broker.status === 'connected', 15_000);
  await expect.poll(() => publish(writer, own, 'again'), { timeout: 10_000 }).toBeUndefined();
  await until(() => messages(reader, own).length > 0);
  expect(new Set(messages(reader, own))).toEqual(new Set(['again']));
  const told = reader.received.filter(({ event }) => event === '#gap').map(({ data }) => data);
  expect(told).toEqual([{ channel: own, dropped: null }]);
}, 60_000);
