import { redisLink } from '@socketcluster-ts/redis';
import { afterTest, until } from '@socketcluster-ts/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Shard } from '../../packages/redis/src/shard.js';
import { CLUSTER_DEADLINE_MS, messages, publish, startNode } from './cluster-node.js';
import { type RedisCluster, startRedisCluster } from './redis-cluster.js';

const ends: (() => Promise<void>)[] = [];
let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster(3, { atEnd: (end) => ends.push(end) });
}, 60_000);

afterAll(async () => {
  for (const end of ends) await end();
});

test('a channel that its server has dropped is missed, also when the server has the slot again at once', async () => {
  const nodes = cluster.servers.map(({ port }) => ({ host: '127.0.0.1', port }));
  const node = await startNode(redisLink({ cluster: { nodes } }));
  await until(() => node.broker.status === 'connected', CLUSTER_DEADLINE_MS);
  const reader = await node.subscriber('room');
  const { slot, owner } = await cluster.slotOf('room');
  // The owner forgets who is subscribed, and goes on to own the slot.
  await cluster.command(
    owner,
    'cluster',
    'setslot',
    `${slot}`,
    'node',
    await cluster.command(owner, 'cluster', 'myid'),
  );
  expect((await reader.next(({ event }) => event === '#gap')).data).toEqual({
    channel: 'room',
    dropped: null,
  });
  expect(await cluster.command(owner, 'pubsub', 'shardnumsub', 'sc:room')).toContain('1');
  expect(await publish(reader, 'room', 'again')).toBeUndefined();
  await until(() => messages(reader, 'room').includes('again'));
});

test('a message at a server that has not heard that it lost the slot is missed, and not taken for one of the next owner', async () => {
  const { slot, owner } = await cluster.slotOf('stray');
  const client = new Redis(owner.port, '127.0.0.1', { lazyConnect: true, replyMapping: 'legacy' });
  const seen: string[] = [];
  const shard = new Shard(client, 5000, {
    onMessage: (name, message) => seen.push(`${name}: ${message.toString()}`),
    onLost: (names) => seen.push(`lost ${names.join()}`),
  });
  afterTest(() => shard.end());
  await shard.subscribe('sc:stray', slot);
  const send = (text: string): Promise<string> => cluster.command(owner, 'spublish', 'sc:stray', text);
  await send('one');
  await until(() => seen.length === 1);
  shard.keepOnly((other) => other !== slot);
  expect(shard.hasStrays).toBe(true);
  await send('two');
  await until(() => seen.length === 3);
  await shard.subscribe('sc:stray', slot);
  await send('three');
  await until(() => seen.length === 4);
  expect(seen).toEqual(['sc:stray: one', 'lost sc:stray', 'lost sc:stray', 'sc:stray: three']);
  expect(shard.hasStrays).toBe(false);
});
