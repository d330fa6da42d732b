import {
  afterTest,
  answer,
  collected,
  nextValue,
  onConnection,
  socketOf,
  startServer,
  take,
  until,
} from '@socketcluster-ts/testkit';
import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { connectClient, createClient } from './client.js';
import { leaveOutWith } from './left-out.js';
import { storedToken } from './stored-token.js';

const authKey = 'a secret of at least thirty-two bytes';

describe('the server sets a token', () => {
  test('the client is authenticated and keeps the signed token', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const atClient = nextValue(client.listener('authenticate'));
    const changed = nextValue(client.listener('authStateChange'));
    const atServer = nextValue(started.server.listener('authentication'));
    await socket.setAuthToken({ user: 'ada', roles: ['admin'] });

    const { signedAuthToken, authToken } = await atClient;
    expect(authToken).toMatchObject({ user: 'ada', roles: ['admin'] });
    expect(await changed).toMatchObject({ oldAuthState: 'unauthenticated', newAuthState: 'authenticated' });
    expect(await atServer).toMatchObject({ socket, authToken: { user: 'ada' } });
    expect(client.authState).toBe('authenticated');
    expect(client.authToken).toEqual(authToken);
    expect(await client.auth.loadToken(client.authTokenName)).toBe(signedAuthToken);
    expect(jwt.verify(String(signedAuthToken), authKey, { algorithms: ['HS256'] })).toEqual(authToken);
  });

  test('the token expires after a day unless another expiry is given', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const tokens = take(client.listener('authenticate'), 3);
    await socket.setAuthToken({ user: 'ada' });
    await socket.setAuthToken({ user: 'ada' }, { expiresIn: '2h' });
    await socket.setAuthToken({ user: 'ada', exp: 4_000_000_000 });

    const claims = (await tokens).map((event) => event['authToken'] as { exp: number; iat: number });
    expect(claims.map(({ exp, iat }) => exp - iat).slice(0, 2)).toEqual([86_400, 7200]);
    expect(claims[2]?.exp).toBe(4_000_000_000);
  });

  test('a new token refreshes the old one without a change of state', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const changes = collected(client.listener('authStateChange'));
    const tokens = take(client.listener('authenticate'), 2);
    await socket.setAuthToken({ user: 'ada', version: 1 });
    await socket.setAuthToken({ user: 'ada', version: 2 });
    const [, second] = await tokens;

    expect(client.authToken).toMatchObject({ version: 2 });
    expect(client.signedAuthToken).toBe(second?.['signedAuthToken']);
    expect(socket.authToken).toMatchObject({ version: 2 });
    expect(changes).toHaveLength(1);
  });

  test('with `rejectOnFailedDelivery` the promise waits for the client', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    await socket.setAuthToken({ user: 'ada' }, { rejectOnFailedDelivery: true });

    expect(client.authState).toBe('authenticated');
    client.disconnect();
    await until(() => socket.state === 'closed');
    await expect(
      socket.setAuthToken({ user: 'ada' }, { rejectOnFailedDelivery: true }),
    ).rejects.toMatchObject({
      name: 'AuthError',
    });
  });

  test.each([
    ['RS256', 'rsa' as const, { modulusLength: 2048 }],
    ['ES256', 'ec' as const, { namedCurve: 'P-256' }],
  ])('a pair of keys signs and verifies %s tokens', async (algorithm, type, keyOptions) => {
    const { generateKeyPairSync } = await import('node:crypto');
    const { privateKey, publicKey } = generateKeyPairSync(type as 'rsa', {
      ...(keyOptions as { modulusLength: number }),
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const started = await startServer({
      authPrivateKey: privateKey,
      authPublicKey: publicKey,
      authAlgorithm: algorithm,
    });
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const received = nextValue(client.listener('authenticate'));
    await socket.setAuthToken({ user: 'ada' });
    const token = (await received).signedAuthToken;
    const other = await connectClient(started, { authEngine: storedToken(token) });

    expect(jwt.decode(String(token), { complete: true })?.header.alg).toBe(algorithm);
    expect(other.authToken).toMatchObject({ user: 'ada' });
    expect(other.authState).toBe('authenticated');
  });
});

