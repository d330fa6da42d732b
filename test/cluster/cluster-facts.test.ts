import { randomBytes } from 'node:crypto';
import type { BrokerLink } from '@socketcluster-ts/server';
import { afterTest, MemoryEngine, until, type WireClient } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import {
  CLUSTER_DEADLINE_MS,
  type ClusterNode,
  publish,
  startCluster,
  startNode,
  subscribe,
} from './cluster-node.js';

/** Waits until every node knows all of them. */
async function acquainted(nodes: readonly ClusterNode[], size: number = nodes.length): Promise<void> {
  await until(
    () => nodes.every(({ started }) => started.server.exchange.cluster().length === size),
    CLUSTER_DEADLINE_MS,
  );
}

/** A client whose token names a user. */
async function loggedIn(node: ClusterNode, sub: string): Promise<WireClient> {
  const client = await node.client();
  await node.started.server.clients[client.id]?.setAuthToken({ sub });
  await client.next(({ event }) => event === '#setAuthToken');
  return client;
}

/** A message to all servers in the envelope of `docs/scaling.md`, as a node sends it that says nothing else. */
function envelope(node: Buffer, message: object): Buffer {
  const text = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(19);
  head[0] = 1;
  head[1] = 14;
  node.copy(head, 2);
  head.writeUInt32BE(1, 10);
  head.writeUInt32BE(text.length, 15);
  return Buffer.concat([head, text]);
}

/** Joins the cluster as a node that says that it is there, and then answers nothing. Gives its id. */
async function silentNode(link: BrokerLink): Promise<string> {
  const node = randomBytes(8);
  await new Promise<void>((resolve) => {
    link.connect({
      onMessage: () => {},
      onStatus: (status) => {
        if (status === 'connected') resolve();
      },
      onLost: () => {},
      onError: () => {},
    });
  });
  afterTest(() => link.close());
  await link.publish('#socketcluster/nodes', envelope(node, { type: 'beat', load: { clients: 7 } }));
  return node.toString('hex');
}

describe('exchange.cluster()', () => {
  test('a server without a cluster lists itself', async () => {
    const { started } = await startNode(new MemoryEngine().link());
    const [self, ...others] = started.server.exchange.cluster();
    expect(others).toEqual([]);
    expect(self).toMatchObject({ isSelf: true, ageMs: 0, load: { clients: 0, users: 0, channels: 0 } });
    expect(self?.load.rssBytes).toBeGreaterThan(1_000_000);
  });

  test('lists every node with its load, and forgets one that ends', async () => {
    const engine = new MemoryEngine();
    const [one, two] = (await startCluster(() => engine.link(), 2)) as [ClusterNode, ClusterNode];
    await loggedIn(two, 'ada');
    await two.subscriber('room');
    const three = await startNode(engine.link());
    await acquainted([one, two, three]);
    const seen = one.started.server.exchange.cluster();
    expect(seen.map(({ id }) => id).toSorted()).toEqual(
      [one, two, three].map(({ broker }) => broker.nodeId).toSorted(),
    );
    expect(seen.filter(({ isSelf }) => isSelf).map(({ id }) => id)).toEqual([one.broker.nodeId]);
    await until(
      () =>
        one.started.server.exchange.cluster().find(({ id }) => id === two.broker.nodeId)?.load.clients === 2,
      CLUSTER_DEADLINE_MS,
    );
    expect(
      one.started.server.exchange.cluster().find(({ id }) => id === two.broker.nodeId)?.load,
    ).toMatchObject({ clients: 2, users: 1, channels: 1 });
    await three.broker.close();
    await acquainted([one, two], 2);
  });

  test('nodes that lost the engine find each other again', async () => {
    const engine = new MemoryEngine();
    const nodes = await startCluster(() => engine.link(), 2);
    await acquainted(nodes);
    engine.stop();
    await until(() => nodes.every(({ broker }) => broker.status === 'degraded'), CLUSTER_DEADLINE_MS);
    engine.start();
    const three = await startNode(engine.link());
    await acquainted([...nodes, three]);
  });
});

