import {
  answer,
  collected,
  nextValue,
  onConnection,
  socketOf,
  startServer,
  take,
  until,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { connectClient } from './client.js';
import { leaveOutWith } from './left-out.js';

describe('subscribing', () => {
  test('a subscription is told to the client, to the socket and to the server', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const atServer = nextValue(started.server.listener('subscription'));
    const atSocket = nextValue(socket.listener('subscribe'));
    const atClient = nextValue(client.listener('subscribe'));
    const channel = client.subscribe('news', { data: { since: 5 }, priority: 3 });
    const atChannel = nextValue(channel.listener('subscribe'));
    expect(channel.state).toBe('pending');

    expect(await atClient).toMatchObject({ channel: 'news', subscriptionOptions: { data: { since: 5 } } });
    expect(await atChannel).toMatchObject({ subscriptionOptions: { data: { since: 5 } } });
    expect(await atSocket).toMatchObject({ channel: 'news', subscriptionOptions: { data: { since: 5 } } });
    expect(await atServer).toMatchObject({ socket, channel: 'news' });
    expect(channel.state).toBe('subscribed');
    expect(socket.subscriptions()).toEqual(['news']);
    expect(socket.isSubscribed('news')).toBe(true);
    expect(socket.channelSubscriptionsCount).toBe(1);
  });

  test('an unsubscription is told to the server, and nothing more arrives', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const channel = client.subscribe('news');
    const messages = collected(channel);
    await nextValue(channel.listener('subscribe'));
    const gone = nextValue(started.server.listener('unsubscription'));
    channel.unsubscribe();

    expect(await gone).toMatchObject({ socket, channel: 'news' });
    await started.server.exchange.invokePublish('news', 'too late');
    await client.invokePublish('other', 'fence');
    expect(messages).toEqual([]);
    expect(socket.subscriptions()).toEqual([]);
  });

  test('subscribing again after unsubscribing works', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const channel = client.subscribe('news');
    await nextValue(channel.listener('subscribe'));
    channel.unsubscribe();
    client.subscribe('news');
    await nextValue(channel.listener('subscribe'));
    const message = nextValue(channel);
    await client.invokePublish('news', 'back');

    expect(await message).toBe('back');
  });

  test('the limit of channels refuses the one too many and keeps the others', async () => {
    const started = await startServer({ socketChannelLimit: 2 });
    const client = await connectClient(started);
    const failed = nextValue(client.listener('subscribeFail'));
    for (const name of ['one', 'two', 'three']) client.subscribe(name);
    const { channel, error } = await failed;

    expect(channel).toBe('three');
    expect(error).toMatchObject({ name: 'BrokerError' });
    expect((error as Error).message).toMatch(/^Failed to subscribe socket to the three channel - /);
    expect(client.subscriptions()).toEqual(['one', 'two']);
    expect((await socketOf(started, client)).subscriptions()).toEqual(['one', 'two']);
  });

  test('unsubscribing makes room under the limit of channels', async () => {
    const started = await startServer({ socketChannelLimit: 1 });
    const client = await connectClient(started);
    const first = client.subscribe('one');
    await nextValue(first.listener('subscribe'));
    first.unsubscribe();
    const second = client.subscribe('two');
    await nextValue(second.listener('subscribe'));

    expect(client.subscriptions()).toEqual(['two']);
  });

  test('a thousand channels are the default limit', async () => {
    leaveOutWith('the published server', 'has no limit by default');
    const started = await startServer();
    const client = await connectClient(started);
    const failed = nextValue(client.listener('subscribeFail'));
    for (let index = 0; index <= 1000; index += 1) client.subscribe(`channel ${index}`);

    expect(await failed).toMatchObject({ channel: 'channel 1000', error: { name: 'BrokerError' } });
    expect(client.subscriptions()).toHaveLength(1000);
  });

  test('a channel prefix is on the wire only', async () => {
    const started = await startServer();
    const client = await connectClient(started, { channelPrefix: 'tenant-7/' });
    const channel = client.subscribe('news');
    await nextValue(channel.listener('subscribe'));
    const message = nextValue(channel);
    await started.server.exchange.invokePublish('tenant-7/news', 'yours');

    expect(await message).toBe('yours');
    expect((await socketOf(started, client)).subscriptions()).toEqual(['tenant-7/news']);
  });
});

