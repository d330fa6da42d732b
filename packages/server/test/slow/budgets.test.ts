import { createServer } from 'node:http';
import { attach } from '@socketcluster-ts/server';
import {
  collected,
  encodeFrame,
  nextValue,
  OPCODES,
  RawConnection,
  startServer,
  turn,
  until,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { flood, numbersOf, openSlowReader } from './slow-reader.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const SLOW_MS = 20_000;

describe('limits.outboundBudget', () => {
  test(
    'lets less wait for long',
    async () => {
      const started = await startServer({
        limits: { outboundBudget: { bytes: 100 * MIB, sustainedBytes: MIB, sustainedMs: 150 } },
      });
      const slow = await openSlowReader(started, ['c']);
      slow.stop();
      await flood(started, 'c', () => slow.socket.pressure.bytes > 2 * MIB);
      const since = performance.now();
      expect(slow.socket.state).toBe('open');
      const { code } = await nextValue(slow.socket.listener('close'));
      expect(code).toBe(4010);
      expect(performance.now() - since).toBeGreaterThan(100);
    },
    SLOW_MS,
  );

  test(
    'has only what is too much dropped when it is for long',
    async () => {
      const started = await startServer({
        limits: {
          outboundBudget: { bytes: 100 * MIB, sustainedBytes: MIB, sustainedMs: 150 },
          onSlow: 'drop-oldest',
        },
      });
      const slow = await openSlowReader(started, ['c']);
      slow.stop();
      await flood(started, 'c', () => slow.socket.pressure.bytes > 3 * MIB);
      await until(() => slow.socket.outboundDroppedMessageCount > 0);
      expect(slow.socket.pressure.bytes).toBeGreaterThan(0.9 * MIB);
      // The first message found nothing waiting: what is left of it does not count.
      expect(slow.socket.pressure.bytes).toBeLessThan(1.1 * MIB);
      expect(slow.socket.state).toBe('open');
    },
    SLOW_MS,
  );

  test(
    'does not bite a reader that pauses for a moment',
    async () => {
      const started = await startServer({ limits: { onSlow: 'drop-oldest' } });
      const slow = await openSlowReader(started, ['c']);
      let published = 0;
      for (let pause = 0; pause < 3; pause += 1) {
        slow.stop();
        published = await flood(started, 'c', () => slow.socket.pressure.bytes > 2 * MIB, {
          first: published,
        });
        slow.go();
        await until(() => slow.socket.pressure.messages === 0);
      }
      await until(() => numbersOf(slow.client, 'c').length === published);
      expect(numbersOf(slow.client, 'c')).toEqual(Array.from({ length: published }, (_, n) => n));
    },
    SLOW_MS,
  );

  test(
    'does not count one message that finds nothing waiting, however large',
    async () => {
      const started = await startServer({ limits: { outboundBudget: MIB } });
      const slow = await openSlowReader(started, []);
      slow.stop();
      const huge = 'x'.repeat(30 * MIB);
      void slow.socket.transmit('huge', huge);
      await until(() => slow.socket.pressure.bytes > MIB);
      void slow.socket.transmit('small', 1);
      await turn();
      slow.go();
      expect((await slow.client.next(({ event }) => event === 'huge')).data).toBe(huge);
      await slow.client.next(({ event }) => event === 'small');
      expect(slow.socket.state).toBe('open');
    },
    SLOW_MS,
  );

  test.each(['disconnect', 'drop-newest'] as const)(
    'ends a client that calls and does not read the answers, with the policy %s',
    async (onSlow) => {
      const started = await startServer({ limits: { outboundBudget: 2 * MIB, onSlow } });
      const slow = await openSlowReader(started, []);
      const large = 'x'.repeat(256 * KIB);
      void slow.socket.procedure('get').each(() => large);
      slow.stop();
      let most = 0;
      for (let cid = 100; slow.socket.state === 'open'; cid += 1) {
        if (cid > 1000) throw new Error('It was never too much');
        slow.client.send({ event: 'get', cid });
        await turn();
        most = Math.max(most, slow.socket.pressure.bytes);
      }
      expect(most).toBeLessThan(3 * MIB);
      expect(slow.socket.outboundDroppedMessageCount).toBe(0);
    },
    SLOW_MS,
  );

  test.each([{}, { perMessageDeflate: true }])(
    'ends a client that sends ping frames and does not read the pongs (%j)',
    async (options) => {
      const { port, server } = await startServer({ ...options, limits: { outboundBudget: MIB } });
      const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
      const client = await RawConnection.upgrade(port, options.perMessageDeflate ? { headers: offer } : {});
      const closures = collected(server.listener('closure'));
      client.pause();
      const ping = encodeFrame('x'.repeat(125), { opcode: OPCODES.ping });
      const pings = Buffer.concat(Array.from({ length: 2000 }, () => ping));
      for (let n = 0; n < 400 && closures.length === 0; n += 1) {
        client.write(pings);
        await turn();
      }
      await until(() => closures.length > 0);
      expect(closures).toMatchObject([{ code: 4010 }]);
    },
    SLOW_MS,
  );

  test(
    'counts what waits for a middleware that hangs',
    async () => {
      const started = await startServer({ limits: { outboundBudget: MIB } });
      const { server } = started;
      server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async (stream) => {
        for await (const _ of stream) await new Promise(() => {});
      });
      const { socket } = await openSlowReader(started, ['c']);
      await flood(started, 'c', (count) => socket.state === 'closed' || count > 100);
      expect(socket.state).toBe('closed');
    },
    SLOW_MS,
  );

  test(
    'is off in the preset v20',
    async () => {
      const started = await startServer({ limits: 'v20' });
      const slow = await openSlowReader(started, ['c']);
      slow.stop();
      await flood(started, 'c', () => slow.socket.pressure.bytes > 8 * MIB);
      expect(slow.socket.state).toBe('open');
    },
    SLOW_MS,
  );

  test(
    'drops what waits for a channel that the client has left, before it is told so',
    async () => {
      const started = await startServer({ limits: { onSlow: 'drop-oldest' } });
      const slow = await openSlowReader(started, ['c']);
      slow.stop();
      const published = await flood(started, 'c', () => slow.socket.pressure.bytes > MIB);
      slow.client.send({ event: '#unsubscribe', data: 'c', cid: 1000 });
      await until(() => !slow.socket.isSubscribed('c'));
      slow.go();
      await slow.client.next(({ rid }) => rid === 1000);
      const atAnswer = numbersOf(slow.client, 'c');
      await slow.client.fence();
      expect(numbersOf(slow.client, 'c')).toEqual(atAnswer);
      expect(atAnswer.length).toBeLessThan(published);
    },
    SLOW_MS,
  );
});

