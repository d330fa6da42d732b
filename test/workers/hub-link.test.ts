import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrokerLink } from '@socketcluster-ts/server';
import { type Hub, hubLink, openHub } from '@socketcluster-ts/server/workers';
import { afterTest, MemoryEngine, until, type WireClient, withDeadline } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import {
  CLUSTER_DEADLINE_MS,
  type ClusterNode,
  messages,
  publish,
  startCluster,
  startNode,
} from '../cluster/cluster-node.js';
import { checkDelivery } from '../cluster/delivery.js';
import { describeLink } from '../cluster/link-conformance.js';
import { stopProcess } from '../cluster/stop-process.js';
import { START_DEADLINE_MS } from './spawn-pool.js';

async function pathOfHub(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-'));
  afterTest(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'hub');
}

async function openAt(path: string, link?: BrokerLink): Promise<Hub> {
  const hub = await openHub(path, { link });
  afterTest(() => hub.close().catch(() => {}));
  return hub;
}

/** A hub in a process of its own, which can be stopped and killed. */
async function spawnHub(path: string): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('./hub-app.mjs', import.meta.url)), [path], { execArgv: [] });
  afterTest(() => child.kill('SIGKILL'));
  await withDeadline(once(child, 'message'), 'a hub', START_DEADLINE_MS);
  return child;
}

describeLink('The hub of a machine', async () => {
  const path = await pathOfHub();
  let hub = await spawnHub(path);
  return {
    link: () => hubLink(path),
    stop: async () => {
      hub.kill('SIGKILL');
      await once(hub, 'exit');
    },
    start: async () => {
      hub = await spawnHub(path);
    },
    pause: () => stopProcess(Number(hub.pid)),
    resume: () => void hub.kill('SIGCONT'),
  };
});

/** The nodes of two machines with a hub each, which one engine connects. */
async function twoMachines(engine: MemoryEngine): Promise<ClusterNode[]> {
  const machine = async (): Promise<ClusterNode[]> => {
    const path = await pathOfHub();
    await openAt(path, engine.link());
    return startCluster(() => hubLink(path), 2);
  };
  return [...(await machine()), ...(await machine())];
}

/** Publishes to the room until that has the wanted outcome. */
async function publishUntil(
  client: WireClient,
  data: string,
  outcome: 'accepted' | 'refused',
): Promise<void> {
  const end = performance.now() + CLUSTER_DEADLINE_MS;
  while (((await publish(client, 'room', data)) === undefined) !== (outcome === 'accepted')) {
    if (performance.now() > end) throw new Error(`Publishing was never ${outcome}`);
  }
}

describe('Hubs of two machines', () => {
  test('every message reaches every node once, in order per publisher', async () => {
    const nodes = await twoMachines(new MemoryEngine());
    const verdict = await checkDelivery(nodes, { channels: 5, messagesEach: 40 });
    expect(verdict).toEqual({ missing: 0, duplicates: 0, outOfOrder: 0, refused: 0 });
  });

  test('while the engine is away the nodes of a machine reach each other, and publishers are told', async () => {
    const engine = new MemoryEngine();
    const [one, two, far] = (await twoMachines(engine)) as [ClusterNode, ClusterNode, ClusterNode];
    const reader = await one.subscriber('room');
    const distant = await far.subscriber('room');
    const writer = await two.client();
    engine.stop();
    await publishUntil(writer, 'near', 'refused');
    expect(await publish(writer, 'room', 'near')).toContain('no connection to the other machines');
    await until(() => messages(reader, 'room').includes('near'));
    // A node that reaches only its own machine says so.
    expect(two.broker.status).toBe('degraded');
    expect(two.started.server.isReady).toBe(false);
    expect(two.started.server.status).toBe('degraded');
    engine.start();
    await publishUntil(writer, 'far', 'accepted');
    await until(() => messages(distant, 'room').includes('far'));
    await until(() => two.broker.status === 'connected', CLUSTER_DEADLINE_MS);
    // Those who may have missed something are told, on both machines.
    for (const client of [reader, distant]) {
      const gap = await client.next(({ event }) => event === '#gap');
      expect(gap.data).toEqual({ channel: 'room', dropped: null });
    }
    expect(messages(distant, 'room')).not.toContain('near');
  });
});

describe('A hub', () => {
  test('cuts off who sends something else, and serves the others', async () => {
    const path = await pathOfHub();
    await openAt(path);
    const [one, two] = (await startCluster(() => hubLink(path), 2)) as [ClusterNode, ClusterNode];
    const stranger = connect(path);
    const closed = new Promise((resolve) => stranger.once('close', resolve));
    stranger.on('error', () => {});
    stranger.write('GET / HTTP/1.1\r\n\r\n');
    await closed;
    const reader = await one.subscriber('room');
    expect(await publish(await two.client(), 'room', 1)).toBeUndefined();
    await until(() => messages(reader, 'room').length === 1);
  });

  test('is the only one at its path', async () => {
    const path = await pathOfHub();
    await openAt(path);
    await expect(openHub(path)).rejects.toThrow('EADDRINUSE');
    const [one] = (await startCluster(() => hubLink(path), 1)) as [ClusterNode];
    expect(await publish(await one.client(), 'room', 1)).toBeUndefined();
  });

  test('a link that is closed while it connects stays closed', async () => {
    const path = await pathOfHub();
    await openAt(path);
    const link = hubLink(path);
    const statuses: string[] = [];
    link.connect({
      onMessage: () => {},
      onStatus: (status) => void statuses.push(status),
      onLost: () => {},
      onError: () => {},
    });
    await link.close();
    const [one] = (await startCluster(() => hubLink(path), 1)) as [ClusterNode];
    expect(await publish(await one.client(), 'room', 1)).toBeUndefined();
    expect(statuses).toEqual(['closed']);
  });

  test('rejects when its path cannot be had', async () => {
    await expect(openHub('/nowhere/at/all')).rejects.toThrow(/ENOENT|EACCES/);
  });

  test('a node without a hub is degraded, and serves its clients', async () => {
    const node = await startNode(hubLink(await pathOfHub()));
    await until(() => node.broker.status === 'degraded', CLUSTER_DEADLINE_MS);
    const reader = await node.subscriber('room');
    const writer = await node.client();
    writer.transmit('#publish', { channel: 'room', data: 'hello' });
    await until(() => messages(reader, 'room').length === 1);
  });
});
