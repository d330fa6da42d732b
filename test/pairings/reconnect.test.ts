import {
  answer,
  nextValue,
  onConnection,
  socketOf,
  startAgain,
  startServer,
  stop,
  take,
  until,
} from '@socketcluster-ts/testkit';
import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { connectClient, createClient } from './client.js';

const authKey = 'a secret of at least thirty-two bytes';

describe('a server that is restarted on its port', () => {
  test('its clients come back by themselves under a new id', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const oldId = client.id;
    const lost = nextValue(client.listener('disconnect'));
    const back = nextValue(client.listener('connect'));
    await stop(started);
    expect(await lost).toMatchObject({ code: 1006 });
    expect(client.pendingReconnect).toBe(true);
    const restarted = await startAgain(started);
    await back;

    expect(client.state).toBe('open');
    expect(client.id).not.toBe(oldId);
    await until(() => restarted.server.clientsCount === 1);
  });

  test('as many channels as a socket may hold are subscribed to again', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const subscribed = take(client.listener('subscribe'), 1000, 10_000);
    for (let n = 0; n < 1000; n += 1) client.subscribe(`channel ${n}`);
    await subscribed;
    const again = take(client.listener('subscribe'), 1000, 10_000);
    await stop(started);
    await startAgain(started);
    await again;
    expect(client.subscriptions()).toHaveLength(1000);
  });

  test('their subscriptions are made again, with their data and before anything else', async () => {
    const started = await startServer();
    // With the ways of 20 a transmit makes the client connect without waiting for the delay.
    const client = await connectClient(started, {
      autoReconnectOptions: { initialDelay: 60_000 },
      compat: 'v20',
    });
    const subscribed = take(client.listener('subscribe'), 3);
    const channel = client.subscribe('low', { priority: 1, data: { from: 7 } });
    client.subscribe('high', { priority: 9 });
    client.subscribe('plain');
    await subscribed;
    const suspended = take(client.listener('subscribeStateChange'), 3);
    const again = take(client.listener('subscribe'), 3);
    await stop(started);
    expect((await suspended).map((event) => event['newChannelState'])).toEqual([
      'pending',
      'pending',
      'pending',
    ]);
    const seen: unknown[] = [];
    await startAgain(started, {}, (restarted) => {
      onConnection(restarted, (socket) => {
        void (async () => {
          for await (const event of socket.listener('subscribe')) seen.push(event);
        })();
      });
    });
    const message = nextValue(channel);
    // It is sent behind the subscriptions.
    await client.transmitPublish('low', 'written while away');

    expect((await again).map((event) => event['channel'])).toEqual(['high', 'low', 'plain']);
    expect(await message).toBe('written while away');
    expect(seen).toEqual([
      { channel: 'high', subscriptionOptions: { data: undefined } },
      { channel: 'low', subscriptionOptions: { data: { from: 7 } } },
      { channel: 'plain', subscriptionOptions: { data: undefined } },
    ]);
    expect(client.subscriptions()).toEqual(['low', 'high', 'plain']);
  });

  test('messages flow again in all directions', async () => {
    const started = await startServer();
    const [left, right] = await Promise.all([connectClient(started), connectClient(started)]);
    const channels = [left.subscribe('room'), right.subscribe('room')];
    await Promise.all(channels.map((channel) => nextValue(channel.listener('subscribe'))));
    const again = Promise.all(channels.map((channel) => nextValue(channel.listener('subscribe'))));
    await stop(started);
    const restarted = await startAgain(started, {}, (fresh) => {
      onConnection(fresh, (socket) => answer(socket, 'echo', (data) => data));
    });
    await again;
    const received = Promise.all(channels.map((channel) => take(channel, 2)));
    await left.invokePublish('room', 'from left');
    await restarted.server.exchange.invokePublish('room', 'from the server');

    expect(await received).toEqual([
      ['from left', 'from the server'],
      ['from left', 'from the server'],
    ]);
    expect(await right.invoke('echo', 'hi')).toBe('hi');
  });

  test('a token of the same key is still good, one of a lost key is removed', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started);
    await client.authenticate(jwt.sign({ user: 'ada' }, authKey));
    await stop(started);
    const back = nextValue(client.listener('connect'));
    const second = await startServer({ authKey: 'another secret of the same good length' });
    const other = await connectClient(second);
    await other.authenticate(jwt.sign({ user: 'bob' }, 'another secret of the same good length'));
    await stop(second);
    const removed = nextValue(other.listener('removeAuthToken'));
    const otherBack = nextValue(other.listener('connect'));
    await startAgain(started, { authKey });
    await startAgain(second, { authKey });

    expect(await back).toMatchObject({ isAuthenticated: true });
    expect(client.authToken).toMatchObject({ user: 'ada' });
    expect(await otherBack).toMatchObject({
      isAuthenticated: false,
      authError: { name: 'AuthTokenInvalidError', message: 'invalid signature' },
    });
    await removed;
    expect(other.authState).toBe('unauthenticated');
  });

  test('30 clients with 5 channels each all come back', async () => {
    const started = await startServer();
    const names = ['a', 'b', 'c', 'd', 'e'];
    const clients = await Promise.all(Array.from({ length: 30 }, () => connectClient(started)));
    const rounds = clients.map((client) => take(client.listener('subscribe'), 10));
    for (const client of clients) for (const name of names) client.subscribe(name);
    await until(() => clients.every((client) => client.subscriptions().length === 5));
    await stop(started);
    const restarted = await startAgain(started);
    await Promise.all(rounds);

    await until(() => restarted.server.clientsCount === 30);
    for (const socket of Object.values(restarted.server.clients))
      expect(socket.subscriptions()).toEqual(names);
  });
});

