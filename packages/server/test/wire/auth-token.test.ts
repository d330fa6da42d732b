import { afterTest, consume, EventLog, nextValue, ours, startServer, turn } from '@socketcluster-ts/testkit';
import { describe, expect, test, vi } from 'vitest';

const AUTH_EVENTS = ['authTokenSigned', 'authStateChange', 'authenticate', 'deauthenticate'];

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

/** Lets the wall clock jump ahead, timers untouched: a token expires before any timer of it is due. */
function jumpAhead(seconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
  afterTest(() => vi.useRealTimers());
}

/** The claims of a signed token, unverified. */
function claimsOf(token: unknown): Record<string, unknown> {
  return JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

describe('`setAuthToken()`', () => {
  test('sends a token that the server accepts again, and raises its events', async () => {
    const { open, connect, server } = await startServer();
    const { client, socket } = await open();
    const log = new EventLog()
      .record(socket, AUTH_EVENTS)
      .record(server, ['authentication', 'authenticationStateChange']);
    await socket.setAuthToken({ user: 'ann' });
    const packet = await client.next();
    expect(packet).toEqual({ event: '#setAuthToken', data: { token: expect.any(String) } });
    const { token } = packet.data as { token: string };
    expect(claimsOf(token)).toMatchObject({ user: 'ann', iat: expect.any(Number), exp: expect.any(Number) });
    const { exp, iat } = claimsOf(token) as { exp: number; iat: number };
    expect(exp - iat).toBe(86_400);
    expect(socket).toMatchObject({ authState: 'authenticated', signedAuthToken: token });
    expect(socket.authToken).toEqual(claimsOf(token));
    expect(log.of('authTokenSigned')).toEqual([{ signedAuthToken: token }]);
    expect(log.of('authStateChange')).toEqual([
      { oldAuthState: 'unauthenticated', newAuthState: 'authenticated', authToken: socket.authToken },
    ]);
    expect(log.of('authenticate')).toEqual([{ authToken: socket.authToken }]);
    expect(log.of('authentication')).toEqual([{ socket, authToken: socket.authToken }]);
    expect(log.of('authenticationStateChange')).toHaveLength(1);
    expect((await (await connect()).handshake(token)).data).toMatchObject({ isAuthenticated: true });
  });

  test('changes authState and authToken at once, before the token is signed', async () => {
    const { open } = await startServer();
    const { socket } = await open();
    const setting = socket.setAuthToken({ user: 'ann' });
    expect(socket).toMatchObject({ authState: 'authenticated', authToken: { user: 'ann' } });
    await setting;
  });

  test.for([
    ['its own expiresIn', { user: 'ann' }, { expiresIn: 60 }, 60],
    ['expiresIn as text', { user: 'ann' }, { expiresIn: '2h' }, 7200],
  ] as const)('takes %s', async ([, claims, options, lifetime]) => {
    const { open } = await startServer();
    const { client, socket } = await open();
    await socket.setAuthToken({ ...claims }, options);
    const { exp, iat } = claimsOf(((await client.next()).data as { token: string }).token);
    expect(Number(exp) - Number(iat)).toBe(lifetime);
  });

  test('keeps an exp claim, whatever the default and the option say', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const exp = inSeconds(500);
    await socket.setAuthToken({ user: 'ann', exp }, { expiresIn: 60 });
    expect(claimsOf(((await client.next()).data as { token: string }).token)['exp']).toBe(exp);
  });

  ours('adds no expiry when authDefaultExpiry is null', async () => {
    const { open } = await startServer({ authDefaultExpiry: null });
    const { client, socket } = await open();
    await socket.setAuthToken({ user: 'ann' });
    expect(claimsOf(((await client.next()).data as { token: string }).token)).not.toHaveProperty('exp');
  });

  test('ignores a change of the algorithm and warns', async () => {
    const { open, warning } = await startServer();
    const { client, socket } = await open();
    await socket.setAuthToken({ user: 'ann' }, { algorithm: 'HS512' });
    expect(await warning()).toMatchObject({
      name: 'InvalidArgumentsError',
      message:
        'Cannot change auth token algorithm at runtime - It must be specified as a config option on launch',
    });
    const { token } = (await client.next()).data as { token: string };
    expect(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({
      alg: 'HS256',
    });
  });

  test('twice at once sends both tokens in order and ends with the last', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    await Promise.all([socket.setAuthToken({ n: 1 }), socket.setAuthToken({ n: 2 })]);
    const first = (await client.next()).data as { token: string };
    const second = (await client.next()).data as { token: string };
    expect([claimsOf(first.token)['n'], claimsOf(second.token)['n']]).toEqual([1, 2]);
    expect(socket).toMatchObject({ authToken: { n: 2 }, signedAuthToken: second.token });
  });

  test('with rejectOnFailedDelivery is a call that the client acknowledges', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const setting = socket.setAuthToken({ user: 'ann' }, { rejectOnFailedDelivery: true });
    const { event, cid } = await client.next();
    expect([event, cid]).toEqual(['#setAuthToken', 1]);
    client.send({ rid: 1 });
    await expect(setting).resolves.toBeUndefined();
  });

  test('with rejectOnFailedDelivery is rejected with AuthError when the client refuses', async () => {
    const { open, warning } = await startServer();
    const { client, socket } = await open();
    const setting = socket.setAuthToken({ user: 'ann' }, { rejectOnFailedDelivery: true });
    const refused = expect(setting).rejects.toMatchObject({
      name: 'AuthError',
      message: 'Failed to deliver auth token to client - no room',
    });
    await client.next();
    client.send({ rid: 1, error: { name: 'Error', message: 'no room' } });
    await refused;
    expect(await warning((error) => error.name === 'AuthError')).toBeInstanceOf(Error);
  });

  test.for([
    ['undefined', undefined, {}],
    ['a string', 'text', {}],
    ['an array', ['x'], {}],
    ['an unknown option', { user: 'ann' }, { nonsense: 1 }],
    ['iss twice', { user: 'ann', iss: 'a' }, { issuer: 'b' }],
  ] as const)('of %s is rejected and closes the socket with 4002', async ([, claims, options]) => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    const log = new EventLog().record(server, ['disconnection']);
    await expect(socket.setAuthToken(claims as unknown as object, options as never)).rejects.toBeInstanceOf(
      Error,
    );
    expect(await client.ended()).toEqual({ code: 4002, reason: '' });
    await log.first('disconnection');
    expect(log.of('disconnection')).toMatchObject([{ code: 4002, reason: expect.stringMatching(/\S/) }]);
  });

  ours('that fails leaves the closed socket unauthenticated', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    await socket.setAuthToken({ user: 'ann' }, { nonsense: 1 }).catch(() => {});
    await client.ended();
    expect(socket.authState).toBe('unauthenticated');
  });

  test('before the handshake is through is rejected', async () => {
    const { connect, server } = await startServer();
    const refusals: unknown[] = [];
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, async (action) => {
        if (action.type === action.HANDSHAKE_SC) {
          await action.socket.setAuthToken({ user: 'ann' }).catch((error: unknown) => refusals.push(error));
        }
        action.allow();
      }),
    );
    const client = await connect();
    expect((await client.handshake()).data).toMatchObject({ isAuthenticated: false });
    expect(refusals).toMatchObject([
      { name: 'InvalidActionError', message: 'Cannot call setAuthToken before completing the handshake' },
    ]);
  });
});

