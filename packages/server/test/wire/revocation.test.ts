import { generateKeyPairSync } from 'node:crypto';
import type { AGServer, AuthToken } from '@socketcluster-ts/server';
import {
  type Connected,
  consume,
  deferred,
  EventLog,
  ours,
  type StartedServer,
  startServer,
} from '@socketcluster-ts/testkit';
import { describe, expect, vi } from 'vitest';

const OLD = { kid: 'old', key: 'the old secret of a server, thirty-nine bytes' };
const NEW = { kid: 'new', key: 'the new secret of a server, thirty-nine bytes' };

/** Signs as the server signs now, the name of its key included. */
function signedBy(server: AGServer, claims: object): Promise<string> {
  return server.auth.signToken(claims, server.signatureKey, server.defaultSignatureOptions);
}

async function openAs({ open, server }: StartedServer, claims: object): Promise<Connected> {
  return open({ authToken: await signedBy(server, claims) });
}

const REVOKED = {
  name: 'AuthTokenInvalidError',
  message: 'The auth token was revoked',
  isBadToken: true,
};
const UNDECIDED = {
  name: 'AuthTokenError',
  message: 'It could not be found out whether the auth token was revoked',
  isBadToken: false,
};

describe('isTokenRevoked', () => {
  ours.each([
    ['at once', (jti: unknown) => jti === 'stolen'],
    ['later', async (jti: unknown) => Promise.resolve(jti === 'stolen')],
  ] as const)(
    'that answers %s refuses a revoked token in the handshake, and the client forgets it',
    async ([, isStolen]) => {
      const isTokenRevoked = vi.fn((token: AuthToken, _signedToken: unknown) => isStolen(token['jti']));
      const started = await startServer({ isTokenRevoked });
      const log = new EventLog().record(started.server, ['badSocketAuthToken', 'authentication']);
      const client = await started.connect();
      const stolen = await started.sign({ jti: 'stolen', sub: 'ann' });
      expect((await client.handshake(stolen)).data).toMatchObject({
        isAuthenticated: false,
        authError: REVOKED,
      });
      expect(await client.next()).toEqual({ event: '#removeAuthToken' });
      expect(await log.first('badSocketAuthToken')).toMatchObject({ authError: REVOKED });
      expect(started.server.usersCount).toBe(0);

      const good = await started.sign({ jti: 'good', sub: 'ann' });
      const { socket } = await started.open({ authToken: good });
      expect(socket.authState).toBe('authenticated');
      expect(isTokenRevoked.mock.calls).toMatchObject([
        [{ jti: 'stolen' }, stolen],
        [{ jti: 'good' }, good],
      ]);
    },
  );

  ours('refuses it in #authenticate, and the socket loses the token that it had', async () => {
    const started = await startServer({ isTokenRevoked: ({ jti }) => jti === 'stolen' });
    const { client, socket } = await openAs(started, { jti: 'good' });
    const reply = await client.call('#authenticate', await started.sign({ jti: 'stolen' }));
    expect(reply.error).toMatchObject(REVOKED);
    expect(await client.next()).toEqual({ event: '#removeAuthToken' });
    expect(socket.authToken).toBeNull();
  });

  ours('is not asked about what is no token, and before the middleware', async () => {
    const isTokenRevoked = vi.fn(() => true);
    const started = await startServer({ isTokenRevoked });
    const actions: string[] = [];
    started.server.setMiddleware(started.server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, (action) => {
        actions.push(action.type);
        action.allow();
      }),
    );
    const { client } = await started.open();
    await client.call('#authenticate', 'nonsense');
    await client.call('#authenticate', await started.sign({ exp: 1 }));
    expect(isTokenRevoked).not.toHaveBeenCalled();
    await client.call('#authenticate', await started.sign({ sub: 'ann' }));
    expect(isTokenRevoked).toHaveBeenCalledOnce();
    expect(actions).toEqual([]);
  });

  ours.each([
    [
      'throws',
      () => {
        throw new Error('store down');
      },
    ],
    ['rejects', () => Promise.reject(new Error('store down'))],
    ['gives nothing', () => undefined as unknown as boolean],
    ['gives a number', () => 0 as unknown as boolean],
    ['gives a promise of text', () => Promise.resolve('no' as unknown as boolean)],
  ] as const)('that %s keeps the token out, and the client keeps it', async ([, isTokenRevoked]) => {
    const started = await startServer({ isTokenRevoked });
    const client = await started.connect();
    const token = await started.sign({ sub: 'ann' });
    expect((await client.handshake(token)).data).toMatchObject({
      isAuthenticated: false,
      authError: UNDECIDED,
    });
    expect((await client.call('#authenticate', token)).data).toMatchObject({
      isAuthenticated: false,
      authError: UNDECIDED,
    });
    await client.fence();
    expect(client.received.filter(({ event }) => event === '#removeAuthToken')).toEqual([]);
    expect(await started.warning(({ message }) => message === UNDECIDED.message)).toHaveProperty('cause');
    started.server.isTokenRevoked = () => false;
    expect((await client.call('#authenticate', token)).data).toMatchObject({ isAuthenticated: true });
  });

  ours(
    'that never answers is given up after ackTimeout, and other sockets are served meanwhile',
    async () => {
      const started = await startServer({
        ackTimeout: 200,
        isTokenRevoked: ({ sub }) => (sub === 'ann' ? new Promise<boolean>(() => {}) : false),
      });
      const client = await started.connect();
      const answer = client.handshake(await started.sign({ sub: 'ann' }));
      const bob = await openAs(started, { sub: 'bob' });
      expect(bob.socket.authState).toBe('authenticated');
      expect((await answer).data).toMatchObject({ isAuthenticated: false, authError: UNDECIDED });
      const warning = await started.warning(({ message }) => message === UNDECIDED.message);
      expect(warning.cause).toMatchObject({ name: 'TimeoutError' });
    },
  );

  ours('that answers when the socket is gone changes nothing', async () => {
    const answer = deferred<boolean>();
    const started = await startServer({ isTokenRevoked: () => answer.promise });
    const closures = new EventLog().record(started.server, ['closure', 'authentication']);
    const client = await started.connect();
    client.send({ event: '#handshake', data: { authToken: await started.sign({ sub: 'ann' }) }, cid: 1 });
    client.terminate();
    await closures.first('closure');
    answer.resolve(false);
    await (await started.open()).client.fence();
    expect(started.server.usersCount).toBe(0);
    expect(closures.names).toEqual(['closure']);
  });
});

