import { AGSimpleBroker } from '@socketcluster-ts/server';
import { collected, nextValue, startServer, take } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

/** A broker whose subscriptions of the exchange fail as told. */
class FailingBroker extends AGSimpleBroker {
  fails: 'subscribe' | 'unsubscribe' | undefined;

  override async subscribeClient(...args: Parameters<AGSimpleBroker['subscribeClient']>): Promise<void> {
    if (this.fails === 'subscribe') throw new Error('No room');
    await super.subscribeClient(...args);
  }

  override async unsubscribeClient(...args: Parameters<AGSimpleBroker['unsubscribeClient']>): Promise<void> {
    if (this.fails === 'unsubscribe') throw new Error('Not now');
    await super.unsubscribeClient(...args);
  }
}

describe('AGExchange', () => {
  test('a subscription the broker refuses is told on the exchange and on the channel', async () => {
    const broker = new FailingBroker();
    broker.fails = 'subscribe';
    const { server } = await startServer({ brokerEngine: broker });
    const onExchange = nextValue(server.exchange.listener('subscribeFail'));
    const channel = server.exchange.subscribe('full');
    const onChannel = nextValue(channel.listener('subscribeFail'));

    expect(await onExchange).toMatchObject({ channel: 'full', error: { message: 'No room' } });
    expect(await onChannel).toMatchObject({ error: { message: 'No room' } });
    expect(channel.state).toBe('unsubscribed');
    expect(server.exchange.subscriptions()).toEqual([]);
  });

  test('a broker that cannot unsubscribe is told, and nothing more is delivered', async () => {
    const broker = new FailingBroker();
    const { server } = await startServer({ brokerEngine: broker });
    const channel = server.exchange.subscribe('held');
    const messages = collected(channel);
    broker.fails = 'unsubscribe';
    const failed = nextValue(server.exchange.listener('unsubscribeFail'));
    await expect(server.exchange.unsubscribe('held')).rejects.toThrow('Not now');

    expect(await failed).toMatchObject({ channel: 'held', error: { message: 'Not now' } });
    await server.exchange.invokePublish('held', 'late');
    expect(broker.isSubscribed('held')).toBe(true);
    expect(messages).toEqual([]);
  });

  test('subscribe() and unsubscribe() of one tick are told in that order', async () => {
    const { server } = await startServer();
    const told: string[] = [];
    void (async () => {
      for await (const { channel } of server.exchange.listener('subscribe'))
        told.push(`subscribe ${channel}`);
    })();
    const done = (async () => {
      for await (const { channel } of server.exchange.listener('unsubscribe')) {
        told.push(`unsubscribe ${channel}`);
        return;
      }
    })();
    server.exchange.subscribe('brief');
    void server.exchange.unsubscribe('brief');
    await done;
    expect(told).toEqual(['subscribe brief', 'unsubscribe brief']);
  });

  test('a loop over a channel goes on when the exchange subscribes again', async () => {
    const { server } = await startServer();
    const channel = server.exchange.subscribe('on and off');
    const messages = take(channel, 2);
    await channel.invokePublish('first');
    await server.exchange.unsubscribe('on and off');
    await channel.invokePublish('missed');
    channel.subscribe();
    await channel.invokePublish('second');
    expect(await messages).toEqual(['first', 'second']);
  });

  test('replacing invokePublish() of the exchange intercepts the publishes of clients', async () => {
    const { server, open } = await startServer();
    const { client } = await open();
    await client.call('#subscribe', { channel: 'c' });
    const { exchange } = server;
    const original = exchange.invokePublish.bind(exchange);
    exchange.invokePublish = (channel, data) => original(channel, `seen: ${String(data)}`);
    client.send({ event: '#publish', data: { channel: 'c', data: 'x' }, cid: 9 });
    expect(await client.next()).toEqual({ event: '#publish', data: { channel: 'c', data: 'seen: x' } });
    expect(await client.next()).toEqual({ rid: 9 });
  });

  test('replacing invokePublish() of the broker intercepts every publish', async () => {
    const broker = new AGSimpleBroker();
    const { server, open } = await startServer({ brokerEngine: broker });
    const { client } = await open();
    const published: unknown[] = [];
    broker.invokePublish = async (channel, data) => {
      published.push([channel, data]);
    };
    await client.call('#publish', { channel: 'c', data: 1 });
    await server.exchange.invokePublish('d', 2);
    expect(published).toEqual([
      ['c', 1],
      ['d', 2],
    ]);
  });

  test('a subscriber that throws does not keep the message from the others', async () => {
    const broker = new AGSimpleBroker();
    const { server, warning } = await startServer({ brokerEngine: broker });
    await broker.subscribeClient(
      {
        id: 'broken',
        transmit: () => {
          throw new Error('I am broken');
        },
      },
      'c',
    );
    const received = nextValue(server.exchange.subscribe('c'));
    await server.exchange.invokePublish('c', 'to all');
    expect(await received).toBe('to all');
    expect((await warning()).message).toBe('I am broken');
  });
});

test.each([undefined, null, {}, Symbol('name')])(
  'a channel that is named by no text and no number (%s) is told to who names it',
  async (name) => {
    const { server } = await startServer();
    const { exchange } = server;
    const error = {
      name: 'InvalidArgumentsError',
      message: /^The name of a channel must be a string or a number/,
    };
    expect(() => exchange.subscribe(name as never)).toThrow(error.message);
    expect(() => exchange.channel(name as never)).toThrow(error.message);
    await expect(exchange.invokePublish(name as never, 1)).rejects.toThrow(error.message);
    const told = exchange.listener('error').once();
    await exchange.transmitPublish(name as never, 1);
    expect(String((await told).error)).toContain(error.name);
  },
);
