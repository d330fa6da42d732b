import {
  answer,
  collected,
  EventLog,
  nextValue,
  onConnection,
  socketOf,
  startServer,
  take,
  until,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { connectClient, createClient } from './client.js';

describe('connecting', () => {
  test('both sides know a connected client under the same id', async () => {
    const started = await startServer();
    const connection = nextValue(started.server.listener('connection'));
    const client = createClient(started);
    const status = await nextValue(client.listener('connect'));
    const { socket } = await connection;

    expect(client.state).toBe('open');
    expect(status).toMatchObject({ isAuthenticated: false, pingTimeout: started.server.pingTimeout });
    expect(status['id']).toBe(client.id);
    expect(socket.id).toBe(client.id);
    expect(socket.state).toBe('open');
    expect(started.server.clients[socket.id]).toBe(socket);
    expect(started.server.clientsCount).toBe(1);
    expect(started.server.pendingClientsCount).toBe(0);
  });

  test('the query of the client is in the request that the server keeps', async () => {
    const started = await startServer();
    const client = await connectClient(started, { query: { room: 'blue', greeting: 'hello you' } });
    const socket = await socketOf(started, client);
    const { searchParams } = new URL(socket.request.url ?? '', 'http://localhost');

    expect(Object.fromEntries(searchParams)).toEqual({ room: 'blue', greeting: 'hello you' });
  });

  test('100 clients connect at the same time and leave again', async () => {
    const started = await startServer();
    const clients = await Promise.all(Array.from({ length: 100 }, () => connectClient(started)));

    expect(new Set(clients.map((client) => client.id)).size).toBe(100);
    await until(() => started.server.clientsCount === 100);
    for (const client of clients) client.disconnect();
    await until(() => started.server.clientsCount === 0);
    expect(Object.keys(started.server.clients)).toEqual([]);
  });

  test('a custom path is where clients connect, and no other', async () => {
    const started = await startServer({ path: '/live/' });
    const stray = createClient(started, { autoReconnect: false });
    expect(await nextValue(stray.listener('connectAbort'))).toMatchObject({ code: 1006 });

    const client = await connectClient(started, { path: '/live/' });
    expect(client.state).toBe('open');
  });

  test('an Origin that is not listed is refused, one that is listed is admitted', async () => {
    const started = await startServer({ origins: 'good.example:443' });
    const stranger = createClient(started, {
      autoReconnect: false,
      wsOptions: { origin: 'https://bad.example' },
    });
    expect(await nextValue(stranger.listener('connectAbort'))).toMatchObject({ code: 1006 });
    expect(await started.warning()).toMatchObject({ name: 'ServerProtocolError' });

    const friend = await connectClient(started, { wsOptions: { origin: 'https://good.example' } });
    expect(friend.state).toBe('open');
  });

  test('a client that never sends its handshake is told why it is cut off', async () => {
    const started = await startServer({ handshakeTimeout: 100 });
    const client = createClient(started, {
      autoReconnect: false,
      authEngine: {
        saveToken: async () => null,
        removeToken: async () => null,
        loadToken: () => new Promise(() => {}),
      },
    });

    expect(await nextValue(client.listener('connectAbort'))).toEqual({
      code: 4005,
      reason: 'Did not receive #handshake from client before timeout',
    });
    expect(started.server.clientsCount).toBe(0);
  });
});

describe('staying connected', () => {
  test('pings keep an idle client connected for longer than the ping timeout', async () => {
    const started = await startServer({ pingInterval: 50, pingTimeout: 1000 });
    const client = await connectClient(started);
    const ended = collected(client.listener('disconnect'));
    const frames = await take(client.listener('message'), 25);

    expect(frames.map((frame) => frame['message'])).toEqual(Array.from({ length: 25 }, () => ''));
    expect(ended).toEqual([]);
    expect(client.state).toBe('open');
    expect(started.server.clientsCount).toBe(1);
  });

  test('a client that gets no pings gives up with code 4000 and comes back', async () => {
    const started = await startServer({ pingTimeoutDisabled: true, pingTimeout: 200 });
    const client = await connectClient(started);
    const disconnected = nextValue(client.listener('disconnect'));
    const connectedAgain = nextValue(client.listener('connect'));

    expect(await disconnected).toEqual({ code: 4000, reason: 'Server ping timed out' });
    await connectedAgain;
    expect(client.state).toBe('open');
  });

  test('a client that ignores missing pings stays when the server sends none', async () => {
    const started = await startServer({ pingTimeoutDisabled: true, pingTimeout: 100, pingInterval: 20 });
    const client = await connectClient(started, { pingTimeoutDisabled: true });
    const messages = collected(client.listener('message'));
    // Another client, which does mind, is gone by the time this one is looked at.
    const impatient = await connectClient(started);
    await nextValue(impatient.listener('disconnect'));

    expect(client.state).toBe('open');
    expect(messages).toEqual([]);
  });
});

describe('disconnecting', () => {
  test.each([
    [1000, 'thank you'],
    [1001, 'going away'],
    [4100, 'an application code'],
    [4501, 'do not come back'],
    [4200, 'ünïcödé ✓'],
  ])('the client sees code %i and the reason of `socket.disconnect()`', async (code, reason) => {
    const started = await startServer();
    const client = await connectClient(started, { autoReconnect: false });
    const socket = await socketOf(started, client);
    const seen = nextValue(client.listener('disconnect'));
    const noticed = nextValue(started.server.listener('disconnection'));
    await socket.disconnect(code, reason);

    expect(await seen).toEqual({ code, reason });
    expect(await noticed).toMatchObject({ code, reason });
    expect(socket.state).toBe('closed');
  });

  test('the server sees code and reason of the client', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const noticed = nextValue(started.server.listener('closure'));
    client.disconnect(4321, 'tired');

    expect(await noticed).toMatchObject({ code: 4321, reason: 'tired' });
    expect(await started.warning()).toMatchObject({ name: 'SocketProtocolError', code: 4321 });
  });

  test('a normal close by the client raises no warning', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const noticed = nextValue(started.server.listener('disconnection'));
    client.disconnect();

    expect(await noticed).toMatchObject({ code: 1000 });
    await until(() => started.server.clientsCount === 0);
    expect(started.warnings).toEqual([]);
  });

  test('`terminate()` hangs up: both sides report 1006', async () => {
    const started = await startServer();
    const client = await connectClient(started, { autoReconnect: false });
    const socket = await socketOf(started, client);
    const noticed = nextValue(started.server.listener('disconnection'));
    const seen = nextValue(client.listener('disconnect'));
    socket.terminate();

    expect(await seen).toEqual({ code: 1006, reason: 'Socket hung up' });
    expect(await noticed).toMatchObject({ code: 1006 });
  });

  test('`server.close()` hangs up on every client', async () => {
    const started = await startServer();
    const clients = await Promise.all([1, 2, 3].map(() => connectClient(started, { autoReconnect: false })));
    await until(() => started.server.clientsCount === 3);
    const seen = Promise.all(clients.map((client) => nextValue(client.listener('disconnect'))));
    await started.server.close();

    expect((await seen).map((event) => event['code'])).toEqual([1006, 1006, 1006]);
    expect(started.server.isReady).toBe(false);
  });
});

