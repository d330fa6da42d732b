import {
  answer,
  collected,
  deferred,
  EventLog,
  nextValue,
  onConnection,
  socketOf,
  startServer,
  until,
} from '@socketcluster-ts/testkit';
import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { connectClient, createClient } from './client.js';
import { leaveOutWith } from './left-out.js';

const authKey = 'a secret of at least thirty-two bytes';

/** What no page of the documentation tells, and applications do all the same. */
describe('calls of the server', () => {
  test('that are answered over another connection than they came from settle nothing there', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const first = await socketOf(started, client);
    const [late, lost] = [nextValue(client.procedure('who')), first.invoke('who', 1)];
    lost.catch(() => {});
    await late;
    client.reconnect();
    await nextValue(client.listener('connect'));
    const second = await socketOf(started, client);
    const [next, answered] = [nextValue(client.procedure('who')), second.invoke('who', 2)];
    expect(await next).toMatchObject({ id: (await late).id, data: 2 });
    (await late).end('the first');
    (await next).end('the second');
    expect(await answered).toBe('the second');
    await expect(lost).rejects.toMatchObject({ name: 'BadConnectionError' });
  });
});

describe('authentication', () => {
  test('of a server that needs no token authenticates the client, and what waits for it', async () => {
    const authEngine = {
      signToken: async () => '',
      verifyToken: async () => ({ user: 'by cookie' }),
    };
    const started = await startServer({ authEngine });
    const client = createClient(started);
    const log = new EventLog().record(client, ['authStateChange', 'authenticate', 'connect']);
    const channel = client.subscribe('members', { waitForAuth: true });
    await nextValue(channel.listener('subscribe'));
    expect(client.authState).toBe('authenticated');
    expect([client.authToken, client.signedAuthToken]).toEqual([null, null]);
    expect(log.of('authenticate')).toEqual([{ signedAuthToken: null, authToken: null }]);
    expect(log.of('authStateChange')).toMatchObject([{ newAuthState: 'authenticated' }]);
  });

  test('can be asked for by functions, too', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started);
    expect([client.getAuthToken(), client.getSignedAuthToken()]).toEqual([null, null]);
    const token = jwt.sign({ user: 'ada' }, authKey);
    await client.authenticate(token);
    expect(client.getAuthToken()).toMatchObject({ user: 'ada' });
    expect(client.getSignedAuthToken()).toBe(token);
    const [, payload] = token.split('.');
    expect(JSON.parse(client.decodeBase64(payload ?? ''))).toMatchObject({ user: 'ada' });
  });

  test('base64url is decoded as base64 is', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const text = '{"name":"Zoë 🙂 ÿÿÿ>>>???"}';
    expect(client.decodeBase64(Buffer.from(text).toString('base64url'))).toBe(text);
    expect(client.decodeBase64(client.encodeBase64(text))).toBe(text);
  });
});

