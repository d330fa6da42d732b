import { consume, EventLog, nextValue, ours, startServer } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const AUTH_EVENTS = ['badAuthToken', 'deauthenticate', 'authenticate', 'authStateChange', 'error'];

const inPast = (): number => Math.floor(Date.now() / 1000) - 60;
const inFuture = (): number => Math.floor(Date.now() / 1000) + 3600;

describe('#authenticate', () => {
  test('with a valid token authenticates, and raises its events before the answer', async () => {
    const { open, server, sign } = await startServer();
    const { client, socket } = await open();
    const log = new EventLog()
      .record(socket, AUTH_EVENTS)
      .record(server, ['authentication', 'authenticationStateChange']);
    const signed = await sign({ user: 'ann' });
    expect(await client.call('#authenticate', signed)).toEqual({
      rid: 2,
      data: { isAuthenticated: true, authError: null },
    });
    expect(log.names.toSorted()).toEqual([
      'authStateChange',
      'authenticate',
      'authentication',
      'authenticationStateChange',
    ]);
    expect(log.of('authStateChange')).toEqual([
      { oldAuthState: 'unauthenticated', newAuthState: 'authenticated', authToken: socket.authToken },
    ]);
    expect(log.of('authenticate')).toEqual([{ authToken: socket.authToken }]);
    expect(socket).toMatchObject({
      authState: 'authenticated',
      signedAuthToken: signed,
      authToken: { user: 'ann' },
    });
  });

  test('with another token replaces the current one without a change of state', async () => {
    const { open, sign } = await startServer();
    const { client, socket } = await open({ authToken: await sign({ user: 'ann' }) });
    const log = new EventLog().record(socket, AUTH_EVENTS);
    await client.call('#authenticate', await sign({ user: 'bob' }));
    expect(socket.authToken).toMatchObject({ user: 'bob' });
    expect(log.names).toEqual(['authenticate']);
  });

  test.for([
    ['expired', 'AuthTokenExpiredError', 'jwt expired'],
    ['malformed', 'AuthTokenInvalidError', 'jwt malformed'],
  ] as const)(
    'with a token that is %s is answered with an error and told to remove it',
    async ([kind, name, message]) => {
      const { open, sign, warning } = await startServer();
      const { client, socket } = await open();
      const log = new EventLog().record(socket, AUTH_EVENTS);
      const token = kind === 'expired' ? await sign({ exp: inPast() }) : 'nonsense';
      expect(await client.call('#authenticate', token)).toMatchObject({
        rid: 2,
        error: { name, message, isBadToken: true },
      });
      expect(await client.next()).toEqual({ event: '#removeAuthToken' });
      await client.fence();
      expect(log.names).toEqual(['error', 'badAuthToken', 'deauthenticate']);
      expect(log.of('badAuthToken')).toMatchObject([
        { signedAuthToken: token, authError: { name, isBadToken: true } },
      ]);
      expect(await warning()).toMatchObject({ name });
      expect(socket.state).toBe('open');
    },
  );

  test.for([null, undefined])('with the token %j is answered with an error', async (token) => {
    const { open } = await startServer();
    const { client } = await open();
    expect(await client.call('#authenticate', token)).toMatchObject({
      rid: 2,
      error: { name: 'AuthTokenInvalidError', message: 'jwt must be provided', isBadToken: true },
    });
    expect(await client.next()).toEqual({ event: '#removeAuthToken' });
  });

  test.for([5, true, {}, ['x'], { token: 'x' }])(
    'with the token %j is answered with an error',
    async (token) => {
      const { open } = await startServer();
      const { client } = await open();
      expect(await client.call('#authenticate', token)).toMatchObject({
        rid: 2,
        error: { message: 'Invalid token format - Token must be a string', isBadToken: true },
      });
      await client.fence();
    },
  );

  ours('with a bad token tells the token that is lost and the change of state', async () => {
    const { open, sign } = await startServer();
    const { client, socket } = await open({ authToken: await sign({ user: 'ann' }) });
    const log = new EventLog().record(socket, AUTH_EVENTS);
    await client.call('#authenticate', 'nonsense');
    await log.first('deauthenticate');
    await client.fence();
    expect(log.of('deauthenticate')).toMatchObject([{ oldAuthToken: { user: 'ann' } }]);
    expect(log.of('authStateChange')).toEqual([
      { oldAuthState: 'authenticated', newAuthState: 'unauthenticated' },
    ]);
    expect(socket).toMatchObject({ authState: 'unauthenticated', authToken: null, signedAuthToken: null });
  });

  test('with a token that is not yet active is answered without success', async () => {
    const { open, sign } = await startServer();
    const { client } = await open();
    expect(await client.call('#authenticate', await sign({ user: 'ann', nbf: inFuture() }))).toMatchObject({
      rid: 2,
      data: { isAuthenticated: false, authError: { name: 'AuthTokenNotBeforeError', isBadToken: false } },
    });
    await client.fence();
    expect(client.received.filter((packet) => packet.event !== undefined)).toEqual([]);
  });

  ours(
    'with a token that is not yet active takes nothing from an authenticated socket silently',
    async () => {
      const { open, sign } = await startServer();
      const { client, socket } = await open({ authToken: await sign({ user: 'ann' }) });
      const log = new EventLog().record(socket, AUTH_EVENTS);
      await client.call('#authenticate', await sign({ user: 'bob', nbf: inFuture() }));
      await client.fence();
      const isKept = socket.authState === 'authenticated';
      expect(log.of('authStateChange')).toHaveLength(isKept ? 0 : 1);
      expect(socket.authToken === null).toBe(!isKept);
      expect(socket.signedAuthToken === null).toBe(!isKept);
    },
  );

  test('blocked by the middleware is answered without success', async () => {
    const { open, server, sign } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, (action) => {
        if (action.type === action.AUTHENTICATE) {
          action.block(Object.assign(new Error('not today'), { name: 'NotTodayError' }));
        } else action.allow();
      }),
    );
    const { client, socket } = await open();
    expect(await client.call('#authenticate', await sign({ user: 'ann' }))).toEqual({
      rid: 2,
      data: { isAuthenticated: false, authError: { name: 'NotTodayError', message: 'not today' } },
    });
    expect(socket).toMatchObject({ authState: 'unauthenticated', authToken: null });
    await client.fence();
    expect(client.received.filter((packet) => packet.event !== undefined)).toEqual([]);
  });

  ours('blocked by the middleware leaves no token behind', async () => {
    const { open, server, sign } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, (action) => {
        if (action.type === action.AUTHENTICATE) action.block(new Error('not today'));
        else action.allow();
      }),
    );
    const { client, socket } = await open();
    await client.call('#authenticate', await sign({ user: 'ann' }));
    expect(socket).toMatchObject({ authState: 'unauthenticated', authToken: null, signedAuthToken: null });
  });

  test('blocked with a bad-token error is answered with the error and told to remove it', async () => {
    const { open, server, sign } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, (action) => {
        if (action.type === action.AUTHENTICATE) {
          action.block(Object.assign(new Error('banned'), { name: 'BannedError', isBadToken: true }));
        } else action.allow();
      }),
    );
    const { client, socket } = await open();
    const log = new EventLog().record(socket, AUTH_EVENTS);
    expect(await client.call('#authenticate', await sign({ user: 'ann' }))).toMatchObject({
      rid: 2,
      error: { name: 'BannedError', message: 'banned', isBadToken: true },
    });
    expect(await client.next()).toEqual({ event: '#removeAuthToken' });
    await client.fence();
    expect(log.names).toContain('badAuthToken');
    expect(log.names).toContain('deauthenticate');
  });

  test('without cid closes with 4008', async () => {
    const { open, sign, warning } = await startServer();
    const { client } = await open();
    client.send({ event: '#authenticate', data: await sign({ user: 'ann' }) });
    expect(await client.ended()).toEqual({ code: 4008, reason: '' });
    expect(await warning((error) => error.name === 'InvalidActionError')).toMatchObject({
      message: 'Authenticate request was malformatted',
    });
  });

  test('hands its request to the procedure after it was answered', async () => {
    const { open, sign } = await startServer();
    const { client, socket } = await open();
    const called = nextValue(socket.procedure('#authenticate'));
    const signed = await sign({ user: 'ann' });
    await client.call('#authenticate', signed);
    expect(await called).toMatchObject({ procedure: '#authenticate', data: signed, sent: true });
  });
});

