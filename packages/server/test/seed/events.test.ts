import { createServer } from 'node:http';
import { afterTest, EventLog, nextValue, ours, serverModule, startServer } from '@socketcluster-ts/testkit';
import jsonwebtoken from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';

const { AGServerSocket, AGSimpleBroker, attach } = serverModule;
const authKey = 'a secret of thirty-two bytes, or more';

function tokenOf(claims: object): string {
  return jsonwebtoken.sign(claims, authKey);
}

function secondsFromNow(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

describe('of the server', () => {
  test('event `error`: carries the fault of the HTTP server, which does not crash the process', async () => {
    const { port } = await startServer();
    const httpServer = createServer();
    const second = attach(httpServer);
    afterTest(() => second.close());
    const failed = nextValue(second.listener('error'));
    httpServer.listen(port, '127.0.0.1');

    const payload = await failed;
    expect(Object.keys(payload)).toEqual(['error']);
    expect(payload.error).toMatchObject({ code: 'EADDRINUSE' });
  });

  test('event `warning`: carries every error of a socket', async () => {
    const { server, open } = await startServer();
    const { client, socket } = await open();
    const onSocket = nextValue(socket.listener('error'));
    const onServer = nextValue(server.listener('warning'));
    await client.call('#unsubscribe', 'never subscribed');

    const payload = await onServer;
    expect(Object.keys(payload)).toEqual(['warning']);
    expect(payload.warning).toMatchObject({ name: 'BrokerError' });
    expect((await onSocket).error).toBe(payload.warning);
  });

  ours(
    'event `ready`: reaches a listener made after the server, even with a broker that is ready',
    async () => {
      const brokerEngine = new AGSimpleBroker();
      await brokerEngine.listener('ready').once();
      const server = attach(createServer(), { brokerEngine });
      expect(await nextValue(server.listener('ready'))).toEqual({});
      expect(server.isReady).toBe(true);
    },
  );

  test('event `ready`: is emitted once, when the default broker is ready', async () => {
    const server = attach(createServer());
    expect(server.isReady).toBe(false);
    expect(await nextValue(server.listener('ready'))).toEqual({});
    expect(server.isReady).toBe(true);
  });
});

describe('of a connection', () => {
  test('event `handshake`: comes when the socket exists, before the client has sent anything', async () => {
    const { server, connect } = await startServer();
    const begun = nextValue(server.listener('handshake'));
    await connect();

    const payload = await begun;
    expect(Object.keys(payload)).toEqual(['socket']);
    expect(payload.socket).toBeInstanceOf(AGServerSocket);
    expect(payload.socket.state).toBe('connecting');
    expect(payload.socket.exchange).toBe(server.exchange);
  });

  test('event `connection`: comes after the handshake, with id, pingTimeout and isAuthenticated', async () => {
    const { server, connect } = await startServer({ pingTimeout: 21_000 });
    const log = new EventLog().record(server, ['handshake', 'connection']);
    const client = await connect();
    await client.handshake();

    const payload = await log.first('connection');
    expect(log.names).toEqual(['handshake', 'connection']);
    expect(payload).toEqual({
      socket: server.clients[client.id],
      id: client.id,
      pingTimeout: 21_000,
      isAuthenticated: false,
    });
  });

  test('event `connection`: has an authError, an Error, when the token of the handshake was refused', async () => {
    const { server, connect } = await startServer({ authKey });
    const connected = nextValue(server.listener('connection'));
    await (await connect()).handshake('not a token');

    const payload = await connected;
    expect(payload.isAuthenticated).toBe(false);
    expect(payload.authError).toBeInstanceOf(Error);
    expect(payload.authError).toMatchObject({ name: 'AuthTokenInvalidError', message: 'jwt malformed' });
  });

  test('event `connectionAbort`: comes instead of a disconnection when the handshake was not complete', async () => {
    const { server, connect } = await startServer();
    const log = new EventLog().record(server, ['handshake', 'connectionAbort', 'disconnection', 'closure']);
    const client = await connect();
    const { socket } = await log.first('handshake');
    client.close(4100, 'changed my mind');

    await log.first('closure');
    expect(log.names).toEqual(['handshake', 'connectionAbort', 'closure']);
    expect(log.of('connectionAbort')).toEqual([{ socket, code: 4100, reason: 'changed my mind' }]);
  });

  test('event `disconnection`: tells code and reason of a connection that was open', async () => {
    const { server, open } = await startServer();
    const { client, socket } = await open();
    const log = new EventLog().record(server, ['connectionAbort', 'disconnection', 'closure']);
    client.close(4100, 'enough');

    await log.first('closure');
    expect(log.names).toEqual(['disconnection', 'closure']);
    expect(log.of('disconnection')).toEqual([{ socket, code: 4100, reason: 'enough' }]);
  });

  test('event `disconnection`: has the text of the code when no reason was given', async () => {
    const { server, open } = await startServer();
    const { client } = await open();
    const gone = nextValue(server.listener('disconnection'));
    client.terminate();
    expect(await gone).toMatchObject({ code: 1006, reason: 'Socket hung up' });
  });

  test('event `closure`: comes for every socket that closes, at whatever stage', async () => {
    const { server, connect, open } = await startServer();
    const log = new EventLog().record(server, ['closure']);
    const { client, socket } = await open();
    const pending = await connect();
    client.close(4101, 'open');
    pending.close(4102, 'pending');

    await log.times('closure', 2);
    expect(log.of('closure')).toContainEqual({ socket, code: 4101, reason: 'open' });
    expect(log.of('closure')).toContainEqual(expect.objectContaining({ code: 4102, reason: 'pending' }));
  });
});

describe('of channels', () => {
  ours(
    'event `subscription`: tells socket, channel and options, under the old and the new name',
    async () => {
      const { server, open } = await startServer();
      const { client, socket } = await open();
      const subscribed = nextValue(server.listener('subscription'));
      await client.call('#subscribe', { channel: 'news', waitForAuth: true, data: { since: 5 } });

      const payload = await subscribed;
      expect(Object.keys(payload).toSorted()).toEqual([
        'channel',
        'channelOptions',
        'socket',
        'subscriptionOptions',
      ]);
      expect(payload.socket).toBe(socket);
      expect(payload.channel).toBe('news');
      expect(payload.channelOptions).toEqual({ waitForAuth: true, data: { since: 5 } });
      expect(payload.subscriptionOptions).toBe(payload.channelOptions);
    },
  );

  test('event `subscription`: comes before the client is answered', async () => {
    const { server, open } = await startServer();
    const { client } = await open();
    const log = new EventLog().record(server, ['subscription']);
    await client.call('#subscribe', { channel: 'news' });
    expect(log.of('subscription')).toEqual([expect.objectContaining({ channel: 'news' })]);
  });

  test('event `unsubscription`: tells socket and channel', async () => {
    const { server, open } = await startServer();
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'news' });
    const unsubscribed = nextValue(server.listener('unsubscription'));
    await client.call('#unsubscribe', 'news');
    expect(await unsubscribed).toEqual({ socket, channel: 'news' });
  });

  test('event `unsubscription`: comes for each channel of a socket that closes, after its closure', async () => {
    const { server, open } = await startServer();
    const { client } = await open();
    await client.call('#subscribe', { channel: 'a' });
    await client.call('#subscribe', { channel: 'b' });
    const log = new EventLog().record(server, ['closure', 'unsubscription']);
    client.close();

    await log.times('unsubscription', 2);
    expect(log.names).toEqual(['closure', 'unsubscription', 'unsubscription']);
    expect(log.of('unsubscription').map(({ channel }) => channel)).toEqual(['a', 'b']);
  });
});