describe('properties and options', () => {
  test('of a client may be assigned', async () => {
    const started = await startServer();
    onConnection(started, (socket) => {
      void socket.procedure('never').once();
    });
    const client = await connectClient(started);
    expect(client.protocolVersion).toBe(2);
    client.ackTimeout = 20;
    await expect(client.invoke('never')).rejects.toMatchObject({ name: 'TimeoutError' });
    client.channelPrefix = 'tenant/';
    const subscribed = nextValue(started.server.listener('subscription'));
    client.subscribe('a');
    expect((await subscribed).channel).toBe('tenant/a');
  });

  test('that were changed stay when it connects with others', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    Object.assign(client.options.query, { from: 'here' });
    const connection = nextValue(started.server.listener('connection'));
    client.connect({ ackTimeout: 5000 });
    expect((await connection).socket.request.url).toContain('from=here');
    expect(client.options.ackTimeout).toBe(5000);
  });

  test('name another host in place of the one before', async () => {
    const [started, other] = [await startServer(), await startServer()];
    const client = await connectClient(started);
    const connection = nextValue(other.server.listener('connection'));
    client.connect({ host: `127.0.0.1:${other.port}` });
    await connection;
    await nextValue(client.listener('connect'));
    expect(client.uri()).toContain(String(other.port));
  });

  test('name a host by assignment, too', async () => {
    const [started, other] = [await startServer(), await startServer()];
    const client = await connectClient(started, { clientId: undefined as never });
    const { clientId } = client;
    client.options.host = `127.0.0.1:${other.port}`;
    const connection = nextValue(other.server.listener('connection'));
    client.connect({ ackTimeout: 5000 });
    await connection;
    expect(client.clientId).toBe(clientId);
  });

  test('of a subscription are told as they were sent', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const log = new EventLog().record(client, ['subscribeRequest', 'subscribe']);
    client.subscribe('a', { priority: 3, data: { v: 1 } });
    client.subscribe('a', { priority: 3, data: { v: 2 } });
    expect(client.getChannelOptions('a')).toEqual({ waitForAuth: false, priority: 3, data: { v: 2 } });
    await log.first('subscribe');
    for (const name of ['subscribeRequest', 'subscribe'])
      expect(log.of(name)).toEqual([{ channel: 'a', subscriptionOptions: { data: { v: 1 } } }]);
  });

  test('may be null, and flags anything', async () => {
    const started = await startServer();
    onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
    const client = await connectClient(started);
    client.subscribe('a', null as never);
    client.subscribe('waits', { waitForAuth: 1 as never });
    expect(await client.invoke('echo', 1, null as never)).toBe(1);
    await until(() => client.isSubscribed('a'));
    expect(['b', 'c'].map(client.channel, client).map(({ name }) => name)).toEqual(['b', 'c']);
    expect(client.isSubscribed('waits', 1 as never)).toBe(true);
    expect(client.subscriptions('yes' as never).toSorted()).toEqual(['a', 'waits']);
    expect(client.subscriptions()).toEqual(['a']);
  });
});

describe('ending and coming back', () => {
  test.each([0, null, ''])('disconnect(%j) closes as disconnect() does', async (code) => {
    const started = await startServer();
    const client = await connectClient(started);
    const closed = nextValue(client.listener('close'));
    client.disconnect(code as never);
    expect(await closed).toEqual({ code: 1000, reason: undefined });
    expect([client.pendingReconnect, client.pendingReconnectTimeout]).toEqual([false, null]);
  });

  test('a reason is what was said, and not the text of the code', async () => {
    const started = await startServer();
    const client = await connectClient(started, { autoReconnect: false });
    const closed = nextValue(client.listener('close'));
    client.disconnect(4003);
    expect(await closed).toEqual({ code: 4003, reason: undefined });
  });

  test('batching goes on over the next connection', async () => {
    const started = await startServer();
    const client = await connectClient(started, { batchInterval: 10 });
    client.startBatching();
    client.reconnect();
    await nextValue(client.listener('connect'));
    expect(client.isBatching).toBe(true);
    const socket = await socketOf(started, client);
    const frames = collected(socket.listener('message'));
    const arrived = deferred();
    void (async () => {
      for await (const data of socket.receiver('n')) if (data === 2) arrived.resolve();
    })();
    void client.transmit('n', 1);
    void client.transmit('n', 2);
    await arrived.promise;
    expect(frames.map(({ message }) => JSON.parse(String(message)) as unknown)).toEqual([
      [
        { event: 'n', data: 1 },
        { event: 'n', data: 2 },
      ],
    ]);
    client.stopBatching();
    expect(client.isBatching).toBe(false);
  });

  test('batching that begins without a connection begins with the next', async () => {
    leaveOutWith('the published client', 'it has no transport to batch for before it has connected');
    const started = await startServer();
    const client = createClient(started, { autoConnect: false, batchInterval: 10 });
    client.startBatching();
    expect(client.isBatching).toBe(true);
    const connection = nextValue(started.server.listener('connection'));
    client.connect();
    const frames = collected((await connection).socket.listener('message'));
    void client.transmit('n', 1);
    void client.transmit('n', 2);
    await until(() => frames.length > 0);
    expect(JSON.parse(String(frames[0]?.message))).toHaveLength(2);
  });
});