describe('#removeAuthToken from the client', () => {
  test.for([
    ['without cid', '{"event":"#removeAuthToken"}'],
    ['with cid', '{"event":"#removeAuthToken","cid":50}'],
  ] as const)('%s deauthenticates and is never answered', async ([, text]) => {
    const { open, server, sign } = await startServer();
    const { client, socket } = await open({ authToken: await sign({ user: 'ann' }) });
    const log = new EventLog()
      .record(socket, AUTH_EVENTS)
      .record(server, ['deauthentication', 'authenticationStateChange']);
    await client.call('#subscribe', { channel: 'c' });
    client.send(text);
    await client.fence();
    expect(client.received).toHaveLength(4);
    expect(log.of('authStateChange')).toEqual([
      { oldAuthState: 'authenticated', newAuthState: 'unauthenticated' },
    ]);
    expect(log.of('deauthenticate')).toMatchObject([{ oldAuthToken: { user: 'ann' } }]);
    expect(log.of('deauthentication')).toMatchObject([{ socket, oldAuthToken: { user: 'ann' } }]);
    expect(log.of('authenticationStateChange')).toHaveLength(1);
    expect(log.names.indexOf('authStateChange')).toBeLessThan(log.names.indexOf('deauthenticate'));
    expect(socket).toMatchObject({ authState: 'unauthenticated', authToken: null, signedAuthToken: null });
    expect(socket.subscriptions()).toEqual(['c']);
  });

  test('raises `deauthenticate` even when there is no token, and hands its data to the receiver', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const log = new EventLog().record(socket, AUTH_EVENTS);
    const received = nextValue(socket.receiver('#removeAuthToken'));
    client.send({ event: '#removeAuthToken', data: 'bye' });
    expect(await received).toBe('bye');
    await client.fence();
    expect(log.names).toEqual(['deauthenticate']);
  });
});