describe('recheckTokens()', () => {
  ours('deauthenticates the sockets whose token was revoked since, and counts them', async () => {
    const revoked = new Set<unknown>();
    const started = await startServer({
      isTokenRevoked: async ({ jti }) => Promise.resolve(revoked.has(jti)),
    });
    const { server } = started;
    const stolen = await openAs(started, { sub: 'ann', jti: '1' });
    const good = await openAs(started, { sub: 'ann', jti: '2' });
    const other = await openAs(started, { sub: 'bob', jti: '3' });
    await started.open();
    const log = new EventLog().record(server, ['badSocketAuthToken', 'deauthentication']);
    expect(await server.recheckTokens()).toBe(0);
    revoked.add('1');
    revoked.add('3');
    expect(await server.users('ann').recheckTokens()).toBe(1);
    expect(await stolen.client.next()).toEqual({ event: '#removeAuthToken' });
    expect(other.socket.authState).toBe('authenticated');
    expect(await server.recheckTokens()).toBe(1);
    expect(other.socket.authState).toBe('unauthenticated');
    expect(good.socket.authState).toBe('authenticated');
    expect(log.of('badSocketAuthToken')).toMatchObject([{ authError: REVOKED }, { authError: REVOKED }]);
    expect(log.of('deauthentication')).toMatchObject([
      { oldAuthToken: { jti: '1' } },
      { oldAuthToken: { jti: '3' } },
    ]);
  });

  ours('leaves the token when it cannot be found out, with a warning', async () => {
    const started = await startServer({ isTokenRevoked: () => false });
    const { socket } = await openAs(started, { sub: 'ann' });
    started.server.isTokenRevoked = () => Promise.reject(new Error('store down'));
    expect(await started.server.recheckTokens()).toBe(0);
    expect(socket.authState).toBe('authenticated');
    await started.warning(({ message }) => message === UNDECIDED.message);
  });

  ours('leaves a token that the socket got while the old one was being judged', async () => {
    const answers = [deferred<boolean>()];
    const started = await startServer();
    const { socket } = await openAs(started, { sub: 'ann', jti: 'old' });
    started.server.isTokenRevoked = () => answers[0]?.promise ?? false;
    const checking = started.server.recheckTokens();
    await socket.setAuthToken({ sub: 'ann', jti: 'new' });
    answers[0]?.resolve(true);
    expect(await checking).toBe(0);
    expect(socket.authToken).toMatchObject({ jti: 'new' });
  });

  ours('says nothing about a socket that was closed meanwhile', async () => {
    const answer = deferred<boolean>();
    const started = await startServer();
    const { socket } = await openAs(started, { sub: 'ann' });
    started.server.isTokenRevoked = () => answer.promise;
    const checking = started.server.recheckTokens();
    await socket.disconnect();
    answer.resolve(true);
    expect(await checking).toBe(0);
    expect(started.warnings).toEqual([]);
  });

  ours('does not take a token for forged that is being signed', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const started = await startServer({ authKeys: [{ kid: 'a', key: privateKey }] });
    const { socket } = await started.open();
    const signing = socket.setAuthToken({ sub: 'ann' });
    expect(await started.server.recheckTokens()).toBe(0);
    await signing;
    expect(socket.authState).toBe('authenticated');
    expect(await started.server.recheckTokens()).toBe(0);
  });

  ours('goes through many sockets, none of which has to be asked', async () => {
    const started = await startServer();
    for (let count = 0; count < 300; count += 1) await openAs(started, { sub: `user ${count}` });
    started.server.isTokenRevoked = ({ sub }) => String(sub).endsWith('7');
    expect(await started.server.recheckTokens()).toBe(30);
    expect(started.server.usersCount).toBe(270);
  });
});

