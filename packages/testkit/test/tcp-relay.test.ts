import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import {
  afterTest,
  deferred,
  type NetworkShape,
  startTcpRelay,
  turn,
  until,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

/** Two ends of a connection through a relay. */
async function connected(shape?: NetworkShape) {
  const accepted = deferred<Socket>();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    accepted.resolve(socket);
  });
  afterTest(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const relay = await startTcpRelay((server.address() as AddressInfo).port, shape);
  const near = connect(relay.port, '127.0.0.1');
  near.on('error', () => {});
  afterTest(() => near.destroy());
  const far = await accepted.promise;
  afterTest(() => far.destroy());
  return { relay, near, far };
}

/** Everything that arrives, as one buffer that grows. */
function received(socket: Socket): () => Buffer {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks);
}

describe('a relay', () => {
  test('brings everything as it was sent, late and in order, on a network with latency and jitter', async () => {
    const { near, far } = await connected({ latencyMs: 30, jitterMs: 20 });
    const got = received(far);
    const sent: Buffer[] = [];
    const begun = performance.now();
    for (let index = 0; index < 200; index += 1) {
      const chunk = Buffer.alloc(1 + ((index * 7919) % 2000), index);
      sent.push(chunk);
      near.write(chunk);
      if (index % 10 === 0) await turn();
    }
    const all = Buffer.concat(sent);
    await until(() => got().length >= all.length);
    expect(performance.now() - begun).toBeGreaterThan(29);
    expect(got().equals(all)).toBe(true);
  });

  test('lets no more through in a second than it is told', async () => {
    const { near, far } = await connected({ bytesPerSecond: 400_000 });
    const got = received(near);
    const begun = performance.now();
    far.write(Buffer.alloc(100_000));
    await until(() => got().length >= 100_000);
    expect(performance.now() - begun).toBeGreaterThan(240);
  });

  test('passes the end of a stream on behind all data', async () => {
    const { near, far } = await connected({ latencyMs: 20, jitterMs: 20 });
    const got = received(far);
    near.end('the last words');
    await once(far, 'end');
    expect(got().toString()).toBe('the last words');
  });

  test.each(['client', 'server'] as const)('swallows what the %s sends, and only that', async (side) => {
    const { relay, near, far } = await connected();
    const [gotNear, gotFar] = [received(near), received(far)];
    near.write('1');
    far.write('1');
    await until(() => gotNear().length + gotFar().length === 2);
    relay.swallow(side);
    near.write('2');
    far.write('2');
    const [carried, swallowed] = side === 'client' ? [gotNear, gotFar] : [gotFar, gotNear];
    await until(() => carried().toString() === '12');
    expect(swallowed().toString()).toBe('1');
  });

  test('resets both sides', async () => {
    const { relay, near, far } = await connected();
    near.write('x');
    await once(far, 'data');
    const errors = [once(near, 'error'), once(far, 'error')];
    relay.reset();
    for (const [error] of await Promise.all(errors))
      expect((error as NodeJS.ErrnoException).code).toBe('ECONNRESET');
  });

  test('swallows what old and new connections send while it is a black hole', async () => {
    const { relay, near, far } = await connected();
    near.write('x');
    await once(far, 'data');
    const got = [received(near), received(far)];
    relay.blackhole(true);
    near.write('lost');
    far.write('lost');
    const another = connect(relay.port, '127.0.0.1');
    afterTest(() => another.destroy());
    await once(another, 'connect');
    expect(relay.connectionCount).toBe(1);
    relay.blackhole(false);
    const fresh = connect(relay.port, '127.0.0.1');
    afterTest(() => fresh.destroy());
    await until(() => relay.connectionCount === 2);
    expect(got.map((each) => each().length)).toEqual([0, 0]);
    expect(near.destroyed || far.destroyed).toBe(false);
  });
});
