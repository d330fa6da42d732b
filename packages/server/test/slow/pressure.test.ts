import { collected, startServer, until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { flood, openSlowReader } from './slow-reader.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const LARGE = 'x'.repeat(200 * KIB);
const SLOW_MS = 20_000;

describe('socket.pressure', () => {
  test('is zero when nothing waits, and of a closed socket', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    await client.fence();
    expect(socket.pressure).toEqual({ bytes: 0, messages: 0, oldestMs: 0, stage: 'none' });
    void socket.transmit('a');
    socket.terminate();
    await client.ended();
    await until(() => socket.state === 'closed');
    expect(socket.pressure).toEqual({ bytes: 0, messages: 0, oldestMs: 0, stage: 'none' });
  });

  test('tells what is held back for the end of the turn', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    await client.fence();
    void socket.transmit('a', 'b');
    // Two bytes of frame header.
    const bytes = JSON.stringify({ event: 'a', data: 'b' }).length + 2;
    expect(socket.pressure).toEqual({ bytes, messages: 1, oldestMs: 0, stage: 'turn' });
    expect(socket.getBackpressure()).toBe(1);
    await client.next();
    expect(socket.pressure.messages).toBe(0);
  });

  test('tells what waits in a batch, and counts it as backpressure', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    await client.fence();
    socket.startBatch();
    for (let n = 0; n < 3; n += 1) void socket.transmit('a', LARGE);
    expect(socket.pressure).toMatchObject({ messages: 3, stage: 'batch' });
    expect(socket.pressure.bytes).toBeGreaterThan(3 * LARGE.length);
    expect(socket.getOutboundBackpressure()).toBe(3);
    socket.flushBatch();
    await client.next();
    await until(() => socket.getOutboundBackpressure() === 0);
    expect(socket.pressure.stage).toBe('none');
  });

  test('tells what waits for the middleware, and for how long', async () => {
    const { open, server } = await startServer();
    let allow: (() => void) | undefined;
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async (stream) => {
      for await (const action of stream) {
        await new Promise<void>((resolve) => {
          allow = resolve;
        });
        action.allow();
      }
    });
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'c' });
    for (let n = 0; n < 4; n += 1) await server.exchange.invokePublish('c', LARGE);
    await until(() => socket.pressure.oldestMs >= 20);
    expect(socket.pressure).toMatchObject({ messages: 4, stage: 'middleware' });
    expect(socket.pressure.bytes).toBeGreaterThan(4 * LARGE.length);
    expect(socket.getOutboundBackpressure()).toBe(4);
    const received: unknown[] = [];
    for (let n = 0; n < 4; n += 1) {
      await until(() => allow !== undefined);
      const go = allow;
      allow = undefined;
      go?.();
      received.push((await client.next(({ event }) => event === '#publish')).data);
    }
    expect(received).toHaveLength(4);
    await until(() => socket.pressure.messages === 0);
  });

  test(
    'tells what waits for the network, and grows older',
    async () => {
      const started = await startServer();
      const slow = await openSlowReader(started, ['c']);
      slow.stop();
      await flood(started, 'c', () => slow.socket.pressure.bytes > MIB);
      expect(slow.socket.pressure.stage).toBe('network');
      expect(slow.socket.getBackpressure()).toBe(slow.socket.pressure.messages);
      expect(slow.socket.pressure.messages).toBeGreaterThan(10);
      const { oldestMs } = slow.socket.pressure;
      await until(() => slow.socket.pressure.oldestMs >= oldestMs + 30);
      slow.go();
      await until(() => slow.socket.pressure.messages === 0);
    },
    SLOW_MS,
  );

  test(
    'tells what waits in the queue where it can be dropped',
    async () => {
      const started = await startServer({ limits: { onSlow: 'drop-oldest' } });
      const slow = await openSlowReader(started, ['c']);
      slow.stop();
      const published = await flood(started, 'c', () => slow.socket.pressure.bytes > 2 * MIB);
      expect(slow.socket.pressure.stage).toBe('queue');
      slow.go();
      await until(() => slow.socket.pressure.messages === 0);
      expect(slow.socket.outboundDroppedMessageCount).toBe(0);
      expect(slow.socket.outboundSentMessageCount).toBe(published);
    },
    SLOW_MS,
  );
});

