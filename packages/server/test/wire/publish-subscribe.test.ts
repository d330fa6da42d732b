import { collected, EventLog, nextValue, ours, startServer, take } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const WRONG_CHANNELS = [
  ['no data', undefined],
  ['null', null],
  ['a number', 5],
  ['an empty object', {}],
  ['a channel that is a number', { channel: 5 }],
  ['a channel that is null', { channel: null }],
  ['a channel that is an array', { channel: ['c'] }],
  ['a channel that is an object', { channel: { toString: 'c' } }],
  ['an array', ['c']],
] as const;

describe('#subscribe', () => {
  test('is acknowledged and raises the events of socket and server', async () => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    const log = new EventLog().record(socket, ['subscribe']).record(server, ['subscription']);
    expect(await client.call('#subscribe', { channel: 'c', waitForAuth: true, data: { x: 1 } })).toEqual({
      rid: 2,
    });
    expect(await log.first('subscribe')).toEqual({
      channel: 'c',
      subscriptionOptions: { waitForAuth: true, data: { x: 1 } },
    });
    expect(await log.first('subscription')).toMatchObject({
      socket,
      channel: 'c',
      subscriptionOptions: { waitForAuth: true, data: { x: 1 } },
    });
    expect(socket.isSubscribed('c')).toBe(true);
    expect(socket.subscriptions()).toEqual(['c']);
    expect(Object.keys(socket.channelSubscriptions)).toEqual(['c']);
    expect(socket.channelSubscriptionsCount).toBe(1);
    expect(server.brokerEngine.subscriptions()).toEqual(['c']);
  });

  ours('raises `subscription` with the options under both of their names', async () => {
    const { open, server } = await startServer();
    const { client } = await open();
    const subscribed = nextValue(server.listener('subscription'));
    await client.call('#subscribe', { channel: 'c', data: 1 });
    const { subscriptionOptions, channelOptions } = await subscribed;
    expect(subscriptionOptions).toMatchObject({ data: 1 });
    expect(channelOptions).toBe(subscriptionOptions);
  });

  test('without cid runs no subscription and hands the data of the subscription to the receiver', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const received = nextValue(socket.receiver('#subscribe'));
    client.send({ event: '#subscribe', data: { channel: 'c', data: 'x' } });
    expect(await received).toBe('x');
    await client.fence();
    expect(socket.subscriptions()).toEqual([]);
  });

  test('hands its request to the procedure after it was answered', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const called = nextValue(socket.procedure('#subscribe'));
    await client.call('#subscribe', { channel: 'c' });
    expect(await called).toMatchObject({ procedure: '#subscribe', data: { channel: 'c' }, sent: true });
  });

  test.for(WRONG_CHANNELS)('with %s is refused and subscribes nothing', async ([, data]) => {
    const { open, warning } = await startServer();
    const { client, socket } = await open();
    const refusal = { name: 'InvalidActionError', message: 'Subscribe channel name was malformatted' };
    expect(await client.call('#subscribe', data)).toEqual({ rid: 2, error: refusal });
    expect(await warning()).toMatchObject(refusal);
    client.send({ event: '#subscribe', data });
    await client.fence();
    expect(socket.subscriptions()).toEqual([]);
    expect(client.received).toHaveLength(4);
  });

  test('twice is acknowledged twice and delivers once', async () => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    expect(await client.call('#subscribe', { channel: 'c' })).toEqual({ rid: 2 });
    expect(await client.call('#subscribe', { channel: 'c' })).toEqual({ rid: 3 });
    expect(socket.channelSubscriptionsCount).toBe(1);
    await server.exchange.invokePublish('c', 'once');
    await client.fence();
    expect(client.received.filter((packet) => packet.event === '#publish')).toHaveLength(1);
  });
});

describe('socketChannelLimit', () => {
  test('refuses the channel above the limit and keeps the others', async () => {
    const { open } = await startServer({ socketChannelLimit: 2 });
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'a' });
    await client.call('#subscribe', { channel: 'b' });
    const reply = await client.call('#subscribe', { channel: 'c' });
    expect(reply).toMatchObject({ rid: 4, error: { name: expect.any(String), message: expect.any(String) } });
    expect(socket.subscriptions()).toEqual(['a', 'b']);
    await client.call('#unsubscribe', 'a');
    expect(await client.call('#subscribe', { channel: 'c' })).toEqual({ rid: 6 });
  });

  ours('does not refuse a channel that is held already', async () => {
    const { open } = await startServer({ socketChannelLimit: 1 });
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'a' });
    expect(await client.call('#subscribe', { channel: 'a' })).toEqual({ rid: 3 });
    expect(socket.subscriptions()).toEqual(['a']);
  });

  ours('is 1000 by default', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const subscribe = (n: number): object => ({ event: '#subscribe', data: { channel: `c${n}` }, cid: n });
    client.send(Array.from({ length: 1001 }, (_, n) => subscribe(10 + n)));
    expect(await client.next((packet) => packet.rid === 1010)).toHaveProperty('error');
    expect(socket.channelSubscriptionsCount).toBe(1000);
    expect(client.received.filter((packet) => packet.error !== undefined)).toHaveLength(1);
  });

  test('is not loosened by unsubscribing from what was never subscribed', async () => {
    const { open } = await startServer({ socketChannelLimit: 1 });
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'a' });
    expect(await client.call('#unsubscribe', 'b')).toHaveProperty('error');
    expect(await client.call('#subscribe', { channel: 'c' })).toHaveProperty('error');
    expect(socket.channelSubscriptionsCount).toBe(1);
  });
});