describe('a connection that ends', () => {
  test('a pending call is rejected before the client tries again', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const arrived = nextValue(socket.procedure('slow'));
    const outcome = client.invoke('slow').catch((error: unknown) => error);
    await arrived;
    const back = nextValue(client.listener('connect'));
    socket.terminate();

    expect(await outcome).toMatchObject({ name: 'BadConnectionError' });
    await back;
  });

  test.each([
    [1000, false],
    [1001, true],
    [4100, true],
    [4500, false],
    [4501, false],
  ])('after `socket.disconnect(%i)` the client tries again: %s', async (code, triesAgain) => {
    const started = await startServer();
    const client = await connectClient(started);
    const lost = nextValue(client.listener('disconnect'));
    await (await socketOf(started, client)).disconnect(code, 'test');
    await lost;

    expect(client.pendingReconnect).toBe(triesAgain);
  });

  test('the old socket is gone from the server, and its subscriptions with it', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const channel = client.subscribe('room');
    await nextValue(channel.listener('subscribe'));
    const socket = await socketOf(started, client);
    const left = nextValue(started.server.listener('unsubscription'));
    const back = nextValue(channel.listener('subscribe'));
    client.reconnect(4100, 'flap');

    expect(await left).toMatchObject({ socket, channel: 'room' });
    await back;
    expect(Object.keys(started.server.clients)).toEqual([client.id]);
    const messages = take(channel, 2);
    await client.invokePublish('room', 'once');
    await client.invokePublish('room', 'twice');
    expect(await messages).toEqual(['once', 'twice']);
  });

  test('without `autoSubscribeOnConnect` the client subscribes when it says so', async () => {
    const started = await startServer();
    const client = createClient(started, { autoSubscribeOnConnect: false });
    const channel = client.subscribe('room');
    const status = await nextValue(client.listener('connect'));
    await client.invokePublish('fence', null);
    expect((await socketOf(started, client)).subscriptions()).toEqual([]);
    const subscribed = nextValue(channel.listener('subscribe'));
    status.processPendingSubscriptions();

    await subscribed;
    expect((await socketOf(started, client)).subscriptions()).toEqual(['room']);
  });

  test('ten flaps in a row leave one socket and one copy of each message', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const channel = client.subscribe('room');
    await nextValue(channel.listener('subscribe'));
    for (let flap = 0; flap < 10; flap += 1) {
      const back = nextValue(channel.listener('subscribe'));
      (await socketOf(started, client)).terminate();
      await back;
    }
    const messages = take(channel, 3);
    for (const number of [1, 2, 3]) await started.server.exchange.invokePublish('room', number);

    expect(await messages).toEqual([1, 2, 3]);
    await until(() => started.server.clientsCount === 1);
    expect(Object.keys(started.server.clients)).toEqual([client.id]);
  });
});
