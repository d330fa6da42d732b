import { createServer } from 'node:http';
import {
  deferred,
  EventLog,
  nextValue,
  ours,
  serverModule,
  startServer,
  turn,
  until,
} from '@socketcluster-ts/testkit';
import { expect, test, vi } from 'vitest';

const { AGSimpleBroker, attach } = serverModule;

ours(
  'C1: what outbound middleware replaces for one subscriber, no other one and no broker sees',
  async () => {
    const { server, open } = await startServer();
    const slow = deferred();
    const favourites = new Set<unknown>();
    const published = nextValue(server.brokerEngine.listener('publish'));
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async (stream) => {
      for await (const action of stream) {
        if (favourites.has(action.socket)) {
          action.allow({ data: 'for your eyes only' });
        } else {
          await slow.promise;
          action.allow();
        }
      }
    });
    const special = await open();
    const plain = await open();
    favourites.add(special.socket);
    await special.client.call('#subscribe', { channel: 'news' });
    await plain.client.call('#subscribe', { channel: 'news' });
    await server.exchange.invokePublish('news', 'for all');

    expect(await special.client.next()).toMatchObject({ data: { data: 'for your eyes only' } });
    slow.resolve();
    expect(await plain.client.next()).toMatchObject({ data: { data: 'for all' } });
    expect(await published).toEqual({ channel: 'news', data: 'for all' });
  },
);

ours('C3: `ready` is emitted after the constructor, with a broker that was ready before', async () => {
  const brokerEngine = new AGSimpleBroker();
  await brokerEngine.listener('ready').once();
  const server = attach(createServer(), { brokerEngine });
  await expect(nextValue(server.listener('ready'))).resolves.toEqual({});
});

ours('C4: who subscribes through the exchange can still wait for the `subscribe` event', async () => {
  const { server } = await startServer();
  const onExchange = nextValue(server.exchange.listener('subscribe'));
  const channel = server.exchange.subscribe('news');
  expect(channel.state).toBe('subscribed');
  expect(await nextValue(channel.listener('subscribe'))).toEqual({});
  expect(await onExchange).toMatchObject({ channel: 'news' });
});

ours('C5: at the channel limit a channel that is held may be subscribed again', async () => {
  const { open } = await startServer({ socketChannelLimit: 1 });
  const { client, socket } = await open();
  expect(await client.call('#subscribe', { channel: 'held' })).not.toHaveProperty('error');
  expect(await client.call('#subscribe', { channel: 'other' })).toHaveProperty('error');
  expect(await client.call('#subscribe', { channel: 'held' })).not.toHaveProperty('error');
  expect(socket.subscriptions()).toEqual(['held']);
});

ours('C5: a subscription survives that subscribing to it again fails', async () => {
  const { server, open } = await startServer();
  const { client, socket } = await open();
  await client.call('#subscribe', { channel: 'held' });
  vi.spyOn(server.brokerEngine, 'subscribeSocket').mockRejectedValue(new Error('broker is away'));
  expect(await client.call('#subscribe', { channel: 'held' })).toMatchObject({
    error: {
      name: 'BrokerError',
      message: 'Failed to subscribe socket to the held channel - Error: broker is away',
    },
  });
  expect(await client.call('#subscribe', { channel: 'fresh' })).toHaveProperty('error');
  expect(socket.subscriptions()).toEqual(['held']);
  await server.exchange.invokePublish('held', 1);
  expect(await client.next()).toMatchObject({ event: '#publish' });
});

ours('C6: an unsubscribe that the broker refuses is answered with an error', async () => {
  const { server, open } = await startServer();
  const { client, socket } = await open();
  await client.call('#subscribe', { channel: 'held' });
  vi.spyOn(server.brokerEngine, 'unsubscribeSocket').mockRejectedValueOnce(new Error('broker is away'));
  expect(await client.call('#unsubscribe', 'held')).toMatchObject({
    error: {
      name: 'BrokerError',
      message: 'Failed to unsubscribe socket from the held channel - Error: broker is away',
    },
  });
  expect(socket.isSubscribed('held')).toBe(true);
  expect(await client.call('#unsubscribe', 'held')).not.toHaveProperty('error');
});

/** A broker whose `subscribeSocket` takes effect only when the gate opens. */
function slowBroker(): {
  brokerEngine: InstanceType<typeof AGSimpleBroker>;
  asked: Promise<void>;
  go(): void;
} {
  const brokerEngine = new AGSimpleBroker();
  const gate = deferred();
  const asked = deferred();
  const subscribe = brokerEngine.subscribeSocket.bind(brokerEngine);
  brokerEngine.subscribeSocket = async (socket, channel) => {
    asked.resolve();
    await gate.promise;
    await subscribe(socket, channel);
  };
  return { brokerEngine, asked: asked.promise, go: gate.resolve };
}