describe('publishing', () => {
  test.each([
    ['a string', 'hello'],
    ['an empty string', ''],
    ['a number', 12.5],
    ['zero', 0],
    ['false', false],
    ['null', null],
    ['an array', [1, [2, { three: 3 }]]],
    ['an object', { text: 'hi', nested: { emoji: '🙂', list: [] } }],
  ])('%s reaches every subscriber, the publisher included', async (_what, data) => {
    const started = await startServer();
    const [publisher, reader] = await Promise.all([connectClient(started), connectClient(started)]);
    const channels = [publisher.subscribe('room'), reader.subscribe('room')];
    await Promise.all(channels.map((channel) => nextValue(channel.listener('subscribe'))));
    const received = Promise.all(channels.map((channel) => nextValue(channel)));
    await publisher.invokePublish('room', data);

    expect(await received).toEqual([data, data]);
  });

  test('the publisher has its own copy before its publish is acknowledged', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const channel = client.subscribe('room');
    await nextValue(channel.listener('subscribe'));
    const frames = take(client.listener('message'), 2);
    await client.invokePublish('room', 'mine');

    const packets = (await frames).map(
      (frame) => JSON.parse(frame['message'] as string) as Record<string, unknown>,
    );
    expect(packets.map((packet) => packet['event'] ?? 'answer')).toEqual(['#publish', 'answer']);
  });

  test('`transmitPublish()` delivers without being acknowledged', async () => {
    const started = await startServer();
    const [publisher, reader] = await Promise.all([connectClient(started), connectClient(started)]);
    const channel = reader.subscribe('room');
    await nextValue(channel.listener('subscribe'));
    const message = nextValue(channel);
    await publisher.transmitPublish('room', 'hello');

    expect(await message).toBe('hello');
  });

  test('1000 messages of two publishers arrive complete, each publisher in its own order', async () => {
    const started = await startServer();
    const [left, right] = await Promise.all([connectClient(started), connectClient(started)]);
    const channel = (await connectClient(started)).subscribe('room');
    await nextValue(channel.listener('subscribe'));
    const received = take(channel, 1000);
    for (let index = 0; index < 500; index += 1) {
      void left.transmitPublish('room', { from: 'left', index });
      void right.transmitPublish('room', { from: 'right', index });
    }

    const messages = (await received) as { from: string; index: number }[];
    const inOrder = Array.from({ length: 500 }, (_, index) => index);
    for (const side of ['left', 'right']) {
      expect(messages.filter(({ from }) => from === side).map(({ index }) => index)).toEqual(inOrder);
    }
  });

  test('every subscriber sees the same order', async () => {
    const started = await startServer();
    const clients = await Promise.all([1, 2, 3].map(() => connectClient(started)));
    const channels = clients.map((client) => client.subscribe('room'));
    await Promise.all(channels.map((channel) => nextValue(channel.listener('subscribe'))));
    const received = Promise.all(channels.map((channel) => take(channel, 90)));
    for (let index = 0; index < 30; index += 1) {
      for (const [which, client] of clients.entries())
        void client.transmitPublish('room', `${which}:${index}`);
    }

    const [first, second, third] = await received;
    expect(first).toHaveLength(90);
    expect(second).toEqual(first);
    expect(third).toEqual(first);
  });

  test('the exchange publishes to clients and hears what they publish', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const { exchange } = started.server;
    const heard = nextValue(exchange.subscribe('to server'));
    const channel = client.subscribe('to clients');
    await nextValue(channel.listener('subscribe'));
    const received = take(channel, 2);
    await exchange.invokePublish('to clients', { n: 1 });
    await exchange.transmitPublish('to clients', { n: 2 });
    await client.invokePublish('to server', 'knock');

    expect(await received).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await heard).toBe('knock');
  });

  test('without `allowClientPublish` the client is refused and the server is not', async () => {
    const started = await startServer({ allowClientPublish: false });
    const client = await connectClient(started);
    const channel = client.subscribe('room');
    await nextValue(channel.listener('subscribe'));
    const message = nextValue(channel);

    await expect(client.invokePublish('room', 'mine')).rejects.toMatchObject({
      name: 'InvalidActionError',
      message: 'Client publish feature is disabled',
    });
    await started.server.exchange.invokePublish('room', 'from the server');
    expect(await message).toBe('from the server');
  });

  test('a message to a channel that nobody has is acknowledged', async () => {
    const started = await startServer();
    const client = await connectClient(started);

    expect(await client.invokePublish('nobody here', 1)).toBeUndefined();
  });
});

describe('large messages', () => {
  test.each([100_000, 500_000])('a message of %i characters goes both ways whole', async (length) => {
    const started = await startServer();
    onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
    const client = await connectClient(started);
    const channel = client.subscribe('room');
    await nextValue(channel.listener('subscribe'));
    const text = 'é😀x'.repeat(length / 4);
    const published = nextValue(channel);
    await client.invokePublish('room', text);

    expect(await published).toBe(text);
    expect(await client.invoke('echo', { text })).toEqual({ text });
  });

  test('a message over `maxPayload` ends the connection with 1009', async () => {
    const started = await startServer({ maxPayload: 10_000 });
    const client = await connectClient(started, { autoReconnect: false });
    const seen = nextValue(client.listener('disconnect'));
    const pending = client.invoke('echo', 'x'.repeat(20_000)).catch((error: Error) => error.name);

    expect(await seen).toMatchObject({ code: 1009 });
    expect(await pending).toBe('BadConnectionError');
    await until(() => started.server.clientsCount === 0);
  });

  test('a message over 1 MiB is too large by default', async () => {
    leaveOutWith('the published server', 'takes up to 100 MiB by default');
    const started = await startServer();
    const client = await connectClient(started, { autoReconnect: false });
    const seen = nextValue(client.listener('disconnect'));
    await client.transmit('echo', 'x'.repeat(1_100_000));

    expect(await seen).toMatchObject({ code: 1009 });
  });
});
