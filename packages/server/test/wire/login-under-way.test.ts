import type { AGServer, AuthToken } from '@socketcluster-ts/server';
import {
  type Connected,
  collected,
  consume,
  deferred,
  EventLog,
  ours,
  type StartedServer,
  startServer,
  until,
  type WireClient,
} from '@socketcluster-ts/testkit';
import { describe, expect, vi } from 'vitest';

const OLD = { kid: 'old', key: 'the old secret of a server, thirty-nine bytes' };
const NEW = { kid: 'new', key: 'the new secret of a server, thirty-nine bytes' };
const REVOKED = { name: 'AuthTokenInvalidError', message: 'The auth token was revoked', isBadToken: true };

/** Signs as the server signs now, the name of its key included. */
function signedBy(server: AGServer, claims: object): Promise<string> {
  return server.auth.signToken(claims, server.signatureKey, server.defaultSignatureOptions);
}

async function openAs({ open, server }: StartedServer, claims: object): Promise<Connected> {
  return open({ authToken: await signedBy(server, claims) });
}

describe('a login under way while its user is banned', () => {
  const LOGINS = [
    ['handshake', (client: WireClient, token: string) => client.handshake(token)],
    [
      '#authenticate',
      async (client: WireClient, token: string) => {
        await client.handshake();
        return client.call('#authenticate', token);
      },
    ],
  ] as const;
  const BANS = [
    ['deauthenticate()', (server: AGServer) => server.users('ann').deauthenticate()],
    ['disconnect()', (server: AGServer) => server.users('ann').disconnect()],
    ['recheckTokens()', (server: AGServer) => server.recheckTokens()],
  ] as const;
  const CASES = LOGINS.flatMap(([how, logIn]) => BANS.map(([by, ban]) => [how, by, logIn, ban] as const));

  ours.each(CASES)('%s, %s: an answer of a moment before does not let it in', async ([, , logIn, ban]) => {
    const banned = new Set<unknown>();
    const answer = deferred();
    const isTokenRevoked = vi.fn(async ({ sub }: AuthToken) => {
      const isBanned = banned.has(sub);
      await answer.promise;
      return isBanned;
    });
    const started = await startServer({ isTokenRevoked });
    const client = await started.connect();
    const login = logIn(client, await started.sign({ sub: 'ann' }));
    await until(() => isTokenRevoked.mock.calls.length > 0);
    banned.add('ann');
    await ban(started.server);
    answer.resolve();
    const { data, error } = await login;
    expect(error ?? (data as { authError: unknown }).authError).toMatchObject(REVOKED);
    expect(await client.next()).toEqual({ event: '#removeAuthToken' });
    expect(started.server.usersCount).toBe(0);
    expect(isTokenRevoked).toHaveBeenCalledTimes(2);
  });

  ours.each(LOGINS)('%s: nor does one that waits for the middleware', async ([, logIn]) => {
    const banned = new Set<unknown>();
    const started = await startServer({ isTokenRevoked: ({ sub }) => banned.has(sub) });
    const { server } = started;
    const decision = deferred();
    let asked = 0;
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, async (action) => {
        asked += 1;
        await decision.promise;
        action.allow();
      }),
    );
    const client = await started.connect();
    const login = logIn(client, await started.sign({ sub: 'ann' }));
    await until(() => asked > 0);
    banned.add('ann');
    await server.users('ann').deauthenticate();
    decision.resolve();
    const { data, error } = await login;
    expect(error ?? (data as { authError: unknown }).authError).toMatchObject(REVOKED);
    expect(server.usersCount).toBe(0);
  });

  ours.each(LOGINS)('%s: somebody else is not asked about again, and gets in', async ([, logIn]) => {
    const answer = deferred<boolean>();
    const isTokenRevoked = vi.fn(() => answer.promise);
    const started = await startServer({ isTokenRevoked });
    const client = await started.connect();
    const login = logIn(client, await started.sign({ sub: 'bob' }));
    await until(() => isTokenRevoked.mock.calls.length > 0);
    await started.server.users('ann').deauthenticate();
    answer.resolve(false);
    expect((await login).data).toMatchObject({ isAuthenticated: true });
    expect(isTokenRevoked).toHaveBeenCalledOnce();
    expect(started.server.users('bob').sockets()).toHaveLength(1);
  });

  ours('as somebody else: all changes of the state are told', async () => {
    const answer = deferred<boolean>();
    const isTokenRevoked = vi.fn(({ sub }: AuthToken) => (sub === 'bob' ? answer.promise : false));
    const started = await startServer({ isTokenRevoked });
    const { client, socket } = await openAs(started, { sub: 'ann' });
    const states = collected(socket.listener('authStateChange'));
    const login = client.call('#authenticate', await started.sign({ sub: 'bob' }));
    await until(() => isTokenRevoked.mock.calls.length > 1);
    await started.server.users('ann').deauthenticate();
    answer.resolve(false);
    expect((await login).data).toMatchObject({ isAuthenticated: true });
    await client.fence();
    expect(states.map(({ newAuthState }) => newAuthState)).toEqual(['unauthenticated', 'authenticated']);
  });

  ours('is judged once more after more revocations than are told apart', async () => {
    const answers = [deferred<boolean>(), deferred<boolean>()];
    const isTokenRevoked = vi.fn(() => answers[isTokenRevoked.mock.calls.length - 1]?.promise ?? false);
    const started = await startServer({ isTokenRevoked });
    const client = await started.connect();
    const login = client.handshake(await started.sign({ sub: 'ann' }));
    await until(() => isTokenRevoked.mock.calls.length > 0);
    for (let count = 0; count < 1001; count += 1)
      await started.server.users(`user ${count}`).deauthenticate();
    answers[0]?.resolve(false);
    await until(() => isTokenRevoked.mock.calls.length > 1);
    answers[1]?.resolve(true);
    expect((await login).data).toMatchObject({ authError: REVOKED });
  });

  ours('is judged by the keys that are there when it takes effect', async () => {
    const started = await startServer({ authKeys: [OLD] });
    const { server } = started;
    const decision = deferred();
    let asked = 0;
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, async (action) => {
        asked += 1;
        await decision.promise;
        action.allow();
      }),
    );
    const client = await started.connect();
    const login = client.handshake(await signedBy(server, { sub: 'ann' }));
    await until(() => asked > 0);
    server.setAuthKeys([NEW]);
    expect(await server.recheckTokens()).toBe(0);
    decision.resolve();
    expect((await login).data).toMatchObject({ authError: { message: 'no matching key' } });
  });

  ours('is forgotten with its connection, even when an engine or a middleware never answers', async () => {
    const { connect, server, sign } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) => consume(stream, () => new Promise(() => {})));
    const token = await sign({ sub: 'ann' });
    const closures = new EventLog().record(server, ['closure']);
    const hanging = await connect();
    hanging.send({ event: '#handshake', data: { authToken: token }, cid: 1 });
    const later = await connect();
    await later.handshake();
    later.send({ event: '#authenticate', data: token, cid: 2 });
    await until(() => server.revocations.size === 2);
    server.setAuthEngine({ verifyToken: () => new Promise(() => {}) });
    const third = await connect();
    third.send({ event: '#handshake', data: { authToken: token }, cid: 1 });
    await until(() => server.revocations.size === 3);
    for (const client of [hanging, later, third]) client.terminate();
    await closures.times('closure', 3);
    expect(server.revocations.size).toBe(0);
  });
});
