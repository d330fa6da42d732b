import { nextValue, ours, startServer } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const isRemoval = ({ event }: { event?: string }): boolean => event === '#removeAuthToken';

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

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