describe('a token is taken away', () => {
  test('`socket.deauthenticate()` makes the client forget its token', async () => {
    const started = await startServer({ authKey });
    const token = jwt.sign({ user: 'ada' }, authKey);
    const authEngine = storedToken(token);
    const client = await connectClient(started, { authEngine });
    const socket = await socketOf(started, client);
    const removed = nextValue(client.listener('removeAuthToken'));
    const atServer = nextValue(started.server.listener('deauthentication'));
    await socket.deauthenticate();

    expect(await removed).toEqual({ oldAuthToken: token });
    expect(await atServer).toMatchObject({ oldAuthToken: { user: 'ada' } });
    expect(client.authState).toBe('unauthenticated');
    expect(authEngine.token).toBeNull();
    expect(socket.authToken).toBeNull();
  });

  test('`client.deauthenticate()` reaches the server', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started, {
      authEngine: storedToken(jwt.sign({ user: 'ada' }, authKey)),
    });
    const socket = await socketOf(started, client);
    const changed = nextValue(started.server.listener('authenticationStateChange'));
    const atSocket = nextValue(socket.listener('deauthenticate'));
    await client.deauthenticate();

    expect(await changed).toMatchObject({ oldAuthState: 'authenticated', newAuthState: 'unauthenticated' });
    expect(await atSocket).toMatchObject({ oldAuthToken: { user: 'ada' } });
    expect(socket.authState).toBe('unauthenticated');
    expect(socket.signedAuthToken).toBeNull();
  });

  test('a token that expires while connected is taken away by itself', async () => {
    const started = await startServer({ authKey, pingInterval: 100 });
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const gone = nextValue(client.listener('deauthenticate'));
    const atServer = nextValue(started.server.listener('deauthentication'));
    await socket.setAuthToken({ user: 'ada' }, { expiresIn: 1 });

    expect(await gone).toMatchObject({ oldAuthToken: { user: 'ada' } });
    expect(await atServer).toMatchObject({ oldAuthToken: { user: 'ada' } });
    expect(client.state).toBe('open');
    expect(socket.authState).toBe('unauthenticated');
  });

  test('subscriptions that wait for a token survive its removal', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started, {
      authEngine: storedToken(jwt.sign({ user: 'ada' }, authKey)),
    });
    const channel = client.subscribe('private', { waitForAuth: true });
    await nextValue(channel.listener('subscribe'));
    const socket = await socketOf(started, client);
    const message = nextValue(channel);
    await socket.deauthenticate();
    await started.server.exchange.invokePublish('private', 'still here');

    expect(await message).toBe('still here');
    expect(socket.subscriptions()).toEqual(['private']);
  });
});

