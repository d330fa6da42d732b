import { fileURLToPath } from 'node:url';
import { nextValue, ours, spawnServer, startServer, WireClient } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const HOUR = 3600;
const setup = fileURLToPath(new URL('./clock-app.ts', import.meta.url));
const isRemoval = ({ event }: { event?: string }): boolean => event === '#removeAuthToken';

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

/** A server in a process of its own whose clock can be set, and a client that is logged in. */
async function openOnClock(secondsLeft: number): Promise<{ client: WireClient; exp: number }> {
  const options = { pingInterval: 200, pingTimeout: 5000 };
  const { url } = await spawnServer({ options, setup });
  const client = await WireClient.connect(url);
  await client.handshake();
  const exp = inSeconds(secondsLeft);
  expect(await client.call('log in', { user: 'ann', exp })).not.toHaveProperty('error');
  await client.next(({ event }) => event === '#setAuthToken');
  return { client, exp };
}

/** Pings go on, and a call is given up after its time and not before. */
async function expectTimersOnTime(client: WireClient): Promise<void> {
  const seen = client.pings;
  await client.pinged(seen + 3);
  const { data } = await client.call('call me', 300);
  expect(data).toMatchObject({ outcome: 'TimeoutError' });
  expect((data as { ms: number }).ms).toBeGreaterThanOrEqual(299);
  expect(client.closeInfo).toBeUndefined();
}

describe('a clock that is set while the server runs', () => {
  ours('one hour ahead: tokens expire, connections and timers go on', async () => {
    const { client } = await openOnClock(HOUR / 2);
    await expectTimersOnTime(client);
    expect((await client.call('who')).data).toMatchObject({ user: 'ann' });
    await client.call('set clock', HOUR);
    expect(await client.next(isRemoval)).toEqual({ event: '#removeAuthToken' });
    expect((await client.call('who')).data ?? null).toBeNull();
    await expectTimersOnTime(client);
  });

  ours('one hour ahead: a token that lasts longer stays', async () => {
    const { client } = await openOnClock(2 * HOUR);
    await client.call('set clock', HOUR);
    await expectTimersOnTime(client);
    expect((await client.call('who')).data).toMatchObject({ user: 'ann' });
  });

  ours('one hour back: tokens stay beyond what was their time, connections and timers go on', async () => {
    const { client, exp } = await openOnClock(2);
    await client.call('set clock', -HOUR);
    await expectTimersOnTime(client);
    while (Date.now() <= exp * 1000 + 300) await client.pinged(client.pings + 1);
    expect((await client.call('who')).data).toMatchObject({ user: 'ann' });
    // And it is noticed when the clock is right again.
    await client.call('set clock', 0);
    await client.next(isRemoval);
    await expectTimersOnTime(client);
  });
});

describe('a token from a clock that is wrong', () => {
  const expired = { name: 'AuthTokenExpiredError', message: 'jwt expired', isBadToken: true };
  const notActive = { name: 'AuthTokenNotBeforeError', message: 'jwt not active', isBadToken: false };

  test.for([
    ['exp 5 s ago', { exp: -5 }, expired],
    ['exp now', { exp: 0 }, expired],
    ['nbf in 5 s', { nbf: 5 }, notActive],
  ] as const)('with %s is refused, in the handshake and later', async ([, times, authError]) => {
    const { connect, sign } = await startServer();
    const claims = Object.fromEntries(
      Object.entries(times).map(([name, offset]) => [name, inSeconds(offset)]),
    );
    const token = await sign({ user: 'ann', ...claims });
    const client = await connect();
    const reply = await client.handshake(token);
    expect(reply.data).toMatchObject({ isAuthenticated: false, authError });
    const answer = await client.call('#authenticate', token);
    expect(answer.error ?? (answer.data as { authError: unknown }).authError).toMatchObject(authError);
  });

  ours('is accepted within authClockTolerance, and stays for as long', async () => {
    const { open, server, sign } = await startServer({ authClockTolerance: 4 });
    const exp = inSeconds(-1);
    const { client, socket } = await open({ authToken: await sign({ user: 'ann', exp }) });
    expect(socket.authState).toBe('authenticated');
    client.pong();
    await client.fence();
    expect(socket.authState).toBe('authenticated');
    await nextValue(socket.listener('deauthenticate'));
    expect(Date.now()).toBeGreaterThanOrEqual((exp + 4) * 1000);
    await client.next(isRemoval);
    const early = await open({ authToken: await sign({ user: 'ann', nbf: inSeconds(1) }) });
    expect(early.socket.authState).toBe('authenticated');
    expect(server.defaultVerificationOptions).toMatchObject({ clockTolerance: 4 });
  });
});