describe('exchange.channelInfo()', () => {
  test('counts the clients that are subscribed, on all nodes', async () => {
    const engine = new MemoryEngine();
    const [one, two] = (await startCluster(() => engine.link(), 2)) as [ClusterNode, ClusterNode];
    await acquainted([one, two]);
    await one.subscriber('room');
    await two.subscriber('room');
    await two.subscriber('room');
    two.started.server.exchange.subscribe('room');
    await until(() => two.started.server.exchange.isSubscribed('room'));
    for (const { started } of [one, two]) {
      expect(await started.server.exchange.channelInfo('room')).toEqual({
        channel: 'room',
        subscribers: 3,
        nodes: { [one.broker.nodeId]: 1, [two.broker.nodeId]: 2 },
        complete: true,
        missing: [],
      });
    }
    expect(await one.started.server.exchange.channelInfo('__proto__')).toMatchObject({ subscribers: 0 });
  });

  test('says who did not answer', async () => {
    const engine = new MemoryEngine();
    const one = await startNode(engine.link());
    await one.subscriber('room');
    const silent = await silentNode(engine.link());
    await acquainted([one], 2);
    expect(await one.started.server.exchange.channelInfo('room')).toEqual({
      channel: 'room',
      subscribers: 1,
      nodes: { [one.broker.nodeId]: 1 },
      complete: false,
      missing: [silent],
    });
  });
});

describe('server.users() acts on the whole cluster', () => {
  async function twoNodes(): Promise<{
    one: ClusterNode;
    two: ClusterNode;
    ada: WireClient;
    bob: WireClient;
  }> {
    const engine = new MemoryEngine();
    const [one, two] = (await startCluster(() => engine.link(), 2)) as [ClusterNode, ClusterNode];
    await acquainted([one, two]);
    return { one, two, ada: await loggedIn(two, 'ada'), bob: await loggedIn(two, 'bob') };
  }

  test('transmit()', async () => {
    const { one, ada, bob } = await twoNodes();
    const here = await loggedIn(one, 'ada');
    expect(await one.started.server.users('ada').transmit('note', { text: 'hello' })).toBe(2);
    for (const client of [ada, here])
      expect((await client.next(({ event }) => event === 'note')).data).toEqual({ text: 'hello' });
    expect(bob.received.filter(({ event }) => event === 'note')).toEqual([]);
    expect(await one.started.server.users('nobody').transmit('note')).toBe(0);
  });

  test('kickOut(), deauthenticate(), disconnect()', async () => {
    const { one, two, ada, bob } = await twoNodes();
    await subscribe(ada, 'room');
    await subscribe(bob, 'room');
    expect(await one.started.server.users('ada').kickOut('room', 'Enough')).toBe(1);
    expect((await ada.next(({ event }) => event === '#kickOut')).data).toEqual({
      channel: 'room',
      message: 'Enough',
    });
    expect(await one.started.server.users('ada').deauthenticate()).toBe(1);
    await ada.next(({ event }) => event === '#removeAuthToken');
    expect(two.started.server.usersCount).toBe(1);
    expect(await one.started.server.users('bob').disconnect(4100, 'Banned')).toBe(1);
    expect(await bob.ended()).toEqual({ code: 4100, reason: 'Banned' });
  });

  test('rejects when a node did not answer, and names it; the others have acted', async () => {
    const engine = new MemoryEngine();
    const one = await startNode(engine.link(), {}, { ackTimeout: 300 });
    const two = await startNode(engine.link());
    const silent = await silentNode(engine.link());
    await acquainted([one], 3);
    const ada = await loggedIn(two, 'ada');
    await expect(one.started.server.users('ada').disconnect(4100, 'Banned')).rejects.toThrow(
      `no answer within 300 ms from node ${silent}`,
    );
    expect((await ada.ended()).code).toBe(4100);
  });
});

test('no client reaches the channels of the servers', async () => {
  const engine = new MemoryEngine();
  const [one] = (await startCluster(() => engine.link(), 2)) as [ClusterNode];
  const client = await one.client();
  const { error } = await client.call('#subscribe', { channel: '#socketcluster/nodes' });
  expect(error?.message).toContain('belongs to the servers of the cluster');
  expect(await publish(client, '#socketcluster/nodes', { type: 'bye' })).toContain(
    'belongs to the servers of the cluster',
  );
});