describe('a token in the handshake', () => {
  test('a good one authenticates the connection from the start', async () => {
    const started = await startServer({ authKey });
    const connection = nextValue(started.server.listener('connection'));
    const token = jwt.sign({ user: 'ada' }, authKey);
    const client = createClient(started, { authEngine: storedToken(token) });
    const status = await nextValue(client.listener('connect'));

    expect(status).toMatchObject({ isAuthenticated: true, authToken: token });
    expect(await connection).toMatchObject({ isAuthenticated: true, socket: { authToken: { user: 'ada' } } });
    expect(client.authState).toBe('authenticated');
  });

  test.each([
    ['an expired one', () => jwt.sign({ exp: 1000 }, authKey), 'AuthTokenExpiredError', 'jwt expired'],
    ['a foreign one', () => jwt.sign({}, 'somebody else'), 'AuthTokenInvalidError', 'invalid signature'],
    ['a garbled one', () => 'no token at all', 'AuthTokenInvalidError', 'jwt malformed'],
    [
      'an unsigned one',
      () => jwt.sign({}, '', { algorithm: 'none' }),
      'AuthTokenInvalidError',
      'jwt signature is required',
    ],
  ])('%s is refused and removed, and the connection stands', async (_what, sign, name, message) => {
    const started = await startServer({ authKey });
    const token = sign();
    const bad = nextValue(started.server.listener('badSocketAuthToken'));
    const authEngine = storedToken(token);
    const client = createClient(started, { authEngine });
    const removed = nextValue(client.listener('removeAuthToken'));
    const status = await nextValue(client.listener('connect'));

    expect(status).toMatchObject({ isAuthenticated: false, authError: { name, message, isBadToken: true } });
    expect(await bad).toMatchObject({ signedAuthToken: token, authError: { name } });
    expect(await removed).toEqual({ oldAuthToken: token });
    expect(authEngine.token).toBeNull();
    expect(client.state).toBe('open');
  });

  test('one that is not yet active is refused and kept', async () => {
    const started = await startServer({ authKey });
    const authEngine = storedToken(jwt.sign({ nbf: 4_000_000_000 }, authKey));
    const client = createClient(started, { authEngine });
    const removed = collected(client.listener('removeAuthToken'));
    const status = await nextValue(client.listener('connect'));

    expect(status).toMatchObject({
      isAuthenticated: false,
      authError: { name: 'AuthTokenNotBeforeError', message: 'jwt not active', isBadToken: false },
    });
    await client.invokePublish('fence', null);
    expect(removed).toEqual([]);
    expect(authEngine.token).not.toBeNull();
  });

  test('one of another HMAC algorithm than the configured one is refused', async () => {
    leaveOutWith('the published server', 'takes every HMAC algorithm');
    const started = await startServer({ authKey });
    const authEngine = storedToken(jwt.sign({}, authKey, { algorithm: 'HS512' }));
    const client = createClient(started, { authEngine });

    expect(await nextValue(client.listener('connect'))).toMatchObject({
      isAuthenticated: false,
      authError: { name: 'AuthTokenInvalidError', message: 'invalid algorithm' },
    });
  });

  test('`authVerifyAlgorithms` admits what it lists', async () => {
    const started = await startServer({ authKey, authVerifyAlgorithms: ['HS256', 'HS512'] });
    const authEngine = storedToken(jwt.sign({ user: 'ada' }, authKey, { algorithm: 'HS512' }));

    expect((await connectClient(started, { authEngine })).authState).toBe('authenticated');
  });

  test('a token the server has set authenticates the next connection', async () => {
    const started = await startServer({ authKey });
    onConnection(started, (socket) => answer(socket, 'who', () => socket.authToken?.['user']));
    const client = await connectClient(started);
    const authenticated = nextValue(client.listener('authenticate'));
    await (await socketOf(started, client)).setAuthToken({ user: 'ada' });
    await authenticated;
    const again = nextValue(client.listener('connect'));
    client.reconnect();

    expect(await again).toMatchObject({ isAuthenticated: true });
    expect(await client.invoke('who')).toBe('ada');
  });
});

