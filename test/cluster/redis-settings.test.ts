import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisLinkOptions, redisLink } from '@socketcluster-ts/redis';
import { AGSimpleBroker, type RelayBroker, relayBroker } from '@socketcluster-ts/server';
import { afterTest, freePort, until, withDeadline } from '@socketcluster-ts/testkit';
import { Redis } from 'ioredis';
import { generate } from 'selfsigned';
import { describe, expect, test } from 'vitest';

import { startRedis } from './redis-server.js';

const DEADLINE_MS = 10_000;
const HOST = '127.0.0.1';

function relay(options: RedisLinkOptions): RelayBroker {
  const broker = relayBroker(new AGSimpleBroker(), redisLink({ timeout: 1000, ...options }));
  afterTest(() => broker.close());
  return broker;
}

/** The first error that a relay with such a link emits. */
async function firstError(options: RedisLinkOptions): Promise<Error> {
  const broker = relay(options);
  const event = await withDeadline(broker.listener('error').once(), 'an error of the relay', DEADLINE_MS);
  await until(() => broker.status === 'degraded');
  return event.error as Error;
}

async function connected(options: RedisLinkOptions): Promise<RelayBroker> {
  const broker = relay(options);
  await until(() => broker.status === 'connected', DEADLINE_MS);
  return broker;
}

/** Two relays reach each other. */
async function expectToReach(from: RelayBroker, to: RelayBroker): Promise<void> {
  const received: unknown[] = [];
  await to.subscribeClient({ id: 'reader', transmit: (_, { data }) => void received.push(data) }, 'room');
  await from.invokePublish('room', 'hello');
  await until(() => received.length > 0);
  expect(received).toEqual(['hello']);
}

describe('redisLink() refuses at once', () => {
  const absurd =
    (options: unknown): (() => unknown) =>
    () =>
      redisLink(options as RedisLinkOptions);

  test.each([
    [{}, 'redisLink() needs exactly one of the options url, redis, cluster, client - Got none'],
    [
      { url: 'redis://a', redis: {} },
      'exactly one of the options url, redis, cluster, client - Got url and redis',
    ],
    [
      { url: 'http://secret@a' },
      'The option url of redisLink() must be a URL that begins with redis: or rediss: - Got "http://…"',
    ],
    [{ url: 5 }, 'The option url of redisLink()'],
    [{ redis: 'a' }, 'The option redis of redisLink() must be an object of options of ioredis - Got "a"'],
    [{ cluster: { nodes: [] } }, 'The option cluster.nodes of redisLink() must be an array of nodes'],
    [
      { client: {} },
      'The option client of redisLink() must be a Redis or Cluster of ioredis 6 - Got [object Object]',
    ],
    [{ redis: {}, prefix: 1 }, 'The option prefix of redisLink() must be a string - Got 1'],
    [
      { redis: {}, timeout: 5 },
      'The option timeout of redisLink() must be milliseconds from 100 to 600000 - Got 5',
    ],
    [
      { redis: {}, keyPrefix: 'a' },
      'redisLink() has no option "keyPrefix": it has url, redis, cluster, client, prefix, timeout',
    ],
  ])('%j', (options, message) => {
    expect(absurd(options)).toThrow(message);
  });
});