describe('of authentication', () => {
  test('event `authentication`: tells socket and token of a client that connects with a valid one', async () => {
    const { server, connect } = await startServer({ authKey });
    const authenticated = nextValue(server.listener('authentication'));
    const client = await connect();
    await client.handshake(tokenOf({ name: 'ada' }));

    const payload = await authenticated;
    expect(Object.keys(payload).toSorted()).toEqual(['authToken', 'socket']);
    expect(payload.socket).toBe(server.clients[client.id]);
    expect(payload.authToken).toMatchObject({ name: 'ada' });
  });

  test('event `authentication`: comes for each `setAuthToken()`, the replacement of a token too', async () => {
    const { server, open } = await startServer({ authKey });
    const { socket } = await open();
    const log = new EventLog().record(server, ['authentication', 'authenticationStateChange']);
    await socket.setAuthToken({ name: 'ada' });
    await socket.setAuthToken({ name: 'grace' });

    const payloads = await log.times('authentication', 2);
    expect(payloads.map((payload) => payload['authToken'])).toEqual([
      expect.objectContaining({ name: 'ada' }),
      expect.objectContaining({ name: 'grace' }),
    ]);
    expect(log.of('authenticationStateChange')).toHaveLength(1);
  });

  test('event `deauthentication`: tells socket and the token that was given up', async () => {
    const { server, open } = await startServer({ authKey });
    const { client, socket } = await open({ authToken: tokenOf({ name: 'ada' }) });
    const gone = nextValue(server.listener('deauthentication'));
    client.transmit('#removeAuthToken');
    expect(await gone).toEqual({ socket, oldAuthToken: expect.objectContaining({ name: 'ada' }) });
  });

  test('event `authenticationStateChange`: tells both states, each way', async () => {
    const { server, open } = await startServer({ authKey });
    const { socket } = await open();
    const log = new EventLog().record(server, ['authenticationStateChange']);
    await socket.setAuthToken({ name: 'ada' });
    await socket.deauthenticate();
    await socket.deauthenticate();

    await log.times('authenticationStateChange', 2);
    expect(log.of('authenticationStateChange')).toEqual([
      {
        socket,
        oldAuthState: 'unauthenticated',
        newAuthState: 'authenticated',
        authToken: expect.objectContaining({ name: 'ada' }),
      },
      { socket, oldAuthState: 'authenticated', newAuthState: 'unauthenticated' },
    ]);
  });

  test('event `badSocketAuthToken`: tells the token and why, for an expired one in the handshake', async () => {
    const { server, connect } = await startServer({ authKey });
    const signedAuthToken = tokenOf({ name: 'ada', exp: secondsFromNow(-10) });
    const refused = nextValue(server.listener('badSocketAuthToken'));
    const client = await connect();
    await client.handshake(signedAuthToken);

    const payload = await refused;
    expect(Object.keys(payload).toSorted()).toEqual(['authError', 'signedAuthToken', 'socket']);
    expect(payload.socket).toBe(server.clients[client.id]);
    expect(payload.signedAuthToken).toBe(signedAuthToken);
    expect(payload.authError).toMatchObject({ name: 'AuthTokenExpiredError', isBadToken: true });
  });

  test('event `badSocketAuthToken`: comes for an invalid token in `#authenticate`', async () => {
    const { server, open } = await startServer({ authKey });
    const { client, socket } = await open();
    const refused = nextValue(server.listener('badSocketAuthToken'));
    await client.call('#authenticate', 'not a token');
    expect(await refused).toMatchObject({
      socket,
      signedAuthToken: 'not a token',
      authError: { name: 'AuthTokenInvalidError' },
    });
  });

  test('event `badSocketAuthToken`: does not come for a token that is not active yet', async () => {
    const { server, connect } = await startServer({ authKey });
    const log = new EventLog().record(server, ['badSocketAuthToken', 'connection']);
    const client = await connect();
    await client.handshake(tokenOf({ nbf: secondsFromNow(600) }));
    expect((await log.first('connection'))['authError']).toMatchObject({ name: 'AuthTokenNotBeforeError' });
    expect(log.names).toEqual(['connection']);
  });
});
