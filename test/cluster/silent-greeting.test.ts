import { natsLink } from '@socketcluster-ts/nats';
import { redisLink } from '@socketcluster-ts/redis';
import type { BrokerLink } from '@socketcluster-ts/server';
import { startTcpRelay, until } from '@socketcluster-ts/testkit';
import { expect, test } from 'vitest';
import { CLUSTER_DEADLINE_MS, messages, publish, startNode } from './cluster-node.js';
import { startNats } from './nats-server.js';
import { startRedis } from './redis-server.js';

const LINKS: [string, () => Promise<{ port: number }>, (port: number) => BrokerLink][] = [
  ['Redis', () => startRedis(), (port) => redisLink({ redis: { host: '127.0.0.1', port }, timeout: 300 })],
  [
    'NATS',
    () => startNats(),
    (port) => natsLink({ servers: `127.0.0.1:${port}`, timeout: 300, pingInterval: 300 }),
  ],
];

test.each(LINKS)(
  '%s: a connection that is taken and then falls silent, before it can be used, is given up',
  async (_, start, link) => {
    const { port } = await start();
    const relay = await startTcpRelay(port);
    relay.blackhole(true);
    const node = await startNode(link(relay.port));
    await until(() => node.broker.status === 'degraded', CLUSTER_DEADLINE_MS);
    // The connections that were made meanwhile stay silent.
    relay.blackhole(false);
    await until(() => node.broker.status === 'connected', CLUSTER_DEADLINE_MS);
    const reader = await node.subscriber('room');
    const other = await startNode(link(port));
    await until(() => other.broker.status === 'connected', CLUSTER_DEADLINE_MS);
    expect(await publish(await other.client(), 'room', 1)).toBeUndefined();
    await until(() => messages(reader, 'room').length === 1, CLUSTER_DEADLINE_MS);
  },
);