describe('keys that are replaced', () => {
  ours('leave every token valid that is signed with a key which is still there', async () => {
    const started = await startServer({ authKeys: [OLD] });
    const { server, open, connect } = started;
    const before = await signedBy(server, { sub: 'ann' });
    const { client, socket } = await open({ authToken: before });
    server.setAuthKeys([NEW, OLD]);
    expect((await (await connect()).handshake(before)).data).toMatchObject({ isAuthenticated: true });
    await socket.setAuthToken({ sub: 'ann' });
    const { token } = (await client.next(({ event }) => event === '#setAuthToken')).data as { token: string };
    expect(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({
      kid: 'new',
    });
    server.setAuthKeys([NEW]);
    expect((await (await connect()).handshake(token)).data).toMatchObject({ isAuthenticated: true });
    expect((await (await connect()).handshake(before)).data).toMatchObject({
      isAuthenticated: false,
      authError: { name: 'AuthTokenInvalidError', message: 'no matching key', isBadToken: true },
    });
    expect(server.defaultSignatureOptions).toMatchObject({ expiresIn: 86_400 });
  });

  ours('void the tokens of sockets when they are taken away and the tokens are judged again', async () => {
    const started = await startServer({ authKeys: [OLD] });
    const stolen = await openAs(started, { sub: 'ann' });
    started.server.setAuthKeys([NEW, OLD]);
    const fresh = await openAs(started, { sub: 'bob' });
    started.server.setAuthKeys([NEW]);
    expect(stolen.socket.authState).toBe('authenticated');
    expect(await started.server.recheckTokens()).toBe(1);
    expect(await stolen.client.next()).toEqual({ event: '#removeAuthToken' });
    expect(fresh.socket.authState).toBe('authenticated');
  });

  ours('are refused when they are none, and then the old ones stay', async () => {
    const { server, sign, connect } = await startServer({
      authKeys: [OLD],
      limits: 'public',
      origins: '*:*',
    });
    const token = await sign({ sub: 'ann' });
    expect(() => server.setAuthKeys([])).toThrow(/authKeys/);
    expect(() => server.setAuthKeys([{ kid: 'a', key: 'short' }])).toThrow(/32 bytes/);
    expect((await (await connect()).handshake(token)).data).toMatchObject({ isAuthenticated: true });
  });
});
