import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { redisLink } from '@socketcluster-ts/redis';
import { afterTest, startTcpRelay, until } from '@socketcluster-ts/testkit';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { CLUSTER_DEADLINE_MS, type ClusterNode, messages, publish, startNode } from './cluster-node.js';
import { startRedis } from './redis-server.js';

const HOST = '127.0.0.1';

const isConnected = ({ broker }: ClusterNode): boolean => broker.status === 'connected';
const isDegraded = ({ broker }: ClusterNode): boolean => broker.status === 'degraded';

test('an engine that does not answer is noticed without any traffic, and found again', async () => {
  const redis = await startRedis();
  const link = () => redisLink({ redis: { host: HOST, port: redis.port }, timeout: 200 });
  const nodes = [await startNode(link()), await startNode(link())] as const;
  await until(() => nodes.every(isConnected), CLUSTER_DEADLINE_MS);
  const [one, two] = nodes;
  const reader = await one.subscriber('room');
  const writer = await two.client();
  redis.signal('SIGSTOP');
  await until(() => nodes.every(isDegraded), CLUSTER_DEADLINE_MS);
  const waiting = publish(writer, 'room', 'while it slept');
  redis.signal('SIGCONT');
  await until(() => nodes.every(isConnected), CLUSTER_DEADLINE_MS);
  expect(await waiting).toBeUndefined();
  expect(await publish(writer, 'room', 'awake')).toBeUndefined();
  await until(() => messages(reader, 'room').includes('awake'));
  expect(messages(reader, 'room').filter((each) => each === 'awake')).toHaveLength(1);
});

test.each(['cut', 'silence'] as const)(
  'a network that fails (%s) costs messages of that time at most, each at most once',
  async (fault) => {
    const redis = await startRedis();
    const network = await startTcpRelay(redis.port);
    const near = await startNode(redisLink({ redis: { host: HOST, port: network.port }, timeout: 300 }), {
      ackTimeout: 1000,
    });
    const far = await startNode(redisLink({ redis: { host: HOST, port: redis.port }, timeout: 300 }), {
      ackTimeout: 1000,
    });
    await until(() => [near, far].every(isConnected), CLUSTER_DEADLINE_MS);
    const readers = [await near.subscriber('room'), await far.subscriber('room')] as const;
    const [nearClient, farClient] = [await near.client(), await far.client()];
    const outcomes = new Map<string, string | undefined>();
    const load = { isOn: true };
    const publishing = (async () => {
      for (let n = 0; load.isOn; n += 1) {
        await Promise.all(
          [nearClient, farClient].map(async (client, who) => {
            outcomes.set(`${who}/${n}`, await publish(client, 'room', [who, n]));
          }),
        );
      }
    })();
    for (let round = 0; round < 3; round += 1) {
      const before = outcomes.size;
      await until(() => outcomes.size > before + 20, CLUSTER_DEADLINE_MS);
      network[fault]();
      await until(() => isDegraded(near), CLUSTER_DEADLINE_MS);
      await until(() => isConnected(near), CLUSTER_DEADLINE_MS);
    }
    load.isOn = false;
    await publishing;
    expect(await publish(nearClient, 'room', 'end')).toBeUndefined();
    await until(() => messages(readers[1], 'room').includes('end'));
    const counts = [...outcomes.values()].filter((error) => error !== undefined);
    for (const [index, reader] of readers.entries()) {
      const received = messages(reader, 'room').filter(Array.isArray) as [number, number][];
      expect(new Set(received.map(String)).size, 'duplicates').toBe(received.length);
      for (const who of [0, 1]) {
        const numbers = received.filter(([from]) => from === who).map(([, n]) => n);
        expect(numbers, 'order').toEqual(numbers.toSorted((a, b) => a - b));
        // Nothing of a node's own clients is lost on the node.
        if (who === index) expect(numbers).toHaveLength(outcomes.size / 2);
      }
    }
    const { dropped, unconfirmed } = near.broker.stats;
    expect(counts.length).toBe(
      dropped + unconfirmed + far.broker.stats.dropped + far.broker.stats.unconfirmed,
    );
    expect(near.broker.stats.bufferedBytes).toBe(0);
  },
);

test('a connection that is lost alone takes the other with it: no channel is sent that nobody wants', async () => {
  const redis = await startRedis();
  const node = await startNode(redisLink({ redis: { host: HOST, port: redis.port } }), { grace: 60_000 });
  await until(() => isConnected(node), CLUSTER_DEADLINE_MS);
  const reader = await node.subscriber('kept');
  const guest = await node.subscriber('given up');
  await guest.call('#unsubscribe', 'given up');
  const admin = new Redis(redis.port, HOST);
  afterTest(() => admin.disconnect());
  expect(await admin.pubsub('CHANNELS')).toEqual(expect.arrayContaining(['sc:given up', 'sc:kept']));
  const clients = (await admin.client('LIST', 'TYPE', 'NORMAL')) as string;
  // The other of the two is the one that asks.
  const publisher = clients.split('\n').find((line) => !line.includes('cmd=client'));
  await admin.client('KILL', 'ID', /id=(\d+)/.exec(publisher ?? '')?.[1] ?? '');
  await until(() => isDegraded(node), CLUSTER_DEADLINE_MS);
  await until(() => isConnected(node), CLUSTER_DEADLINE_MS);
  const sent = await admin.pubsub('CHANNELS');
  expect(sent).toContain('sc:kept');
  expect(sent).not.toContain('sc:given up');
  expect(await publish(reader, 'kept', 1)).toBeUndefined();
});

test('Sentinel: the next master is found after a failover', async () => {
  const [master, replica] = [await startRedis(), await startRedis()];
  const admin = new Redis(replica.port, HOST);
  afterTest(() => admin.disconnect());
  await admin.replicaof(HOST, master.port);
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-'));
  afterTest(() => {
    rmSync(folder, { recursive: true });
  });
  const config = join(folder, 'sentinel.conf');
  writeFileSync(
    config,
    [
      `sentinel monitor main ${HOST} ${master.port} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 3000',
      '',
    ].join('\n'),
  );
  const sentinel = await startRedis({ first: [config], args: ['--sentinel'] });
  const sentinels = [{ host: HOST, port: sentinel.port }];
  const link = () => redisLink({ redis: { sentinels, name: 'main' }, timeout: 500 });
  const nodes = [await startNode(link(), { ackTimeout: 20_000 }), await startNode(link())] as const;
  await until(() => nodes.every(isConnected), CLUSTER_DEADLINE_MS);
  const reader = await nodes[0].subscriber('room');
  const writer = await nodes[1].client();
  expect(await publish(writer, 'room', 1)).toBeUndefined();
  const observer = new Redis(sentinel.port, HOST);
  afterTest(() => observer.disconnect());
  // Sentinel has to know the replica before it can choose it.
  await expect
    .poll(async () => ((await observer.call('SENTINEL', 'REPLICAS', 'main')) as unknown[]).length, {
      timeout: 15_000,
    })
    .toBe(1);
  await master.kill();
  await until(() => nodes.every(isDegraded), CLUSTER_DEADLINE_MS);
  await until(() => nodes.every(isConnected), 20_000);
  expect(await publish(writer, 'room', 2)).toBeUndefined();
  await until(() => messages(reader, 'room').includes(2));
  expect(messages(reader, 'room')).toEqual([1, 2]);
}, 60_000);