describe('#unsubscribe', () => {
  test('is acknowledged, raises the events and ends the deliveries', async () => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    const log = new EventLog().record(socket, ['unsubscribe']).record(server, ['unsubscription']);
    await client.call('#subscribe', { channel: 'c' });
    expect(await client.call('#unsubscribe', 'c')).toEqual({ rid: 3 });
    await server.exchange.invokePublish('c', 'unheard');
    await client.fence();
    expect(client.received.filter((packet) => packet.event === '#publish')).toEqual([]);
    expect(log.of('unsubscribe')).toEqual([{ channel: 'c' }]);
    expect(log.of('unsubscription')).toEqual([{ socket, channel: 'c' }]);
    expect(socket.channelSubscriptionsCount).toBe(0);
    expect(server.brokerEngine.subscriptions()).toEqual([]);
  });

  test('without cid works and is not acknowledged', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const gone = nextValue(socket.listener('unsubscribe'));
    await client.call('#subscribe', { channel: 'c' });
    client.send({ event: '#unsubscribe', data: 'c' });
    expect(await gone).toEqual({ channel: 'c' });
    await client.fence();
    expect(client.received).toHaveLength(4);
  });

  test('of a channel that is not subscribed is refused', async () => {
    const { open, warning } = await startServer();
    const { client, socket } = await open();
    const refusal = {
      name: 'BrokerError',
      message:
        'Failed to unsubscribe socket from the c channel - InvalidActionError: ' +
        `Socket ${socket.id} tried to unsubscribe from a channel which it is not subscribed to`,
    };
    expect(await client.call('#unsubscribe', 'c')).toEqual({ rid: 2, error: refusal });
    expect(await warning()).toMatchObject(refusal);
  });

  test.for([undefined, null, 5, true, {}, ['c'], { channel: 'c' }])(
    'with the data %j is refused',
    async (data) => {
      const { open, warning } = await startServer();
      const { client, socket } = await open();
      await client.call('#subscribe', { channel: 'c' });
      const refusal = { name: 'InvalidActionError', message: 'Unsubscribe channel name was malformatted' };
      expect(await client.call('#unsubscribe', data)).toEqual({ rid: 3, error: refusal });
      expect(await warning()).toMatchObject(refusal);
      expect(socket.subscriptions()).toEqual(['c']);
    },
  );
});

