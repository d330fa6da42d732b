/** Two servers behind HAProxy are restarted one after the other, while clients call them all the time. */
import * as ours from '@socketcluster-ts/client';
import { afterTest, freePort, until } from '@socketcluster-ts/testkit';
import published from 'socketcluster-client';
import { expect, test } from 'vitest';
import { startHaproxy } from './proxies.js';
import { RestartingServer } from './restarting-server.js';

const SPREAD_MS = 1500;
const RETRY_DELAY_MS = 500;
const OURS = 16;
const PUBLISHED = 4;
const TIMEOUT_MS = 120_000;

/** A client that calls, and what it has seen. */
interface Caller {
  readonly isOurs: boolean;
  readonly socket: ours.AGClientSocket;
  answered: number;
  isOver: boolean;
  readonly failures: unknown[];
  readonly closes: { readonly code: number; readonly at: number }[];
  /** How long it was away, in ms, each time. */
  readonly gaps: number[];
}

test('a rolling restart behind HAProxy loses no call, and everybody comes back', {
  timeout: TIMEOUT_MS,
}, async () => {
  const environment = { SPREAD: String(SPREAD_MS), RETRY_DELAY: String(RETRY_DELAY_MS) };
  const ports = [await freePort(), await freePort()];
  const servers = ports.map((port) => new RestartingServer(port, environment));
  await Promise.all(servers.map((server) => server.start()));
  const { port } = await startHaproxy(ports);
  const callers = Array.from({ length: OURS + PUBLISHED }, (_, index) => startCaller(port, index < OURS));
  await everybodyIsServed(callers);

  for (const server of servers) {
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
    await server.start();
    await everybodyIsServed(callers);
  }

  const counts = servers.map(({ drained }) => drained.at(-1));
  expect(counts).toEqual(servers.map(() => ({ closed: expect.any(Number), terminated: 0, interrupted: 0 })));
  // Everybody was on one of them at least once, and those of the first were sent to the second.
  const closed = counts.reduce<number>((sum, count) => sum + (count as { closed: number }).closed, 0);
  expect(closed).toBeGreaterThanOrEqual(callers.length);
  for (const { isOurs, failures, closes, gaps } of callers) {
    if (isOurs) {
      expect(failures).toEqual([]);
      expect(new Set(closes.map(({ code }) => code))).toEqual(new Set([1012]));
      for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(RETRY_DELAY_MS);
    } else {
      // Only what it sends in the moment of a close; it says 1005 then.
      expect(failures.length).toBeLessThanOrEqual(closes.length);
      expect(closes.filter(({ code }) => code !== 1012 && code !== 1005)).toEqual([]);
    }
  }
});

function startCaller(port: number, isOurs: boolean): Caller {
  const library = isOurs ? ours : published;
  const socket = library.create({
    hostname: '127.0.0.1',
    port,
    autoReconnectOptions: { initialDelay: 100, randomness: 900, multiplier: 1, maxDelay: 1000 },
  });
  const caller: Caller = { isOurs, socket, answered: 0, isOver: false, failures: [], closes: [], gaps: [] };
  afterTest(() => {
    caller.isOver = true;
    socket.disconnect();
  });
  void (async () => {
    for await (const { code } of socket.listener('disconnect')) {
      if (!caller.isOver) caller.closes.push({ code, at: performance.now() });
    }
  })();
  void (async () => {
    for await (const _ of socket.listener('connect')) {
      const since = caller.closes.at(-1)?.at;
      if (since !== undefined) caller.gaps.push(performance.now() - since);
    }
  })();
  void (async () => {
    for (let number = 0; !caller.isOver; number += 1) {
      try {
        expect(await socket.invoke('add', [number, 1])).toBe(number + 1);
        caller.answered += 1;
      } catch (error) {
        if (!caller.isOver) caller.failures.push(error);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return caller;
}

/** Resolves when everybody has got another answer. */
async function everybodyIsServed(callers: readonly Caller[]): Promise<void> {
  const before = callers.map(({ answered }) => answered);
  await until(() => callers.every(({ answered }, index) => answered > (before[index] ?? 0) + 3), 60_000);
}