describe('protocol version 1', () => {
  test('a version-1 client of the 20 line talks to a version-1 server and survives its pings', async () => {
    const started = await startServer({ protocolVersion: 1, pingInterval: 50, pingTimeout: 1000 });
    onConnection(started, (socket) => answer(socket, 'double', (data) => Number(data) * 2));
    const client = await connectClient(started, { protocolVersion: 1 });
    const raw = collected(client.listener('raw'));
    const pings = take(client.listener('message'), 25);

    expect((await pings).map((frame) => frame['message'])).toEqual(Array.from({ length: 25 }, () => '#1'));
    expect(await client.invoke('double', 21)).toBe(42);
    expect((await socketOf(started, client)).protocolVersion).toBe(1);
    expect(raw).toEqual([]);
  });

  test('a version-2 client takes the ping of a version-1 server for a raw message', async () => {
    const started = await startServer({ protocolVersion: 1, pingInterval: 30 });
    const client = await connectClient(started);

    expect(await nextValue(client.listener('raw'))).toEqual({ message: '#1' });
  });
});

describe('what is told when a connection ends', () => {
  test('that a channel is not subscribed any more, to loops that ran when the loss is known', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const channel = client.channel('c');
    await nextValue(client.subscribe('c').listener('subscribe'));
    const log = new EventLog()
      .record(client, ['disconnect', 'subscribeStateChange', 'unsubscribe'])
      .record(channel, ['subscribeStateChange', 'unsubscribe'], 'channel ');
    const lost = client.listener('disconnect').once();
    client.disconnect();
    await lost;
    expect(log.names.toSorted()).toEqual([
      'channel subscribeStateChange',
      'channel unsubscribe',
      'disconnect',
      'subscribeStateChange',
      'unsubscribe',
    ]);
    expect(log.of('unsubscribe')).toEqual([{ channel: 'c' }]);
    expect(log.of('channel unsubscribe')).toEqual([{}]);
    expect(channel.state).toBe('pending');
  });

  test('a reason, if there is one', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const log = new EventLog().record(client, ['disconnect', 'close']);
    client.disconnect();
    await log.first('close');
    client.connect();
    await nextValue(client.listener('connect'));
    client.disconnect(4500, 'enough');
    await log.times('close', 2);
    for (const name of ['disconnect', 'close'])
      expect(log.of(name)).toEqual([
        { code: 1000, reason: undefined },
        { code: 4500, reason: 'enough' },
      ]);
  });
});