ours('C7: a socket that closes while the broker subscribes it is not left behind in the broker', async () => {
  const { brokerEngine, asked, go } = slowBroker();
  const { server, open } = await startServer({ brokerEngine });
  const { client } = await open();
  const log = new EventLog().record(server, ['subscription', 'closure']);
  client.send({ event: '#subscribe', data: { channel: 'news' }, cid: 9 });
  await asked;
  client.terminate();
  await log.first('closure');
  go();
  await until(() => !brokerEngine.isSubscribed('news'));
  await turn();
  await turn();
  expect(brokerEngine.subscriptions()).toEqual([]);
  expect(log.names).toEqual(['closure']);
});

ours('C8: a kick out while the broker subscribes the socket ends in no subscription', async () => {
  const { brokerEngine, asked, go } = slowBroker();
  const { open } = await startServer({ brokerEngine });
  const { client, socket } = await open();
  const subscribing = client.call('#subscribe', { channel: 'news' });
  await asked;
  const kicked = socket.kickOut('news', 'not you');
  go();
  await kicked;
  await subscribing;
  await client.next(({ event }) => event === '#kickOut');
  expect(socket.isSubscribed('news')).toBe(false);
  expect(brokerEngine.subscriptions()).toEqual([]);
});

test('C8: an unsubscribe sent behind a slow subscribe is carried out after it', async () => {
  const { brokerEngine, asked, go } = slowBroker();
  const { server, open } = await startServer({ brokerEngine });
  const { client, socket } = await open();
  const log = new EventLog().record(server, ['subscription', 'unsubscription']);
  const subscribing = client.call('#subscribe', { channel: 'news' });
  const unsubscribing = client.call('#unsubscribe', 'news');
  await asked;
  go();
  expect(await subscribing).not.toHaveProperty('error');
  expect(await unsubscribing).not.toHaveProperty('error');
  expect(log.names).toEqual(['subscription', 'unsubscription']);
  expect(socket.subscriptions()).toEqual([]);
  expect(brokerEngine.subscriptions()).toEqual([]);
});

ours('C17: `invokePublish()` of data that cannot be encoded rejects, `transmitPublish()` warns', async () => {
  const started = await startServer();
  const { server, open } = started;
  const { client } = await open();
  await client.call('#subscribe', { channel: 'news' });
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  const warned = nextValue(server.listener('warning'));
  await expect(server.exchange.invokePublish('news', circular)).rejects.toBeInstanceOf(Error);
  await warned;
  await expect(server.exchange.transmitPublish('news', 1n)).resolves.toBeUndefined();
  await until(() => started.warnings.length >= 2);

  await server.exchange.invokePublish('news', 'fine');
  expect(await client.next()).toMatchObject({ data: { data: 'fine' } });
});

ours('C21: closing the listeners of a channel leaves the channels below its name alone', async () => {
  const { server } = await startServer();
  const { exchange } = server;
  exchange.subscribe('a');
  exchange.subscribe('a/b');
  const outer = exchange.channel('a').listener('unsubscribe').createConsumer();
  const inner = exchange.channel('a/b').listener('unsubscribe').createConsumer();
  exchange.channelCloseAllListeners('a');
  expect(await outer.next()).toMatchObject({ done: true });
  await exchange.unsubscribe('a/b');
  expect(await inner.next()).toMatchObject({ done: false });
});

ours('C21: the events of `a` and `b/c` are apart from those of `a/b` and `c`', async () => {
  const { server } = await startServer();
  const { exchange } = server;
  const first = exchange.channel('a').listener('b/c').createConsumer();
  const second = exchange.channel('a/b').listener('c').createConsumer();
  exchange.channelKillListener('a', 'b/c');
  expect(first.isAlive).toBe(false);
  expect(second.isAlive).toBe(true);
});

ours('C30: subscribers are served in the order in which they subscribed, whatever their ids', async () => {
  const broker = new AGSimpleBroker();
  const served: string[] = [];
  for (const id of ['b', '10', 'a', '2']) {
    await broker.subscribeClient(
      {
        id,
        transmit: async () => {
          served.push(id);
        },
      },
      'news',
    );
  }
  await broker.invokePublish('news', 1);
  expect(served).toEqual(['b', '10', 'a', '2']);
});
