import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { connect as connectNats } from '@nats-io/transport-node';
import { natsLink } from '@socketcluster-ts/nats';
import type { BrokerLink, LinkStatus } from '@socketcluster-ts/server';
import { afterTest, freePort, until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import {
  CLUSTER_DEADLINE_MS,
  type ClusterNode,
  messages,
  publish,
  startCluster,
  startNode,
} from './cluster-node.js';
import { checkDelivery } from './delivery.js';
import type { EngineProcess } from './engine-process.js';
import { describeLink, type EngineUnderTest } from './link-conformance.js';
import { startNats, startNatsCluster } from './nats-server.js';

const address = ({ port }: EngineProcess): string => `nats://127.0.0.1:${port}`;

async function engine(): Promise<EngineUnderTest> {
  const server = await startNats();
  return {
    link: () => natsLink({ servers: address(server), pingInterval: 500 }),
    stop: () => server.kill(),
    start: () => server.start(),
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
  };
}

describeLink('NATS', engine);

/** What a link reports, for as long as the current test runs. */
function watch(link: BrokerLink): { statuses: LinkStatus[]; errors: string[]; lost: string[] } {
  const seen = { statuses: [] as LinkStatus[], errors: [] as string[], lost: [] as string[] };
  link.connect({
    onMessage: () => {},
    onStatus: (status, error) => {
      seen.statuses.push(status);
      if (error !== undefined) seen.errors.push(error.message);
    },
    onLost: (channels) => seen.lost.push(...channels),
    onError: (error) => seen.errors.push(error.message),
  });
  afterTest(() => link.close());
  return seen;
}

describe('NATS: a cluster of three servers', () => {
  test('every message once, in order per publisher, with a node at each server', async () => {
    const servers = await startNatsCluster(3);
    const nodes = await Promise.all(
      servers.map((server) => startNode(natsLink({ servers: address(server), pingInterval: 500 }))),
    );
    await until(() => nodes.every(({ broker }) => broker.status === 'connected'), CLUSTER_DEADLINE_MS);
    // Interest travels between the servers after it was confirmed by one.
    const [one, two] = nodes as [ClusterNode, ClusterNode];
    const reader = await one.subscriber('routes');
    const writer = await two.client();
    const end = performance.now() + CLUSTER_DEADLINE_MS;
    while (messages(reader, 'routes').length === 0 && performance.now() < end) {
      expect(await publish(writer, 'routes', 'hello')).toBeUndefined();
    }
    const verdict = await checkDelivery(nodes, { channels: 5, messagesEach: 40 });
    expect(verdict).toEqual({ missing: 0, duplicates: 0, outOfOrder: 0, refused: 0 });
  });

  test('a node whose server is killed goes on at another one', async () => {
    const servers = await startNatsCluster(3);
    const all = servers.map(address);
    const [one, two] = (await startCluster(
      () => natsLink({ servers: all, noRandomize: true, pingInterval: 500 }),
      2,
    )) as [ClusterNode, ClusterNode];
    const reader = await one.subscriber('room');
    const writer = await two.client();
    await servers[0]?.kill();
    await until(() => [one, two].every(({ log }) => log.of('status').length > 1), CLUSTER_DEADLINE_MS);
    await until(() => [one, two].every(({ broker }) => broker.status === 'connected'), CLUSTER_DEADLINE_MS);
    expect((await reader.next(({ event }) => event === '#gap')).data).toEqual({
      channel: 'room',
      dropped: null,
    });
    expect(await publish(writer, 'room', 'after')).toBeUndefined();
    await until(() => messages(reader, 'room').includes('after'), CLUSTER_DEADLINE_MS);
  });
});

describe('NATS: a connection of the application', () => {
  test('is used, survives a restart of the server, and is not closed', async () => {
    const server = await startNats();
    const connection = await connectNats({
      servers: address(server),
      maxReconnectAttempts: -1,
      reconnectTimeWait: 50,
    });
    afterTest(() => connection.close());
    const node = await startNode(natsLink({ connection }));
    const other = await startNode(natsLink({ servers: address(server) }));
    const reader = await node.subscriber('room');
    const writer = await other.client();
    expect(await publish(writer, 'room', 1)).toBeUndefined();
    await until(() => messages(reader, 'room').length === 1);
    await server.kill();
    await until(() => node.broker.status === 'degraded', CLUSTER_DEADLINE_MS);
    await server.start();
    await until(
      () => [node, other].every(({ broker }) => broker.status === 'connected'),
      CLUSTER_DEADLINE_MS,
    );
    expect(await publish(writer, 'room', 2)).toBeUndefined();
    await until(() => messages(reader, 'room').includes(2), CLUSTER_DEADLINE_MS);
    await node.broker.close();
    expect(connection.isClosed()).toBe(false);
  });
});

describe('NATS: what is wrong is said once, and names the option', () => {
  test('an address where nobody is', async () => {
    const port = await freePort();
    const { errors } = watch(natsLink({ servers: `127.0.0.1:${port}` }));
    await until(() => errors.length > 0, CLUSTER_DEADLINE_MS);
    expect(errors[0]).toMatch(/NATS cannot be reached at 127\.0\.0\.1:\d+ .*check the option servers/);
  });

  test('a wrong password', async () => {
    const server = await startNats(['--user', 'ada', '--pass', 'right']);
    const { errors } = watch(natsLink({ servers: address(server), user: 'ada', pass: 'wrong' }));
    await until(() => errors.length > 0, CLUSTER_DEADLINE_MS);
    expect(errors[0]).toMatch(
      /refused the credentials .*check the options user, pass, token or authenticator/,
    );
    const right = watch(natsLink({ servers: address(server), user: 'ada', pass: 'right' }));
    await until(() => right.statuses.includes('connected'), CLUSTER_DEADLINE_MS);
  });

  test('a server that is too old (a stub that says so)', async () => {
    const stub = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('INFO {"server_id":"old","version":"1.4.1","proto":1,"max_payload":1048576}\r\n');
      socket.on('data', (data) => {
        if (String(data).includes('PING')) socket.write('PONG\r\n');
      });
    }).listen(0, '127.0.0.1');
    afterTest(() => {
      stub.close();
    });
    await until(() => stub.listening);
    const { port } = stub.address() as AddressInfo;
    const { errors } = watch(natsLink({ servers: `127.0.0.1:${port}` }));
    await until(() => errors.length > 0, CLUSTER_DEADLINE_MS);
    expect(errors[0]).toMatch(/version 1\.4\.1, which is too old: 2\.0 or newer is needed/);
  });

  test('subjects that the user may not use', async () => {
    const permissions = { publish: 'socketcluster.open', subscribe: ['socketcluster.open', '_INBOX.>'] };
    const server = await startNats([], {
      authorization: { users: [{ user: 'ada', password: 'right', permissions }] },
    });
    const link = natsLink({ servers: address(server), user: 'ada', pass: 'right' });
    const { statuses } = watch(link);
    await until(() => statuses.includes('connected'), CLUSTER_DEADLINE_MS);
    const message = new Uint8Array([1]);
    await expect(link.publish('closed', message)).rejects.toThrow(
      /NATS refused to publish: .*socketcluster\.closed/,
    );
    await expect(link.subscribe('closed')).rejects.toThrow(/NATS refused: .*socketcluster\.closed/);
    await link.publish('open', message);
    await link.subscribe('open');
  });

  test.each<[object, string]>([
    [{ prefix: 'a b' }, 'The prefix option must be the beginning of a NATS subject'],
    [{ prefix: 'a.>' }, 'The prefix option must be the beginning of a NATS subject'],
    [{ prefix: 7 }, 'The prefix option must be the beginning of a NATS subject'],
    [{ connection: {}, user: 'ada' }, 'takes no options beside it - Got user'],
  ])('the options %j', (options, text) => {
    expect(() => natsLink(options as never)).toThrow(text);
  });
});