describe('the client authenticates itself', () => {
  test('a good token authenticates, and waiting subscriptions go through', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started);
    const channel = client.subscribe('private', { waitForAuth: true });
    await client.invokePublish('fence', null);
    expect(channel.state).toBe('pending');
    const subscribed = nextValue(channel.listener('subscribe'));

    expect(await client.authenticate(jwt.sign({ user: 'ada' }, authKey))).toEqual({
      isAuthenticated: true,
      authError: null,
    });
    await subscribed;
    expect((await socketOf(started, client)).authToken).toMatchObject({ user: 'ada' });
  });

  test.each([
    ['an expired token', () => jwt.sign({ exp: 1000 }, authKey), 'AuthTokenExpiredError'],
    ['a foreign token', () => jwt.sign({}, 'somebody else'), 'AuthTokenInvalidError'],
    ['a garbled token', () => 'a.b.c', 'AuthTokenInvalidError'],
  ])('%s is refused and forgotten', async (_what, sign, name) => {
    const started = await startServer({ authKey });
    const client = await connectClient(started);
    const removed = nextValue(client.listener('removeAuthToken'));

    await expect(client.authenticate(sign())).rejects.toMatchObject({ name, isBadToken: true });
    await removed;
    expect(client.authState).toBe('unauthenticated');
    expect((await socketOf(started, client)).authState).toBe('unauthenticated');
  });

  test('no token is refused as a bad one is', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started);

    await expect(client.authenticate(null as unknown as string)).rejects.toMatchObject({
      name: 'AuthTokenInvalidError',
      isBadToken: true,
    });
    expect(client.authState).toBe('unauthenticated');
  });

  test('a token that is not yet active is answered with the reason', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started);
    const status = await client.authenticate(jwt.sign({ nbf: 4_000_000_000 }, authKey));

    expect(status).toMatchObject({
      isAuthenticated: false,
      authError: { name: 'AuthTokenNotBeforeError', isBadToken: false },
    });
    expect(client.authState).toBe('unauthenticated');
  });

  test('another token replaces the one in use', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started, {
      authEngine: storedToken(jwt.sign({ user: 'ada' }, authKey)),
    });
    await client.authenticate(jwt.sign({ user: 'bob' }, authKey));

    expect((await socketOf(started, client)).authToken).toMatchObject({ user: 'bob' });
    expect(client.authToken).toMatchObject({ user: 'bob' });
  });

  test('a bad token ends the session that a good one began', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started, {
      authEngine: storedToken(jwt.sign({ user: 'ada' }, authKey)),
    });
    const socket = await socketOf(started, client);

    await expect(client.authenticate('a.b.c')).rejects.toMatchObject({ name: 'AuthTokenInvalidError' });
    expect(socket.authState).toBe('unauthenticated');
    expect(socket.authToken).toBeNull();
  });

  test('a key swapped at run time decides from then on', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started);
    const old = jwt.sign({ user: 'ada' }, authKey);
    started.server.verificationKey = 'the new secret, no shorter than the old one';

    await expect(client.authenticate(old)).rejects.toMatchObject({ message: 'invalid signature' });
    const fresh = jwt.sign({ user: 'ada' }, 'the new secret, no shorter than the old one');
    expect(await client.authenticate(fresh)).toMatchObject({ isAuthenticated: true });
  });
});

describe('who waits for a change of the token', () => {
  test('goes on once the loops over its events have run', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started);
    const changes = collected(client.listener('authStateChange'));
    const told = (): string[] => changes.map((change) => change['newAuthState']);
    await client.authenticate(jwt.sign({ user: 'ada' }, authKey));
    expect(told()).toEqual(['authenticated']);
    await expect(client.authenticate('no token')).rejects.toThrow();
    expect(told()).toEqual(['authenticated', 'unauthenticated']);
    await client.authenticate(jwt.sign({ user: 'ada' }, authKey));
    await client.deauthenticate();
    expect(told().slice(2)).toEqual(['authenticated', 'unauthenticated']);
  });
});

describe('an application in Node.js with a localStorage of its own', () => {
  test('is authenticated by the token that is in it, and finds a new one there', async () => {
    const items = new Map([['kept', jwt.sign({ user: 'ada' }, authKey)]]);
    Object.defineProperty(globalThis, 'localStorage', {
      configurable: true,
      value: {
        getItem: (name: string) => items.get(name) ?? null,
        setItem: (name: string, value: unknown) => items.set(name, String(value)),
        removeItem: (name: string) => items.delete(name),
      },
    });
    afterTest(() => Reflect.deleteProperty(globalThis, 'localStorage'));
    const started = await startServer({ authKey });
    const client = await connectClient(started, { authTokenName: 'kept' });
    expect(client.authToken).toMatchObject({ user: 'ada' });
    const fresh = jwt.sign({ user: 'grace' }, authKey);
    await client.authenticate(fresh);
    expect([...items]).toEqual([['kept', fresh]]);
    const removed = nextValue(client.listener('removeAuthToken'));
    await client.deauthenticate();
    await removed;
    expect(items.size).toBe(0);
  });
});
