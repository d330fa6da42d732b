import {
  collected,
  deferred,
  nextValue,
  socketOf,
  startServer,
  take,
  until,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { connectClient } from './client.js';

describe('backpressure', () => {
  test('what a slow receiver has not taken yet is counted, and counted down', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const consumer = socket.receiver('work').createConsumer();
    for (let index = 0; index < 10; index += 1) void client.transmit('work', index);
    await client.invokePublish('fence', null);

    expect(socket.getReceiverBackpressure('work')).toBe(10);
    expect(socket.getAllReceiversBackpressure()).toBe(10);
    expect(socket.getBackpressure()).toBe(10);
    for (let index = 0; index < 4; index += 1) await consumer.next();
    expect(socket.getReceiverBackpressure('work')).toBe(6);
    socket.killReceiver('work');
    await consumer.next();
    expect(socket.getReceiverBackpressure('work')).toBe(0);
  });

  test('frames that a middleware holds up count as inbound backpressure', async () => {
    const started = await startServer();
    const gate = deferred();
    started.server.setMiddleware('inbound', async (stream: AsyncIterable<{ allow(): void }>) => {
      for await (const action of stream) {
        await gate.promise;
        action.allow();
      }
    });
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    for (let index = 0; index < 5; index += 1) void client.transmit('work', index);
    await until(() => socket.inboundReceivedMessageCount === 6);

    expect(socket.getInboundBackpressure()).toBe(4);
    gate.resolve();
    await until(() => socket.getInboundBackpressure() === 0);
    expect(socket.inboundProcessedMessageCount).toBe(6);
  });

  test('what the exchange has not taken yet is counted', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const { exchange } = started.server;
    const consumer = exchange.subscribe('room').createConsumer();
    for (let index = 0; index < 7; index += 1) await client.invokePublish('room', index);

    expect(exchange.getChannelBackpressure('room')).toBe(7);
    await consumer.next();
    expect(exchange.getBackpressure()).toBe(6);
  });

  test('a connection at rest has no backpressure', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    await client.invokePublish('room', 1);
    await until(() => socket.getBackpressure() === 0);

    expect([socket.getInboundBackpressure(), socket.getOutboundBackpressure()]).toEqual([0, 0]);
  });
});

describe('ending streams', () => {
  test('`closeReceiver()` lets a loop finish its backlog, `killReceiver()` does not', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const closed = socket.receiver('closed').createConsumer();
    const killed = socket.receiver('killed').createConsumer();
    for (const name of ['closed', 'killed']) for (const value of [1, 2, 3]) void client.transmit(name, value);
    await client.invokePublish('fence', null);
    socket.closeReceiver('closed');
    socket.killReceiver('killed');
    const rest = async (consumer: AsyncIterator<unknown>): Promise<unknown[]> => {
      const values: unknown[] = [];
      for (let step = await consumer.next(); step.done !== true; step = await consumer.next())
        values.push(step.value);
      return values;
    };

    expect(await rest(closed)).toEqual([1, 2, 3]);
    expect(await rest(killed)).toEqual([]);
  });

  test.each([
    ['kill', [0]],
    ['close', [0, 1, 2, 3, 4]],
  ] as const)('when the client leaves in mode %s, a busy receiver handles %j', async (mode, expected) => {
    const started = await startServer({ socketStreamCleanupMode: mode });
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const handled: unknown[] = [];
    // A loop with nothing to do ends as soon as the streams of the socket are closed or killed.
    const cleanedUp = (async () => {
      for await (const item of socket.receiver('idle')) handled.push(item);
    })();
    const loop = (async () => {
      for await (const item of socket.receiver('work')) {
        handled.push(item);
        await cleanedUp;
      }
    })();
    for (let index = 0; index < 5; index += 1) void client.transmit('work', index);
    await client.invokePublish('fence', null);
    client.disconnect();
    await loop;

    expect(handled).toEqual(expected);
  });

  test('every loop over a socket ends when its client has left', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const run = async (stream: AsyncIterable<unknown>): Promise<number> => {
      let count = 0;
      for await (const _ of stream) count += 1;
      return count;
    };
    const loops = [
      run(socket.receiver('a')),
      run(socket.procedure('b')),
      run(socket.listener('subscribe')),
      run(socket.listener('message')),
    ];
    await client.transmit('a', 1);
    await client.invokePublish('fence', null);
    client.disconnect();

    expect((await Promise.all(loops)).slice(0, 3)).toEqual([1, 0, 0]);
  });

  test('closing a channel of the exchange ends its loop, not its subscription', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const { exchange } = started.server;
    const channel = exchange.subscribe('room');
    const all = take(channel, 5);
    await client.invokePublish('room', 1);
    exchange.closeChannel('room');

    expect(await all).toEqual([1]);
    expect(exchange.isSubscribed('room')).toBe(true);
    const later = nextValue(exchange.channel('room'));
    await client.invokePublish('room', 2);
    expect(await later).toBe(2);
  });

  test('two loops over one receiver both get everything', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const loops = [collected(socket.receiver('tell')), collected(socket.receiver('tell'))];
    for (const value of [1, 2, 3]) void client.transmit('tell', value);
    await until(() => loops.every((values) => values.length === 3));

    expect(loops).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(socket.getReceiverConsumerStatsList('tell')).toHaveLength(2);
  });

  test('`once()` of a stream that stays silent rejects with a TimeoutError', async () => {
    const started = await startServer();
    const client = await connectClient(started);

    await expect((await socketOf(started, client)).receiver('silence').once(20)).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });
});
