import {
  afterTest,
  answer,
  collected,
  onConnection,
  socketOf,
  startAgain,
  startServer,
  stop,
  take,
  until,
  withDeadline,
} from '@socketcluster-ts/testkit';
import jwt from 'jsonwebtoken';
import legacy, { type LegacyClientOptions, type SCClientSocket } from 'socketcluster-client-14';
import { describe, expect, test } from 'vitest';
import type { Reachable } from '../pairings/client.js';

const authKey = 'a secret of at least thirty-two bytes';
const version1 = { protocolVersion: 1, authKey } as const;

/** Resolves with the arguments of the client's next event of that name. */
function occurrence(client: { on: SCClientSocket['on'] }, event: string): Promise<unknown[]> {
  return withDeadline(
    new Promise((resolve) => {
      client.on(event, (...details: unknown[]) => {
        resolve(details);
      });
    }),
    `the event '${event}' of the 14.x client`,
  );
}

function create(target: Reachable, options: LegacyClientOptions = {}): SCClientSocket {
  const client = legacy.create({
    hostname: '127.0.0.1',
    port: target.port,
    multiplex: false,
    autoReconnectOptions: { initialDelay: 20, randomness: 10, multiplier: 1, maxDelay: 50 },
    authTokenName: `token of port ${target.port}`,
    ...options,
  });
  // Without a listener this line of clients throws its errors out of a timer.
  client.on('error', () => {});
  afterTest(() => {
    client.destroy();
  });
  return client;
}

async function connect(target: Reachable, options?: LegacyClientOptions): Promise<SCClientSocket> {
  const client = create(target, options);
  await occurrence(client, 'connect');
  return client;
}

/** Turns a call with an error-first callback into a promise. */
function settle<T>(run: (callback: (error: unknown, data?: T) => void) => void): Promise<T | undefined> {
  return withDeadline(
    new Promise((resolve, reject) => {
      run((error, data) => {
        if (error) reject(error);
        else resolve(data);
      });
    }),
    'a callback of the 14.x client',
  );
}

