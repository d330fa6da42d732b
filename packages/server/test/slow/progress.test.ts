import { once } from 'node:events';
import { createServer } from 'node:https';
import {
  afterTest,
  nextValue,
  RawConnection,
  startServer,
  startTcpRelay,
  until,
  WireClient,
} from '@socketcluster-ts/testkit';
import { generate } from 'selfsigned';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { flood, openSlowReader } from './slow-reader.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const SLOW_MS = 20_000;

/** A short heartbeat, and as much may wait as wants to. */
const OPTIONS = { pingInterval: 100, pingTimeout: 500, limits: { outboundBudget: Infinity } };

describe('a client that takes nothing of what waits for pingTimeout', () => {
  test.each([{}, { perMessageDeflate: { threshold: 100 * MIB } }])(
    'is cut with 4001, although it goes on sending (%j)',
    async (options) => {
      const started = await startServer({ ...OPTIONS, ...options });
      const slow = await openSlowReader(started, ['c'], { perMessageDeflate: true });
      slow.stop();
      await flood(started, 'c', () => slow.socket.pressure.bytes > MIB);
      const since = performance.now();
      const closed = nextValue(slow.socket.listener('close'), SLOW_MS);
      let isClosed = false;
      void closed.then(() => {
        isClosed = true;
      });
      await until(() => {
        slow.client.transmit('I am alive');
        return isClosed;
      });
      expect(await closed).toMatchObject({ code: 4001 });
      expect(performance.now() - since).toBeGreaterThan(300);
      // The connection is reset, not left to the kernel.
      await slow.client.ended();
    },
    SLOW_MS,
  );

  test(
    'is not one that reads slowly',
    async () => {
      const started = await startServer(OPTIONS);
      const slow = await openSlowReader(started, ['c']);
      slow.stop();
      await flood(started, 'c', () => slow.socket.pressure.bytes > 4 * MIB);
      const since = performance.now();
      let n = 0;
      await until(() => {
        slow.client.transmit('I am alive');
        // A little of it every now and then: well over a timeout in all.
        n += 1;
        if (n % 40 === 0) slow.go();
        if (n % 40 === 1) slow.stop();
        return performance.now() - since > 1500;
      });
      expect(slow.socket.state).toBe('open');
    },
    SLOW_MS,
  );

  test(
    'is not one whose input the server itself does not read',
    async () => {
      // Long enough for the test itself not to hold up the server for that time.
      const pingTimeout = 1500;
      const limits = { ...OPTIONS.limits, maxInboundQueue: 4 };
      const started = await startServer({ ...OPTIONS, pingTimeout, limits });
      const { server } = started;
      const slow = await openSlowReader(started, ['c']);
      let goOn: (() => void) | undefined;
      server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
        for await (const action of stream) {
          await new Promise<void>((resolve) => {
            goOn = resolve;
          });
          action.allow();
        }
      });
      // Several reads: what one brings is taken in whole.
      await until(() => {
        slow.client.transmit('work');
        return slow.socket.request.socket.isPaused();
      });
      slow.stop();
      await flood(started, 'c', () => slow.socket.pressure.bytes > MIB);
      const since = performance.now();
      await until(() => performance.now() - since > 2 * pingTimeout, SLOW_MS);
      expect(slow.socket.state).toBe('open');
      server.removeMiddleware(server.MIDDLEWARE_INBOUND);
      goOn?.();
      expect(await nextValue(slow.socket.listener('close'), SLOW_MS)).toMatchObject({ code: 4001 });
    },
    SLOW_MS,
  );
});

test('over TLS, too, a large message that leaves little by little is progress, and one that does not is none', async () => {
  const pair = await generate([{ name: 'commonName', value: '127.0.0.1' }]);
  const http = createServer({ key: pair.private, cert: pair.cert });
  const { server, port } = await startServer(OPTIONS, { http });
  const connected = nextValue(server.listener('connection'));
  const client = new WebSocket(`wss://127.0.0.1:${port}/socketcluster/`, { rejectUnauthorized: false });
  afterTest(() => client.terminate());
  client.on('error', () => {});
  await once(client, 'open');
  client.send(JSON.stringify({ event: '#handshake', cid: 1 }));
  const { socket } = await connected;
  const closed = nextValue(socket.listener('close'), SLOW_MS);
  client.pause();
  void socket.transmit('huge', 'x'.repeat(60 * MIB));
  const say = (): void => client.send(JSON.stringify({ event: 'I am alive' }));
  const since = performance.now();
  let n = 0;
  await until(() => {
    say();
    // For one turn in each tenth of a second.
    const isDue = performance.now() - since > n * 100;
    if (isDue) n += 1;
    if (isDue) client.resume();
    else client.pause();
    return performance.now() - since > 1500;
  });
  expect(socket.state).toBe('open');
  expect(socket.pressure.bytes).toBeGreaterThan(MIB);
  client.pause();
  let isClosed = false;
  void closed.then(() => {
    isClosed = true;
  });
  await until(() => {
    if (!isClosed) say();
    return isClosed;
  });
  expect(await closed).toMatchObject({ code: 4001 });
});

test('a network that lost the client: nothing of the connection is left pingTimeout + 2 s later', async () => {
  const { server, port, httpServer } = await startServer({ ...OPTIONS, limits: { closeTimeout: 300 } });
  const relay = await startTcpRelay(port);
  const client = await WireClient.connect(`ws://127.0.0.1:${relay.port}/socketcluster/`);
  await client.handshake();
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) => {
      httpServer.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
  expect(await connections()).toBe(1);
  const closed = nextValue(server.listener('closure'), SLOW_MS);
  const since = performance.now();
  relay.silence();
  expect(await closed).toMatchObject({ code: 4001 });
  let left = 1;
  await until(() => {
    void connections().then((count) => {
      left = count;
    });
    return left === 0;
  });
  expect(performance.now() - since).toBeLessThan(500 + 2000);
});

test('a half-open client that reads nothing holds no connection after it was cut', async () => {
  const { server, port } = await startServer({ limits: { outboundBudget: MIB, closeTimeout: 100 } });
  const client = await RawConnection.upgrade(port);
  client.send({ event: '#handshake', cid: 1 });
  await client.frame();
  client.send({ event: '#subscribe', data: { channel: 'c' }, cid: 2 });
  await client.frame(({ payload }) => payload.toString().includes('"rid":2'));
  client.pause();
  client.end();
  await flood({ server }, 'c', () => server.clientsCount === 0);
  await until(() => server.outboundLedger.total === 0);
  expect(server.pendingClientsCount).toBe(0);
});