describe('`deauthenticate()`', () => {
  test('tells the client to remove its token, after the events', async () => {
    const { open, sign } = await startServer();
    const { client, socket } = await open({ authToken: await sign({ user: 'ann' }) });
    const log = new EventLog().record(socket, AUTH_EVENTS);
    await turn();
    await socket.deauthenticate();
    expect(await client.next()).toEqual({ event: '#removeAuthToken' });
    expect(log.names.slice(-2)).toEqual(['authStateChange', 'deauthenticate']);
    expect(log.of('deauthenticate')).toMatchObject([{ oldAuthToken: { user: 'ann' } }]);
    expect(socket).toMatchObject({ authState: 'unauthenticated', authToken: null, signedAuthToken: null });
  });

  test('with rejectOnFailedDelivery is a call that the client acknowledges', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const removing = socket.deauthenticate({ rejectOnFailedDelivery: true });
    expect(await client.next()).toEqual({ event: '#removeAuthToken', cid: 1 });
    client.send({ rid: 1 });
    await removing;
  });

  test('with rejectOnFailedDelivery is rejected when the connection closes', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const removing = socket.deauthenticate({ rejectOnFailedDelivery: true });
    const refused = expect(removing).rejects.toMatchObject({ name: 'BadConnectionError' });
    await client.next();
    client.terminate();
    await refused;
  });
});

