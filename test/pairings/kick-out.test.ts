import { collected, nextValue, socketOf, startServer, take } from '@socketcluster-ts/testkit';
import { expect, test } from 'vitest';
import { connectClient } from './client.js';

test('`kickOut()` unsubscribes the client when the channel is named', async () => {
  const started = await startServer();
  const client = await connectClient(started);
  const channel = client.subscribe('room');
  const other = client.subscribe('other');
  await nextValue(other.listener('subscribe'));
  const socket = await socketOf(started, client);
  const messages = collected(channel);
  const kicked = nextValue(client.listener('kickOut'));
  const atChannel = nextValue(channel.listener('kickOut'));
  const left = nextValue(client.listener('unsubscribe'));
  const atServer = nextValue(started.server.listener('unsubscription'));
  await socket.kickOut('room', 'too loud');

  expect(await kicked).toEqual({ channel: 'room', message: 'too loud' });
  expect(await atChannel).toEqual({ message: 'too loud' });
  expect(await left).toEqual({ channel: 'room' });
  expect(await atServer).toMatchObject({ socket, channel: 'room' });
  expect(channel.state).toBe('unsubscribed');
  expect(socket.subscriptions()).toEqual(['other']);
  await client.invokePublish('room', 'can I hear this?');
  expect(messages).toEqual([]);
});

test('`kickOut()` of a list unsubscribes from each', async () => {
  const started = await startServer();
  const client = await connectClient(started);
  const subscribed = take(client.listener('subscribe'), 3);
  for (const name of ['one', 'two', 'three']) client.subscribe(name);
  await subscribed;
  const socket = await socketOf(started, client);
  const kicked = take(client.listener('kickOut'), 2);
  await socket.kickOut(['one', 'three'], 'spring cleaning');

  expect((await kicked).map((event) => event['channel'])).toEqual(['one', 'three']);
  expect(client.subscriptions()).toEqual(['two']);
  expect(socket.subscriptions()).toEqual(['two']);
});

test('`kickOut()` without a channel unsubscribes from all', async () => {
  const started = await startServer();
  const client = await connectClient(started);
  const subscribed = take(client.listener('subscribe'), 2);
  for (const name of ['one', 'two']) client.subscribe(name);
  await subscribed;
  const socket = await socketOf(started, client);
  const kicked = take(client.listener('kickOut'), 2);
  await socket.kickOut();

  expect((await kicked).map((event) => event['channel'])).toEqual(['one', 'two']);
  expect(client.subscriptions(true)).toEqual([]);
  expect(socket.channelSubscriptionsCount).toBe(0);
});

test('a client that was kicked out does not come back by itself, but may', async () => {
  const started = await startServer();
  const client = await connectClient(started);
  const channel = client.subscribe('room');
  await nextValue(channel.listener('subscribe'));
  const left = nextValue(client.listener('unsubscribe'));
  await (await socketOf(started, client)).kickOut('room');
  await left;
  const connected = nextValue(client.listener('connect'));
  client.reconnect();
  await connected;
  await client.invokePublish('fence', null);
  expect((await socketOf(started, client)).subscriptions()).toEqual([]);

  client.subscribe('room');
  await nextValue(channel.listener('subscribe'));
  const message = nextValue(channel);
  await client.invokePublish('room', 'back');
  expect(await message).toBe('back');
});

test('kicking out of a channel that is not subscribed rejects', async () => {
  const started = await startServer();
  const client = await connectClient(started);

  await expect((await socketOf(started, client)).kickOut('nowhere')).rejects.toMatchObject({
    name: 'InvalidActionError',
  });
});