describe('a client of the 14.x line on a server of protocol version 1', () => {
  test('connects, and both sides know the same id', async () => {
    const started = await startServer(version1);
    const client = create(started);
    const [status] = await occurrence(client, 'connect');
    const socket = await socketOf(started, client);

    expect(status).toMatchObject({
      id: socket.id,
      isAuthenticated: false,
      pingTimeout: started.server.pingTimeout,
    });
    expect(client.state).toBe('open');
    expect(socket.protocolVersion).toBe(1);
  });

  test('answers pings and stays for longer than the ping timeout', async () => {
    const started = await startServer({ ...version1, pingInterval: 50, pingTimeout: 1000 });
    const client = create(started);
    const messages: unknown[] = [];
    client.on('message', (message: unknown) => {
      messages.push(message);
    });
    await occurrence(client, 'connect');
    const socket = await socketOf(started, client);
    const pongs = take(socket.listener('message'), 25);

    expect((await pongs).map(({ message }) => message)).toEqual(Array.from({ length: 25 }, () => '#2'));
    expect(messages.filter((message) => message === '#1').length).toBeGreaterThanOrEqual(25);
    expect(client.state).toBe('open');
    expect(started.warnings).toEqual([]);
  });

  test('subscribes, publishes, receives and unsubscribes', async () => {
    const started = await startServer(version1);
    const [client, other] = await Promise.all([connect(started), connect(started)]);
    const channel = client.subscribe('room', { data: { colour: 'green' } });
    const socket = await socketOf(started, client);
    const seen = take(socket.listener('subscribe'), 1);
    const received: unknown[] = [];
    channel.watch((data) => received.push(data));
    await occurrence(channel, 'subscribe');
    await settle((callback) => other.publish('room', { from: 'other' }, callback));
    await settle((callback) => channel.publish('from myself', callback));
    await started.server.exchange.invokePublish('room', 3);
    await until(() => received.length === 3);

    expect(received).toEqual([{ from: 'other' }, 'from myself', 3]);
    expect(await seen).toMatchObject([
      { channel: 'room', subscriptionOptions: { data: { colour: 'green' } } },
    ]);
    const left = take(socket.listener('unsubscribe'), 1);
    channel.unsubscribe();
    expect(await left).toEqual([{ channel: 'room' }]);
    expect(client.subscriptions()).toEqual([]);
  });

  test('calls procedures and gets results and errors', async () => {
    const started = await startServer(version1);
    onConnection(started, (socket) => {
      answer(socket, 'echo', (data) => data);
      answer(socket, 'fail', () => {
        throw Object.assign(new Error('Nothing left'), { name: 'QuotaError', limit: 10 });
      });
    });
    const client = await connect(started);

    expect(await settle((callback) => client.emit('echo', { a: [1, 'ü'] }, callback))).toEqual({
      a: [1, 'ü'],
    });
    await expect(settle((callback) => client.emit('fail', null, callback))).rejects.toMatchObject({
      name: 'QuotaError',
      message: 'Nothing left',
      limit: 10,
    });
  });

  test('answers calls of the server, with results and errors', async () => {
    const started = await startServer(version1);
    const client = await connect(started);
    client.on('double', (data: number, respond: (error: unknown, result?: unknown) => void) => {
      if (typeof data === 'number') respond(null, data * 2);
      else respond(Object.assign(new Error('Not a number'), { name: 'NumberError' }));
    });
    const socket = await socketOf(started, client);

    expect(await socket.invoke('double', 21)).toBe(42);
    await expect(socket.invoke('double', 'x')).rejects.toMatchObject({
      name: 'NumberError',
      message: 'Not a number',
    });
  });

  test('emits without a callback are transmits, both ways', async () => {
    const started = await startServer(version1);
    const client = await connect(started);
    const socket = await socketOf(started, client);
    const told = take(socket.receiver('tell'), 1);
    const heard = occurrence(client, 'hear');
    client.emit('tell', 'server');
    await socket.transmit('hear', 'client');

    expect(await told).toEqual(['server']);
    expect((await heard)[0]).toBe('client');
  });

  test('is authenticated by the server and keeps its token for the next connection', async () => {
    const started = await startServer(version1);
    const client = await connect(started);
    const authenticated = occurrence(client, 'authenticate');
    await (await socketOf(started, client)).setAuthToken({ user: 'ada' }, { rejectOnFailedDelivery: true });
    const [token] = await authenticated;

    expect(client.authState).toBe('authenticated');
    expect(client.authToken).toMatchObject({ user: 'ada' });
    expect(jwt.verify(token as string, authKey)).toMatchObject({ user: 'ada' });
    const back = occurrence(client, 'connect');
    (await socketOf(started, client)).terminate();
    expect((await back)[0]).toMatchObject({ isAuthenticated: true });
    expect((await socketOf(started, client)).authToken).toMatchObject({ user: 'ada' });
  });

  test('loses its token by `deauthenticate()` of either side', async () => {
    const started = await startServer(version1);
    const client = await connect(started);
    const token = jwt.sign({ user: 'ada' }, authKey);
    expect(await settle((callback) => client.authenticate(token, callback))).toMatchObject({
      isAuthenticated: true,
    });
    const socket = await socketOf(started, client);
    expect(socket.authToken).toMatchObject({ user: 'ada' });
    const removed = occurrence(client, 'removeAuthToken');
    await socket.deauthenticate({ rejectOnFailedDelivery: true });
    expect(await removed).toEqual([token]);
    expect(client.authState).toBe('unauthenticated');

    await settle((callback) => client.authenticate(token, callback));
    const atServer = take(socket.listener('deauthenticate'), 1);
    await settle((callback) => client.deauthenticate(callback));
    expect(await atServer).toMatchObject([{ oldAuthToken: { user: 'ada' } }]);
    expect(socket.authState).toBe('unauthenticated');
  });

  test('is told that its token is bad', async () => {
    const started = await startServer(version1);
    const client = await connect(started);

    await expect(settle((callback) => client.authenticate('a.b.c', callback))).rejects.toMatchObject({
      name: 'AuthTokenInvalidError',
    });
    expect(client.authState).toBe('unauthenticated');
  });

  test('meets the same middleware as everybody', async () => {
    const started = await startServer(version1);
    const types: string[] = [];
    for (const line of ['handshake', 'inbound', 'outbound'] as const) {
      started.server.setMiddleware(line, async (stream: AsyncIterable<unknown>) => {
        for await (const item of stream) {
          const action = item as {
            type: string;
            data?: unknown;
            channel?: string;
            allow(packet?: object): void;
            block(error: Error): void;
          };
          types.push(action.type);
          if (action.channel === 'closed')
            action.block(Object.assign(new Error('No'), { name: 'ClosedError' }));
          else if (action.type === 'publishOut') action.allow({ data: `out:${String(action.data)}` });
          else if (action.type === 'publishIn') action.allow({ data: `in:${String(action.data)}` });
          else action.allow();
        }
      });
    }
    const client = await connect(started);
    const closed = client.subscribe('closed');
    const [error] = await occurrence(closed, 'subscribeFail');
    const channel = client.subscribe('open');
    const message = new Promise((resolve) => {
      channel.watch(resolve);
    });
    await occurrence(channel, 'subscribe');
    await settle((callback) => channel.publish('x', callback));

    expect(error).toMatchObject({ name: 'ClosedError', message: 'No' });
    expect(await message).toBe('out:in:x');
    expect(types).toEqual([
      'handshakeWS',
      'handshakeSC',
      'subscribe',
      'subscribe',
      'publishIn',
      'publishOut',
    ]);
  });

  test('is kicked out of a channel', async () => {
    const started = await startServer(version1);
    const client = await connect(started);
    const channel = client.subscribe('room');
    await occurrence(channel, 'subscribe');
    const kicked = occurrence(client, 'kickOut');
    await (await socketOf(started, client)).kickOut('room', 'too loud');

    expect(await kicked).toEqual(['too loud', 'room']);
    expect(client.subscriptions(true)).toEqual([]);
  });

  test('comes back after a restart of the server, with its subscriptions', async () => {
    const started = await startServer(version1);
    const client = await connect(started);
    const channel = client.subscribe('room');
    await occurrence(channel, 'subscribe');
    const lost = occurrence(client, 'disconnect');
    const again = occurrence(channel, 'subscribe');
    await stop(started);
    expect((await lost)[0]).toBe(1006);
    const restarted = await startAgain(started, version1);
    await again;
    const message = new Promise((resolve) => {
      channel.watch(resolve);
    });
    await restarted.server.exchange.invokePublish('room', 'welcome back');

    expect(await message).toBe('welcome back');
    expect((await socketOf(restarted, client)).subscriptions()).toEqual(['room']);
  });

  test('sees code and reason of `socket.disconnect()`, and tells its own', async () => {
    const started = await startServer(version1);
    const client = await connect(started, { autoReconnect: false });
    const lost = occurrence(client, 'disconnect');
    await (await socketOf(started, client)).disconnect(4100, 'enough');
    expect(await lost).toEqual([4100, 'enough']);

    const other = await connect(started);
    const noticed = take(started.server.listener('disconnection'), 1);
    // This line of clients announces its leaving with an event of its own, which the server takes for any other.
    const socket = await socketOf(started, other);
    const announced = collected(socket.receiver('#disconnect'));
    other.disconnect(4200, 'bye');
    expect(await noticed).toMatchObject([{ code: 4200 }]);
    expect(announced).toEqual([{ code: 4200, data: 'bye' }]);
  });

  test('binary data reaches it as base64', async () => {
    const started = await startServer(version1);
    onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
    const client = await connect(started);
    const encoded = { base64: true, data: 'AAEC' };

    expect(await settle((callback) => client.emit('echo', Buffer.from([0, 1, 2]), callback))).toEqual(
      encoded,
    );
  });
});