describe('a token that expires on a live socket', () => {
  test('is dropped at the next packet, whose action carries the error', async () => {
    const { open, server } = await startServer();
    const expiredErrors: unknown[] = [];
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, (action) => {
        if (action.type === action.TRANSMIT) expiredErrors.push(action.authTokenExpiredError);
        action.allow();
      }),
    );
    const { client, socket } = await open();
    const exp = inSeconds(3600);
    await socket.setAuthToken({ user: 'ann', exp });
    jumpAhead(3700);
    const gone = nextValue(socket.listener('deauthenticate'));
    client.transmit('custom', 1);
    client.transmit('custom', 2);
    expect(await gone).toMatchObject({ oldAuthToken: { user: 'ann' } });
    expect(await client.next((packet) => packet.event === '#removeAuthToken')).toEqual({
      event: '#removeAuthToken',
    });
    await client.fence();
    expect(expiredErrors).toMatchObject([
      { name: 'AuthTokenExpiredError', message: 'The socket auth token has expired', expiry: exp },
      undefined,
    ]);
    expect(socket.authState).toBe('unauthenticated');
  });

  test.for([
    ['#publish', { channel: 'c' }],
    ['#subscribe', { channel: 'c' }],
    ['#unsubscribe', 'c'],
  ] as const)('is dropped by %s, which is answered all the same', async ([event, data]) => {
    const { open } = await startServer();
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'c' });
    await socket.setAuthToken({ user: 'ann', exp: inSeconds(3600) });
    await client.next((packet) => packet.event === '#setAuthToken');
    jumpAhead(3700);
    expect(await client.call(event, data)).toEqual({ rid: 3 });
    await client.next((packet) => packet.event === '#removeAuthToken');
    expect(socket.authState).toBe('unauthenticated');
  });

  test('is dropped by a pong', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    await socket.setAuthToken({ user: 'ann', exp: inSeconds(3600) });
    jumpAhead(3700);
    client.pong();
    await client.next((packet) => packet.event === '#removeAuthToken');
    expect(socket.authState).toBe('unauthenticated');
  });

  ours('is dropped at its deadline even while the socket is silent', async () => {
    const { open } = await startServer({ pingInterval: 60_000, pingTimeout: 120_000 });
    const { client, socket } = await open();
    const gone = nextValue(socket.listener('deauthenticate'));
    await socket.setAuthToken({ user: 'ann', exp: inSeconds(1) });
    expect(await gone).toMatchObject({ oldAuthToken: { user: 'ann' } });
    await client.next((packet) => packet.event === '#removeAuthToken');
    expect(socket.authState).toBe('unauthenticated');
  });
});

describe('keys', () => {
  test('may be exchanged while the server runs', async () => {
    const { connect, server, sign } = await startServer();
    const before = await sign({ user: 'ann' });
    server.signatureKey = 'another key of thirty-two bytes!';
    server.verificationKey = 'another key of thirty-two bytes!';
    const after = await sign({ user: 'ann' });
    expect((await (await connect()).handshake(before)).data).toMatchObject({ isAuthenticated: false });
    expect((await (await connect()).handshake(after)).data).toMatchObject({ isAuthenticated: true });
  });
});
