import { EventLog, nextValue, until } from '@socketcluster-ts/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoff, backoffV20 } from '../src/backoff.js';
import type { ClientOptions } from '../src/index.js';
import { type ScriptedServer, scriptedServer } from './scripted-server.js';

const OURS = { initialDelay: 0, randomness: 1000, multiplier: 2, maxDelay: 30_000, stableAfter: 10_000 };

describe('backoff()', () => {
  test('is full jitter below a bound that doubles up to 30 s', () => {
    const bounds = [0, 1, 2, 3, 4, 5, 6, 5000].map((attempt) => backoff(attempt, OURS, 1));
    expect(bounds).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect([0, 1, 2, 5000].map((attempt) => backoff(attempt, OURS, 0))).toEqual([0, 0, 0, 0]);
  });

  test('never passes maxDelay, and is never below 0, whatever the options', () => {
    const amount = fc.nat(100_000);
    const options = fc.record({
      initialDelay: amount,
      randomness: amount,
      multiplier: fc.double({ min: 0, max: 100, noNaN: true }),
      maxDelay: amount,
      stableAfter: amount,
    });
    fc.assert(
      fc.property(
        fc.nat(10_000),
        options,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, given, random) => {
          for (const delay of [backoff(attempt, given, random), backoffV20(attempt, given, random)]) {
            expect(delay).toBeGreaterThanOrEqual(0);
            expect(delay).toBeLessThanOrEqual(given.maxDelay);
          }
        },
      ),
    );
  });

  test("gives upstream's delays with upstream's options", () => {
    const options = { initialDelay: 100, randomness: 20, multiplier: 2, maxDelay: 500, stableAfter: 0 };
    expect([0, 1, 2, 3].map((attempt) => backoffV20(attempt, options, 0.5))).toEqual([110, 220, 440, 500]);
    expect([0, 1, 2, 3].map((attempt) => backoff(attempt, options, 0.5))).toEqual([110, 220, 440, 500]);
  });
});

/** The delays that a client waits after each of these closes, with chance at its middle. */
async function delaysAfter(
  codes: number[],
  options: ClientOptions = {},
  before: (server: ScriptedServer, index: number) => void = () => {},
): Promise<number[]> {
  const server = await scriptedServer();
  const client = server.client({ environment: { random: () => 0.5 }, ...options });
  const delays: number[] = [];
  for (const [index, code] of codes.entries()) {
    const connection = await server.connection(index);
    await until(() => client.state === 'open');
    before(server, index);
    const closed = nextValue(client.listener('close'));
    if (code === 1006) connection.socket.terminate();
    else connection.socket.close(code);
    await closed;
    delays.push(client.pendingReconnectTimeout ?? -1);
    client.connect();
  }
  return delays;
}

describe('after a close a client', () => {
  test('comes back within a second, and later after each connection that did not last', async () => {
    expect(await delaysAfter([1006, 1001, 4321])).toEqual([500, 1000, 2000]);
  });

  test('begins anew after a connection that lasted', async () => {
    expect(await delaysAfter([1006, 1006], { autoReconnectOptions: { stableAfter: 0 } })).toEqual([500, 500]);
  });

  test('does not come back after 1000, and after 4500 and above', async () => {
    expect(await delaysAfter([1000, 4500, 4999])).toEqual([-1, -1, -1]);
  });

  test("compat: 'v20' has upstream's delays, and none after 4000, 4001 and 1005", async () => {
    const delays = await delaysAfter([4001, 4000, 1006], { compat: 'v20' });
    expect(delays).toEqual([0, 0, 15_000]);
  });

  test('waits as long as the server asks it to, and a tenth more at most', async () => {
    const delays = await delaysAfter([1012, 1012], {}, (server, index) => {
      if (index === 0) server.connections[0]?.send({ event: '#retry', data: { delayMs: 5000 } });
    });
    // Not negotiated: the server did not answer `ext`.
    expect(delays).toEqual([500, 1000]);
    const server = await scriptedServer({ status: { ext: ['retry'] } });
    const client = server.client({ environment: { random: () => 0.5 } });
    const connection = await server.connection();
    await until(() => client.state === 'open');
    connection.send({ event: '#retry', data: { delayMs: 5000 } });
    connection.socket.close(1012);
    await until(() => client.pendingReconnect);
    expect(client.pendingReconnectTimeout).toBe(5250);
  });
});

test('messages do not bring an attempt on after one that failed, so that nobody hammers a server that is down', async () => {
  const server = await scriptedServer();
  const client = server.client({ port: 9, autoReconnectOptions: { initialDelay: 60_000 } });
  const log = new EventLog().record(client, ['connectAbort']);
  await log.times('connectAbort', 1);
  void client.transmit('a');
  await log.times('connectAbort', 2);
  void client.transmit('b');
  void client.transmit('c');
  expect([client.state, client.pendingReconnect]).toEqual(['closed', true]);
});