describe('#publish', () => {
  test('reaches all subscribers and the exchange; the publisher sees its own before the acknowledgement', async () => {
    const { open, server } = await startServer();
    const { client: ann } = await open();
    const { client: bob } = await open();
    const exchanged = nextValue(server.exchange.subscribe('c'));
    await ann.call('#subscribe', { channel: 'c' });
    await bob.call('#subscribe', { channel: 'c' });
    ann.send({ event: '#publish', data: { channel: 'c', data: { n: 1 } }, cid: 9 });
    const publication = '{"event":"#publish","data":{"channel":"c","data":{"n":1}}}';
    expect((await bob.nextFrame((frame) => frame.text.includes('#publish'))).text).toBe(publication);
    await ann.next((packet) => packet.rid === 9);
    expect(ann.frames.map((frame) => frame.text).slice(-2)).toEqual([publication, '{"rid":9}']);
    expect(await exchanged).toEqual({ n: 1 });
  });

  test('without cid is delivered and not acknowledged', async () => {
    const { open } = await startServer();
    const { client } = await open();
    await client.call('#subscribe', { channel: 'c' });
    client.send({ event: '#publish', data: { channel: 'c', data: 1 } });
    expect(await client.next()).toEqual({ event: '#publish', data: { channel: 'c', data: 1 } });
    await client.fence();
    expect(client.received).toHaveLength(5);
  });

  test('without data delivers a publication without data', async () => {
    const { open } = await startServer();
    const { client } = await open();
    await client.call('#subscribe', { channel: 'c' });
    client.send({ event: '#publish', data: { channel: 'c' } });
    expect((await client.nextFrame((frame) => frame.text.includes('#publish'))).text).toBe(
      '{"event":"#publish","data":{"channel":"c"}}',
    );
  });

  test('hands its request to the procedure, or without cid what was published to the receiver', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const called = nextValue(socket.procedure('#publish'));
    const received = nextValue(socket.receiver('#publish'));
    await client.call('#publish', { channel: 'c', data: 1 });
    client.send({ event: '#publish', data: { channel: 'c', data: 2 } });
    expect(await called).toMatchObject({ data: { channel: 'c', data: 1 }, sent: true });
    expect(await received).toBe(2);
  });

  test('does not reach a channel whose name only starts alike', async () => {
    const { open } = await startServer();
    const { client } = await open();
    await client.call('#subscribe', { channel: 'a' });
    await client.call('#subscribe', { channel: 'a/b' });
    await client.call('#publish', { channel: 'a/b/c', data: 1 });
    await client.call('#publish', { channel: 'a/b', data: 2 });
    expect(client.received.filter((packet) => packet.event === '#publish')).toEqual([
      { event: '#publish', data: { channel: 'a/b', data: 2 } },
    ]);
  });

  test.for(WRONG_CHANNELS)('with %s is refused and published nowhere', async ([, data]) => {
    const { open, server, warning } = await startServer();
    const { client } = await open();
    const published = collected(server.brokerEngine.listener('publish'));
    const refusal = { name: 'InvalidActionError', message: 'Publish channel name was malformatted' };
    expect(await client.call('#publish', data)).toEqual({ rid: 2, error: refusal });
    expect(await warning()).toMatchObject(refusal);
    client.send({ event: '#publish', data });
    await client.fence();
    expect(client.received).toHaveLength(4);
    expect(published).toEqual(
      Array.from({ length: 2 }, () => ({ channel: 'fence of the test', data: undefined })),
    );
  });

  test('is refused when clients may not publish, from the moment the server is told', async () => {
    const { open, server, warning } = await startServer();
    const { client } = await open();
    const published = take(server.brokerEngine.listener('publish'), 2);
    expect(await client.call('#publish', { channel: 'c', data: 1 })).toEqual({ rid: 2 });
    server.allowClientPublish = false;
    const refusal = { name: 'InvalidActionError', message: 'Client publish feature is disabled' };
    expect(await client.call('#publish', { channel: 'c', data: 2 })).toEqual({ rid: 3, error: refusal });
    expect(await warning()).toMatchObject(refusal);
    client.send({ event: '#publish', data: { channel: 'c', data: 3 } });
    server.allowClientPublish = false;
    await client.call('#unsubscribe', 'x');
    server.allowClientPublish = true;
    await client.call('#publish', { channel: 'c', data: 4 });
    expect(await published).toEqual([
      { channel: 'c', data: 1 },
      { channel: 'c', data: 4 },
    ]);
  });

  test('is refused by the option allowClientPublish=false', async () => {
    const { open, server } = await startServer({ allowClientPublish: false });
    const { client } = await open();
    await client.call('#subscribe', { channel: 'c' });
    expect(await client.call('#publish', { channel: 'c', data: 1 })).toMatchObject({
      error: { name: 'InvalidActionError' },
    });
    await server.exchange.invokePublish('c', 'from the server');
    expect(await client.next()).toEqual({
      event: '#publish',
      data: { channel: 'c', data: 'from the server' },
    });
  });
});

describe('`kickOut()`', () => {
  test('of one channel tells the client and unsubscribes the socket', async () => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    const log = new EventLog().record(socket, ['unsubscribe']);
    await client.call('#subscribe', { channel: 'foo' });
    await client.call('#subscribe', { channel: 'bar' });
    await socket.kickOut('foo', 'msg');
    expect(await client.next()).toEqual({ event: '#kickOut', data: { channel: 'foo', message: 'msg' } });
    await server.exchange.invokePublish('foo', 1);
    await server.exchange.invokePublish('bar', 2);
    expect(await client.next()).toEqual({ event: '#publish', data: { channel: 'bar', data: 2 } });
    expect(log.of('unsubscribe')).toEqual([{ channel: 'foo' }]);
    expect(socket.subscriptions()).toEqual(['bar']);
  });

  test('without arguments kicks out of all channels, with an array of several', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    for (const channel of ['a', 'b', 'c', 'd']) await client.call('#subscribe', { channel });
    await socket.kickOut(['a', 'b']);
    expect(await client.next()).toEqual({ event: '#kickOut', data: { channel: 'a' } });
    expect(await client.next()).toEqual({ event: '#kickOut', data: { channel: 'b' } });
    expect(socket.subscriptions()).toEqual(['c', 'd']);
    await socket.kickOut();
    expect(await client.next()).toEqual({ event: '#kickOut', data: { channel: 'c' } });
    expect(await client.next()).toEqual({ event: '#kickOut', data: { channel: 'd' } });
    expect(socket.subscriptions()).toEqual([]);
  });

  test('of a channel that is not subscribed tells the client and rejects', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    await expect(socket.kickOut('foo', 'msg')).rejects.toMatchObject({ name: 'InvalidActionError' });
    expect(await client.next()).toEqual({ event: '#kickOut', data: { channel: 'foo', message: 'msg' } });
  });

  test('does not keep the client from subscribing again', async () => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'foo' });
    await socket.kickOut('foo');
    expect(await client.call('#subscribe', { channel: 'foo' })).toEqual({ rid: 3 });
    await server.exchange.invokePublish('foo', 1);
    await client.next((packet) => packet.event === '#publish');
  });
});