describe('the event pressure', () => {
  test(
    'comes at the high mark and at the low one, on the socket and the server',
    async () => {
      const started = await startServer({ limits: { pressureMarks: { high: MIB, low: 100 * KIB } } });
      const slow = await openSlowReader(started, ['c']);
      const [events, twins] = [
        collected(slow.socket.listener('pressure')),
        collected(started.server.listener('socketPressure')),
      ];
      slow.stop();
      await flood(started, 'c', () => slow.socket.pressure.bytes > 2 * MIB);
      expect(events).toMatchObject([{ isHigh: true, stage: 'network' }]);
      expect(events[0]?.bytes).toBeGreaterThanOrEqual(MIB);
      expect(events[0]?.bytes).toBeLessThan(2 * MIB);
      slow.go();
      await until(() => events.length > 1);
      expect(events).toMatchObject([{ isHigh: true }, { isHigh: false }]);
      expect(events[1]?.bytes).toBeLessThanOrEqual(100 * KIB);
      expect(twins).toEqual(events.map((event) => ({ socket: slow.socket, ...event })));
    },
    SLOW_MS,
  );
});

describe('whenWritable', () => {
  test(
    'keeps a producer from piling anything up, and nothing is lost',
    async () => {
      const started = await startServer();
      const { server } = started;
      const slow = await openSlowReader(started, []);
      slow.stop();
      const parts = 200;
      let sent = 0;
      let most = 0;
      const producing = (async () => {
        for (; sent < parts; sent += 1) {
          await slow.socket.transmit('part', { sent, LARGE }, { whenWritable: true });
          most = Math.max(most, slow.socket.pressure.bytes);
        }
      })();
      await until(() => slow.socket.pressure.stage === 'network' && slow.socket.pressure.oldestMs > 50);
      expect(sent).toBeLessThan(parts);
      const stuck = sent;
      slow.go();
      await producing;
      await until(() => slow.client.received.filter(({ event }) => event === 'part').length === parts);
      expect(stuck).toBeGreaterThan(0);
      expect(most).toBeLessThan(MIB);
      const order = slow.client.received
        .filter(({ event }) => event === 'part')
        .map(({ data }) => (data as { sent: number }).sent);
      expect(order).toEqual(Array.from({ length: parts }, (_, n) => n));
      expect(server.clientsCount).toBe(1);
    },
    SLOW_MS,
  );

  test(
    'rejects when the socket closes before, and on a socket that is closed',
    async () => {
      const started = await startServer();
      const slow = await openSlowReader(started, ['c']);
      slow.stop();
      await flood(started, 'c', () => slow.socket.pressure.bytes > MIB);
      const [transmit, invoke] = [
        slow.socket.transmit('a', 1, { whenWritable: true }),
        slow.socket.invoke('b', 2, { whenWritable: true }),
      ];
      expect(slow.socket.getOutboundBackpressure()).toBe(slow.socket.pressure.messages);
      const failed = Promise.allSettled([transmit, invoke]);
      slow.socket.terminate();
      expect(await failed).toMatchObject([
        { status: 'rejected', reason: { name: 'BadConnectionError', type: 'disconnect' } },
        { status: 'rejected', reason: { name: 'BadConnectionError', type: 'disconnect' } },
      ]);
      await expect(slow.socket.transmit('a', 1, { whenWritable: true })).rejects.toMatchObject({
        name: 'BadConnectionError',
      });
    },
    SLOW_MS,
  );

  test(
    'rejects when sending is ended before',
    async () => {
      const started = await startServer();
      const slow = await openSlowReader(started, ['c']);
      slow.stop();
      await flood(started, 'c', () => slow.socket.pressure.bytes > MIB);
      const waiting = slow.socket.transmit('a', 1, { whenWritable: true });
      const failed = expect(waiting).rejects.toMatchObject({ name: 'BadConnectionError' });
      slow.socket.closeOutput();
      await failed;
    },
    SLOW_MS,
  );

  test(
    'calls when there is room',
    async () => {
      const started = await startServer();
      const slow = await openSlowReader(started, ['c']);
      slow.stop();
      await flood(started, 'c', () => slow.socket.pressure.bytes > MIB);
      const answer = slow.socket.invoke('ask', 'x', { whenWritable: true });
      slow.go();
      const call = await slow.client.next(({ event }) => event === 'ask');
      slow.client.send({ rid: call.cid, data: 'y' });
      expect(await answer).toBe('y');
    },
    SLOW_MS,
  );
});
