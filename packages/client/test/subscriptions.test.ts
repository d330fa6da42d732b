import { collected, EventLog, nextValue, startServer, turn, until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { create } from '../src/index.js';
import { scriptedServer } from './scripted-server.js';

const EVENTS = [
  'subscribeRequest',
  'subscribe',
  'subscribeFail',
  'subscribeStateChange',
  'unsubscribe',
  'kickOut',
];

describe('a subscription', () => {
  test('passes through its states, each with its events on channel and socket', async () => {
    const server = await scriptedServer();
    const client = server.client();
    const channel = client.channel('a');
    const log = new EventLog().record(client, EVENTS).record(channel, EVENTS, 'channel ');
    expect([channel.state, client.subscriptions(true)]).toEqual(['unsubscribed', []]);
    client.subscribe('a', { data: 1, priority: 2 });
    expect([channel.state, channel.options]).toEqual([
      'pending',
      { waitForAuth: false, data: 1, priority: 2 },
    ]);
    expect([client.subscriptions(), client.subscriptions(true)]).toEqual([[], ['a']]);
    await log.first('subscribe');
    expect([channel.state, client.subscriptions()]).toEqual(['subscribed', ['a']]);
    client.unsubscribe('a');
    expect(channel.state).toBe('unsubscribed');
    await log.first('unsubscribe');
    const [up, down] = [
      {
        oldChannelState: 'pending',
        newChannelState: 'subscribed',
        subscriptionOptions: { data: 1 },
      },
      { oldChannelState: 'subscribed', newChannelState: 'unsubscribed' },
    ];
    expect(log.of('channel subscribeStateChange')).toEqual([up, down]);
    expect(log.of('subscribeStateChange')).toEqual([
      { channel: 'a', ...up },
      { channel: 'a', ...down },
    ]);
    const { packets } = await server.connection();
    await until(() => packets.length === 3);
    expect(packets.slice(1)).toEqual([
      { event: '#subscribe', data: { channel: 'a', data: 1 }, cid: 2 },
      { event: '#unsubscribe', data: 'a' },
    ]);
  });

  test.each([0, '', false, null])('sends its data, be it %j', async (data) => {
    const server = await scriptedServer();
    server.client().subscribe('a', { data });
    expect((await (await server.connection()).first('#subscribe')).data).toEqual({ channel: 'a', data });
  });

  test('that is refused fails with its reason, and is not tried again', async () => {
    const server = await scriptedServer({ answersSubscribe: false });
    const client = server.client();
    const channel = client.subscribe('a');
    const failed = [
      nextValue(channel.listener('subscribeFail')),
      nextValue(client.listener('subscribeFail')),
    ];
    const connection = await server.connection();
    const { cid } = await connection.first('#subscribe');
    connection.send({ rid: cid, error: { name: 'NopeError', message: 'no' } });
    for (const event of await Promise.all(failed)) expect(event.error).toMatchObject({ name: 'NopeError' });
    expect([channel.state, client.subscriptions(true)]).toEqual(['unsubscribed', []]);
  });

  test('with data that cannot be encoded fails, and the others are made', async () => {
    const server = await scriptedServer();
    const client = server.client();
    const failed = nextValue(client.listener('subscribeFail'));
    client.subscribe('bad', { data: 1n });
    client.subscribe('good');
    expect(await failed).toMatchObject({ channel: 'bad', error: { name: 'TypeError' } });
    await until(() => client.isSubscribed('good'));
  });

  test('that is never answered fails after subscribeTimeout, and the server is told to leave it', async () => {
    const server = await scriptedServer({ answersSubscribe: false });
    const client = server.client({ subscribeTimeout: 20 });
    client.subscribe('a');
    const { error } = await nextValue(client.listener('subscribeFail'));
    expect(error).toMatchObject({ name: 'TimeoutError', delivery: 'unknown' });
    expect(await (await server.connection()).first('#unsubscribe')).toMatchObject({ data: 'a' });
  });

  test('of a channel that waits for authentication is made once the client is authenticated', async () => {
    const { port, server } = await startServer();
    const client = (await scriptedServer()).client({ port });
    const { socket } = await nextValue(server.listener('connection'));
    const channel = client.subscribe('a', { waitForAuth: true });
    await until(() => client.state === 'open');
    await turn();
    expect(channel.state).toBe('pending');
    await socket.setAuthToken({ name: 'ada' });
    await until(() => channel.state === 'subscribed');
  });

  test('takes messages while it is pending, and none after it was given up', async () => {
    const server = await scriptedServer({ answersSubscribe: false });
    const client = server.client();
    const messages = collected(client.subscribe('a'));
    const connection = await server.connection();
    await connection.first('#subscribe');
    connection.send({ event: '#publish', data: { channel: 'a', data: 1 } });
    await until(() => messages.length === 1);
    client.unsubscribe('a');
    connection.send([{ event: '#publish', data: { channel: 'a', data: 2 } }, { event: 'fence' }]);
    await nextValue(client.receiver('fence'));
    expect(messages).toEqual([1]);
  });

  test('that is given up and asked for again while it is under way is made once more', async () => {
    const server = await scriptedServer({ answersSubscribe: false });
    const client = server.client();
    client.subscribe('a');
    const connection = await server.connection();
    const { cid } = await connection.first('#subscribe');
    client.unsubscribe('a');
    client.subscribe('a');
    await until(() => connection.of('#subscribe').length === 2);
    connection.send({ rid: cid });
    connection.send({ event: 'fence' });
    await nextValue(client.receiver('fence'));
    expect(client.getChannelState('a')).toBe('pending');
    connection.send({ rid: connection.of('#subscribe')[1]?.cid });
    await until(() => client.isSubscribed('a'));
  });

  test('a kick out ends it, with the message, and it is not made again', async () => {
    const server = await scriptedServer();
    const client = server.client();
    const channel = client.subscribe('a');
    await until(() => channel.state === 'subscribed');
    const log = new EventLog().record(client, EVENTS).record(channel, ['kickOut'], 'channel ');
    (await server.connection()).send({ event: '#kickOut', data: { channel: 'a', message: 'out' } });
    await log.first('unsubscribe');
    expect(log.of('kickOut')).toEqual([{ channel: 'a', message: 'out' }]);
    expect(log.of('channel kickOut')).toEqual([{ message: 'out' }]);
    client.reconnect();
    void client.transmit('fence');
    const second = await server.connection(1);
    await second.first('fence');
    expect(second.of('#subscribe')).toEqual([]);
  });

  test('that is under way when an older one is kicked out ends too, and the server is told', async () => {
    const server = await scriptedServer({ answersSubscribe: false });
    const client = server.client();
    client.subscribe('a');
    const connection = await server.connection();
    const { cid } = await connection.first('#subscribe');
    const kicked = nextValue(client.listener('kickOut'));
    connection.send([{ event: '#kickOut', data: { channel: 'a' } }, { rid: cid }]);
    expect(await kicked).toEqual({ channel: 'a' });
    expect(await connection.first('#unsubscribe')).toEqual({ event: '#unsubscribe', data: 'a' });
    expect(client.getChannelState('a')).toBe('unsubscribed');
  });

  test('that is made anew after a reconnect is not ended by what a batch held before', async () => {
    const server = await scriptedServer();
    const client = server.client({ autoReconnectOptions: { randomness: 0 } });
    client.subscribe('a');
    await until(() => client.isSubscribed('a'));
    client.startBatch();
    client.unsubscribe('a');
    client.subscribe('a');
    void client.transmit('kept');
    (await server.connection()).socket.terminate();
    const second = await server.connection(1);
    await second.first('kept');
    expect(second.packets.map(({ event }) => event)).toEqual(['#handshake', '#subscribe', 'kept']);
  });

  test('of anything but a string is refused', () => {
    const client = create({ autoConnect: false });
    expect(() => client.subscribe(7 as never)).toThrow(
      expect.objectContaining({
        name: 'InvalidArgumentsError',
        message: expect.stringContaining('number'),
      }) as Error,
    );
  });
});

describe('channels', () => {
  test('with a channelPrefix have it on the wire only', async () => {
    const server = await scriptedServer();
    const client = server.client({ channelPrefix: 'x/' });
    const messages = collected(client.subscribe('a'));
    await until(() => client.isSubscribed('a'));
    void client.transmitPublish('a', 1);
    const connection = await server.connection();
    expect((await connection.first('#publish')).data).toEqual({ channel: 'x/a', data: 1 });
    connection.send({ event: '#publish', data: { channel: 'x/a', data: 2 } });
    await until(() => messages.length === 1);
    client.unsubscribe('a');
    expect((await connection.first('#unsubscribe')).data).toBe('x/a');
  });

  test('are subscribed when the application says so, with autoSubscribeOnConnect: false', async () => {
    const server = await scriptedServer();
    const client = server.client({ autoSubscribeOnConnect: false });
    client.subscribe('a');
    const { processPendingSubscriptions } = await nextValue(client.listener('connect'));
    client.subscribe('b');
    expect(client.preparingPendingSubscriptions).toBe(true);
    expect((await server.connection()).of('#subscribe')).toEqual([]);
    processPendingSubscriptions();
    await until(() => client.subscriptions().length === 2);
  });

  test.each(['__proto__', 'constructor', 'toString', '', 'a/b', '☃'])('may be called %j', async (name) => {
    const { port } = await startServer();
    const client = (await scriptedServer()).client({ port });
    const channel = client.subscribe(name);
    await until(() => channel.state === 'subscribed');
    const message = nextValue(channel);
    await client.invokePublish(name, { name });
    expect(await message).toEqual({ name });
  });

  test('2000 of them are subscribed again in batches of at most 500, the highest priority first', async () => {
    const server = await scriptedServer();
    const client = server.client({ autoReconnectOptions: { randomness: 0 } });
    const names = Array.from({ length: 2000 }, (_, index) => `channel ${index}`);
    for (const [index, name] of names.entries()) client.subscribe(name, { priority: index });
    await until(() => client.subscriptions().length === 2000);
    (await server.connection()).socket.terminate();
    const second = await server.connection(1);
    await until(() => second.of('#subscribe').length === 2000);
    const batches = second.frames
      .filter((frame) => frame.startsWith('['))
      .map((frame) => JSON.parse(frame) as unknown[]);
    expect(batches.map((batch) => batch.length)).toEqual([500, 500, 500, 500]);
    expect(second.of('#subscribe').map(({ data }) => (data as { channel: string }).channel)).toEqual(
      names.toReversed(),
    );
    await until(() => client.subscriptions().length === 2000);
  });

  test('no batch is larger than half of what the server takes', async () => {
    const server = await scriptedServer({ status: { maxPayload: 4000 } });
    const client = server.client();
    for (let index = 0; index < 100; index++) client.subscribe(`${'☃'.repeat(30)}${index}`);
    await until(() => client.subscriptions().length === 100);
    const sizes = (await server.connection()).frames.map((frame) => Buffer.byteLength(frame));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2000);
    expect(sizes.length).toBeLessThan(20);
  });
});