describe('one clear error names the setting', () => {
  test('an address where nobody is', async () => {
    const port = await freePort();
    const error = await firstError({ redis: { host: HOST, port } });
    expect(error.name).toBe('BrokerError');
    expect(error.message).toContain(
      `Redis at ${HOST}:${port} (options redis.host, redis.port) cannot be reached`,
    );
    expect(error.message).toContain('ECONNREFUSED');
    const { message } = await firstError({ url: `redis://:secret@${HOST}:${port}/0` });
    expect(message).toContain(`Redis at ${HOST}:${port} (option url) cannot be reached`);
    expect(message).not.toContain('secret');
    expect((await firstError({ cluster: { nodes: [{ host: HOST, port }] } })).message).toBe(
      `Redis at the cluster of the option cluster.nodes cannot be reached: no node answers, the last that was asked is ${HOST}:${port}`,
    );
  });

  test('a password that is wrong, and one that is missing', async () => {
    const { port } = await startRedis({ args: ['--requirepass', 'right'] });
    const refused = `Redis at ${HOST}:${port} (options redis.host, redis.port) refused the username or password`;
    expect((await firstError({ redis: { host: HOST, port, password: 'wrong' } })).message).toContain(
      `${refused} it was given, or what they may do: WRONGPASS`,
    );
    expect((await firstError({ redis: { host: HOST, port } })).message).toContain(refused);
    const one = await connected({ redis: { host: HOST, port, password: 'right' } });
    await expectToReach(one, await connected({ url: `redis://:right@${HOST}:${port}` }));
  });

  test('a password of a cluster that is wrong', async () => {
    const { port } = await startRedis({ args: ['--cluster-enabled', 'yes', '--requirepass', 'right'] });
    const options = { redisOptions: { password: 'wrong' } };
    const { message } = await firstError({ cluster: { nodes: [{ host: HOST, port }], options } });
    expect(message).toMatch(
      /^Redis at the cluster of the option cluster.nodes refused the username or password .*WRONGPASS/,
    );
  });

  test('an engine that is too old', async () => {
    const answers: Record<string, string> = {
      INFO: '$20\r\nredis_version:5.0.14\r\n',
      PING: '+PONG\r\n',
    };
    const old = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        for (const [, name = ''] of bytes.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g))
          socket.write(answers[name.toUpperCase()] ?? `-ERR unknown command '${name.toUpperCase()}'\r\n`);
      });
    });
    await new Promise<void>((resolve) => {
      old.listen(0, HOST, resolve);
    });
    afterTest(() => old.close());
    const { port } = old.address() as AddressInfo;
    const { message } = await firstError({ redis: { host: HOST, port } });
    expect(message).toBe(
      `Redis 6 or newer is needed at ${HOST}:${port} (options redis.host, redis.port), this is 5.0.14`,
    );
  });

  test('TLS: a certificate that is not trusted, and one that is', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'redis-tls-'));
    afterTest(() => {
      rmSync(folder, { recursive: true });
    });
    const altNames = [{ type: 7, ip: HOST }] as const;
    const { private: key, cert } = await generate([{ name: 'commonName', value: HOST }], {
      extensions: [{ name: 'subjectAltName', altNames: [...altNames] }],
    });
    writeFileSync(join(folder, 'key.pem'), key);
    writeFileSync(join(folder, 'cert.pem'), cert);
    const tlsPort = await freePort();
    const files = ['--tls-cert-file', join(folder, 'cert.pem'), '--tls-key-file', join(folder, 'key.pem')];
    await startRedis({
      args: [
        '--tls-port',
        `${tlsPort}`,
        '--tls-auth-clients',
        'no',
        '--tls-ca-cert-file',
        join(folder, 'cert.pem'),
        ...files,
      ],
    });
    expect((await firstError({ url: `rediss://${HOST}:${tlsPort}` })).message).toMatch(
      /The TLS connection to Redis at .* failed: look at the option tls/,
    );
    const redis = { host: HOST, port: tlsPort, tls: { ca: cert } };
    await expectToReach(await connected({ redis }), await connected({ redis }));
  });
});

test('a client of the user is like a template: it stays open, and is not subscribed', async () => {
  const { port } = await startRedis();
  const client = new Redis(port, HOST, { keyPrefix: 'app:', maxRetriesPerRequest: 3 });
  afterTest(() => client.disconnect());
  const one = await connected({ client });
  await expectToReach(one, await connected({ redis: { host: HOST, port } }));
  await one.close();
  expect(client.options.keyPrefix).toBe('app:');
  expect(await client.ping()).toBe('PONG');
  expect(await client.pubsub('CHANNELS')).toEqual(['sc:room']);
});

test('applications with prefixes of their own share an engine and do not meet', async () => {
  const { port } = await startRedis();
  const [shop, blog, other] = (await Promise.all(
    ['shop:', 'blog:', 'blog:'].map((prefix) => connected({ redis: { host: HOST, port }, prefix })),
  )) as [RelayBroker, RelayBroker, RelayBroker];
  const received: unknown[] = [];
  await shop.subscribeClient({ id: 'reader', transmit: (_, { data }) => void received.push(data) }, 'room');
  await expectToReach(blog, other);
  expect(received).toEqual([]);
  expect(shop.stats.received).toBe(0);
});

test('a user with only the documented permissions is enough', async () => {
  const { port } = await startRedis();
  const admin = new Redis(port, HOST);
  afterTest(() => admin.disconnect());
  const rights = [
    'on',
    '>pw',
    'resetchannels',
    '&sc:*',
    '-@all',
    '+publish',
    '+subscribe',
    '+unsubscribe',
    '+ping',
    '+info',
  ];
  await admin.acl('SETUSER', 'app', ...rights);
  const redis = { host: HOST, port, username: 'app', password: 'pw' };
  await expectToReach(await connected({ redis }), await connected({ redis }));
});