describe('what is given for slow clients', () => {
  test.each([
    [
      { onSlow: 'drop' },
      "The limits.onSlow option must be 'disconnect', 'drop-oldest', 'drop-newest', 'conflate' or a function",
    ],
    [
      { outboundBudget: -1 },
      'The limits.outboundBudget option must be a number of bytes from 0, or an object',
    ],
    [{ outboundBudget: { bytes: 'many' } }, 'The limits.outboundBudget option must be'],
    [{ totalOutboundBudget: NaN }, 'The limits.totalOutboundBudget option must be a number from 0'],
    [{ conflateKey: 'symbol' }, 'The limits.conflateKey option must be a function'],
    [
      { pressureMarks: { low: 2, high: 1 } },
      'The limits.pressureMarks option must be an object with low and high',
    ],
  ])('is checked: %j', (limits, message) => {
    expect(() => attach(createServer(), { limits: limits as never })).toThrow(message);
  });

  test.each([
    [8 * MIB, { bytes: 8 * MIB, sustainedBytes: 2 * MIB, sustainedMs: 10_000 }, 512 * KIB],
    [64 * KIB, { bytes: 64 * KIB, sustainedBytes: 16 * KIB, sustainedMs: 10_000 }, 8 * KIB],
    [
      { bytes: MIB, sustainedBytes: 0 },
      { bytes: MIB, sustainedBytes: Infinity, sustainedMs: 10_000 },
      512 * KIB,
    ],
    [0, { bytes: Infinity, sustainedBytes: Infinity, sustainedMs: 10_000 }, 512 * KIB],
  ])('is filled in: %j', (outboundBudget, inForce, high) => {
    const { limits } = attach(createServer(), { limits: { outboundBudget } });
    expect(limits.outboundBudget).toEqual(inForce);
    expect(limits.pressureMarks).toEqual({ high, low: high / 8 });
  });
});

describe('limits.totalOutboundBudget', () => {
  test(
    'cuts the largest first, and lets the others be',
    async () => {
      const started = await startServer({
        limits: { outboundBudget: Infinity, totalOutboundBudget: 6 * MIB },
      });
      const { server } = started;
      const [small, large] = [await openSlowReader(started, ['s']), await openSlowReader(started, ['l'])];
      const closures = collected(server.listener('closure'));
      small.stop();
      large.stop();
      await flood(started, 's', () => small.socket.pressure.bytes > 2 * MIB);
      await flood(started, 'l', () => large.socket.state === 'closed');
      expect(server.outboundLedger.total).toBeLessThanOrEqual(6 * MIB);
      expect(server.outboundLedger.total).toBeGreaterThan(2 * MIB);
      expect(closures).toMatchObject([{ socket: large.socket, code: 4010 }]);
      expect(small.socket.state).toBe('open');
      small.go();
      await until(() => server.outboundLedger.total === 0);
    },
    SLOW_MS,
  );

  test(
    'has messages dropped where that is the policy',
    async () => {
      const started = await startServer({
        limits: { outboundBudget: Infinity, totalOutboundBudget: 2 * MIB, onSlow: 'drop-oldest' },
      });
      const slow = await openSlowReader(started, ['c']);
      slow.stop();
      await flood(started, 'c', () => slow.socket.outboundDroppedMessageCount > 0);
      expect(slow.socket.state).toBe('open');
      expect(started.server.outboundLedger.total).toBeLessThan(2 * MIB);
    },
    SLOW_MS,
  );
});
