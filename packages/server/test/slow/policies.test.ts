import { collected, type ServerOptions, startServer, until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { flood, gapsOf, numbersOf, openSlowReader } from './slow-reader.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const SLOW_MS = 20_000;

/** Another class than the one of the fast lane, so the server knows it by its public methods only. */
class OtherServer extends WebSocketServer {}

const ENGINES: readonly (readonly [string, ServerOptions])[] = [
  ['our own connections', {}],
  ['compressed connections', { perMessageDeflate: { threshold: 100 * MIB } }],
  ['a module that is not ws', { wsEngine: { Server: OtherServer } }],
];

describe.for(ENGINES)('a client that stopped reading, %s', ([, options]) => {
  test(
    'is disconnected with 4010 by default, and nobody else notices',
    async () => {
      const started = await startServer(options);
      const { server } = started;
      const [slow, fast] = [await openSlowReader(started, ['c']), await openSlowReader(started, ['c'])];
      const closures = collected(server.listener('closure'));
      const overflows = collected(server.listener('socketOverflow'));
      let most = 0;
      slow.stop();
      const published = await flood(started, 'c', () => {
        most = Math.max(most, slow.socket.pressure.bytes);
        return slow.socket.state === 'closed';
      });
      await fast.client.fence();
      expect(numbersOf(fast.client, 'c')).toEqual(Array.from({ length: published }, (_, n) => n));
      expect(most).toBeLessThan(5 * MIB);
      expect(closures).toMatchObject([
        { socket: slow.socket, code: 4010, reason: 'Client reads too slowly' },
      ]);
      expect(overflows).toMatchObject([{ socket: slow.socket, policy: 'disconnect' }]);
      expect(server.clientsCount).toBe(1);
      await until(() => server.outboundLedger.total === 0);
    },
    SLOW_MS,
  );

  test(
    'is told why when it reads again in time',
    async () => {
      const started = await startServer(options);
      const slow = await openSlowReader(started, ['c']);
      slow.stop();
      await flood(started, 'c', () => slow.socket.state === 'closed');
      slow.go();
      expect(await slow.client.ended()).toEqual({ code: 4010, reason: 'Client reads too slowly' });
    },
    SLOW_MS,
  );

  test(
    'has the oldest messages dropped, and is told how many',
    async () => {
      const started = await startServer({
        ...options,
        limits: { outboundBudget: MIB, onSlow: 'drop-oldest' },
      });
      const slow = await openSlowReader(started, ['c'], { ext: ['gap'] });
      const ends = collected(started.server.listener('socketOverflowEnd'));
      let most = 0;
      slow.stop();
      const published = await flood(started, 'c', () => {
        most = Math.max(most, slow.socket.pressure.bytes);
        return slow.socket.outboundDroppedMessageCount >= 40;
      });
      expect(most).toBeLessThanOrEqual(1.5 * MIB);
      slow.go();
      await until(() => numbersOf(slow.client, 'c').at(-1) === published - 1);
      await until(() => ends.length > 0);
      const received = numbersOf(slow.client, 'c');
      expect(received).toEqual(received.toSorted((a, b) => a - b));
      const dropped = published - received.length;
      expect(dropped).toBeGreaterThanOrEqual(40);
      expect(gapsOf(slow.client)).toEqual(new Map([['c', dropped]]));
      expect(slow.socket.outboundDroppedMessageCount).toBe(dropped);
      expect(started.server.outboundDroppedMessageCount).toBe(dropped);
      expect(ends).toMatchObject([{ socket: slow.socket, policy: 'drop-oldest', dropped }]);
    },
    SLOW_MS,
  );
});

describe('limits.onSlow', () => {
  test(
    'drops the newest messages',
    async () => {
      const started = await startServer({ limits: { outboundBudget: MIB, onSlow: 'drop-newest' } });
      const slow = await openSlowReader(started, ['c'], { ext: ['gap'] });
      slow.stop();
      const published = await flood(started, 'c', () => slow.socket.outboundDroppedMessageCount >= 40);
      const { outboundDroppedMessageCount: dropped } = slow.socket;
      slow.go();
      await until(() => gapsOf(slow.client).get('c') === dropped);
      await slow.client.fence();
      expect(numbersOf(slow.client, 'c')).toEqual(Array.from({ length: published - dropped }, (_, n) => n));
    },
    SLOW_MS,
  );

  test(
    'conflates: of each channel the latest message',
    async () => {
      const started = await startServer({ limits: { onSlow: 'conflate' } });
      const slow = await openSlowReader(started, ['a', 'b'], { ext: ['gap'] });
      const ends = collected(started.server.listener('socketOverflowEnd'));
      slow.stop();
      let next = await flood(started, 'a', () => slow.socket.outboundDroppedMessageCount >= 5);
      next = await flood(started, 'b', (count) => count === 5, { first: next });
      next = await flood(started, 'a', (count) => count === 5, { first: next });
      // Far under the budget: what waits is one message of each channel, and what the connection has taken.
      expect(slow.socket.pressure.bytes).toBeLessThan(MIB);
      slow.go();
      await until(() => numbersOf(slow.client, 'a').at(-1) === next - 1);
      await until(() => ends.length > 0);
      expect(ends).toMatchObject([{ policy: 'conflate', dropped: slow.socket.outboundDroppedMessageCount }]);
      const [a, b] = [numbersOf(slow.client, 'a'), numbersOf(slow.client, 'b')];
      expect(b).toEqual([next - 6]);
      expect(a).toEqual([...Array.from({ length: a.length - 1 }, (_, n) => n), next - 1]);
      expect(gapsOf(slow.client)).toEqual(
        new Map([
          ['a', next - 5 - a.length],
          ['b', 4],
        ]),
      );
    },
    SLOW_MS,
  );

  test(
    'conflates by the key that it is given',
    async () => {
      const started = await startServer({
        limits: { onSlow: 'conflate', conflateKey: (_, data) => String((data as { n: number }).n % 3) },
      });
      const slow = await openSlowReader(started, ['c']);
      slow.stop();
      const published = await flood(started, 'c', () => slow.socket.outboundDroppedMessageCount >= 20);
      slow.go();
      await until(() => numbersOf(slow.client, 'c').at(-1) === published - 1);
      expect(numbersOf(slow.client, 'c').slice(-3)).toEqual([published - 3, published - 2, published - 1]);
      expect(gapsOf(slow.client).size, 'a client that does not know of gaps is not told').toBe(0);
    },
    SLOW_MS,
  );

  test(
    'chooses by channel, and the channel of the message that does not fit decides',
    async () => {
      const started = await startServer({
        limits: { outboundBudget: MIB, onSlow: (name) => (name === 'lossy' ? 'drop-oldest' : 'disconnect') },
      });
      const slow = await openSlowReader(started, ['lossy', 'exact']);
      slow.stop();
      await flood(started, 'lossy', () => slow.socket.outboundDroppedMessageCount >= 20);
      expect(slow.socket.state).toBe('open');
      await flood(started, 'exact', () => slow.socket.state === 'closed');
    },
    SLOW_MS,
  );

  test(
    'that fails disconnects, and the error is emitted',
    async () => {
      const started = await startServer({
        limits: {
          outboundBudget: MIB,
          onSlow: () => 'drop-everything' as 'drop-oldest',
        },
      });
      const slow = await openSlowReader(started, ['c']);
      slow.stop();
      await flood(started, 'c', () => slow.socket.state === 'closed');
      expect(await started.warning(({ message }) => message.includes('drop-everything'))).toBeInstanceOf(
        TypeError,
      );
    },
    SLOW_MS,
  );
});
