import type { AGClientSocket } from '@socketcluster-ts/client';
import {
  answer,
  collected,
  onConnection,
  type StartedServer,
  socketOf,
  startServer,
  take,
  turn,
  until,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { connectClient, createClient } from './client.js';

interface Packet {
  readonly event?: string;
  readonly rid?: number;
  readonly cid?: number;
  readonly data?: unknown;
}

function parse(frame: unknown): Packet | Packet[] {
  return JSON.parse(String(frame)) as Packet | Packet[];
}

/** The frames that the next socket receives, its handshake included; pongs are left out. */
function framesAtServer(started: StartedServer): (Packet | Packet[])[] {
  const frames: (Packet | Packet[])[] = [];
  void (async () => {
    for await (const { socket } of started.server.listener('handshake')) {
      void (async () => {
        for await (const { message } of socket.listener('message')) {
          if (message !== '') frames.push(parse(message));
        }
      })();
    }
  })();
  return frames;
}

/** The frames that a client receives from now on; pings are left out. */
function framesAtClient(client: AGClientSocket): (Packet | Packet[])[] {
  const frames: (Packet | Packet[])[] = [];
  void (async () => {
    for await (const { message } of client.listener('message'))
      if (message !== '') frames.push(parse(message));
  })();
  return frames;
}

const channelNames = Array.from({ length: 20 }, (_, index) => `channel ${index}`);

describe('batching after the handshake', () => {
  test('20 subscriptions go out as one array and are answered by one array', async () => {
    const started = await startServer({
      batchOnHandshake: true,
      batchOnHandshakeDuration: 400,
      batchInterval: 50,
    });
    const received = framesAtServer(started);
    const client = createClient(started, {
      batchOnHandshake: true,
      batchOnHandshakeDuration: 100,
      batchInterval: 50,
    });
    const answered = framesAtClient(client);
    const subscribed = take(client.listener('subscribe'), 20);
    for (const name of channelNames) client.subscribe(name);
    await subscribed;

    expect(received[0]).toMatchObject({ event: '#handshake' });
    const calls = received[1] as Packet[];
    expect(calls.map((packet) => packet.event)).toEqual(channelNames.map(() => '#subscribe'));
    expect(calls.map((packet) => packet.data)).toEqual(channelNames.map((channel) => ({ channel })));
    expect(answered[0]).toMatchObject({ rid: 1, data: { id: client.id } });
    expect(answered[1]).toEqual(calls.map(({ cid }) => ({ rid: cid })));
    expect(client.subscriptions()).toEqual(channelNames);
  });

  test('a client that batches is served by a server that does not', async () => {
    const started = await startServer();
    const received = framesAtServer(started);
    const client = createClient(started, { batchOnHandshake: true });
    const subscribed = take(client.listener('subscribe'), 20);
    for (const name of channelNames) client.subscribe(name);
    await subscribed;

    expect(received[1]).toHaveLength(20);
    expect((await socketOf(started, client)).subscriptions()).toEqual(channelNames);
  });

  test('a server that batches serves a client that does not', async () => {
    const started = await startServer({
      batchOnHandshake: true,
      batchOnHandshakeDuration: 200,
      batchInterval: 20,
    });
    onConnection(started, (socket) => {
      answer(socket, 'echo', (data) => data);
      for (const number of [1, 2, 3]) void socket.transmit('count', number);
    });
    const client = createClient(started);
    const frames = framesAtClient(client);
    const counted = take(client.receiver('count'), 3);

    expect(await client.invoke('echo', 'hi')).toBe('hi');
    expect(await counted).toEqual([1, 2, 3]);
    expect(frames[0]).toMatchObject({ rid: 1 });
    expect(frames.slice(1).every((frame) => Array.isArray(frame))).toBe(true);
  });

  test('when the time of batching is over, packets go one by one again', async () => {
    const started = await startServer({
      batchOnHandshake: true,
      batchOnHandshakeDuration: 400,
      batchInterval: 20,
    });
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    expect(socket.isBufferingBatch).toBe(true);
    await until(() => !socket.isBufferingBatch);
    const frames = framesAtClient(client);
    const counted = take(client.receiver('count'), 2);
    await socket.transmit('count', 1);
    await socket.transmit('count', 2);

    expect(await counted).toEqual([1, 2]);
    expect(frames).toEqual([
      { event: 'count', data: 1 },
      { event: 'count', data: 2 },
    ]);
  });
});

describe('batching on demand', () => {
  test('what the client collects between `startBatch()` and `flushBatch()` arrives in one array, in order', async () => {
    const started = await startServer();
    const received = framesAtServer(started);
    onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const told = take(socket.receiver('tell'), 2);
    client.startBatch();
    const echoed = client.invoke('echo', 1);
    void client.transmit('tell', 2);
    const published = client.invokePublish('room', 3);
    void client.transmit('tell', 4);
    client.flushBatch();

    expect(await echoed).toBe(1);
    expect(await told).toEqual([2, 4]);
    await published;
    expect((received[1] as Packet[]).map((packet) => packet.event)).toEqual([
      'echo',
      'tell',
      '#publish',
      'tell',
    ]);
  });

  test('what a socket collects between `startBatch()` and `flushBatch()` arrives in one array, in order', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const channel = client.subscribe('room');
    await take(channel.listener('subscribe'), 1);
    answer(client, 'echo', (data) => data);
    const frames = framesAtClient(client);
    const messages = take(channel, 1);
    socket.startBatch();
    void socket.transmit('tell', 1);
    const echoed = socket.invoke('echo', 2);
    await started.server.exchange.invokePublish('room', 3);
    // All are in the batch by then: the published server takes them out of its queue in microtasks, and ours has no queue.
    await turn();
    expect(frames).toEqual([]);
    socket.flushBatch();

    expect(await echoed).toBe(2);
    expect(await messages).toEqual([3]);
    expect((frames[0] as Packet[]).map((packet) => packet.event)).toEqual(['tell', 'echo', '#publish']);
  });

  test('continuous batching delivers everything in order and ends with `stopBatching()`', async () => {
    const started = await startServer({ batchInterval: 10 });
    const client = await connectClient(started, { batchInterval: 10 });
    const socket = await socketOf(started, client);
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    const atClient = take(client.receiver('count'), 100);
    const atServer = take(socket.receiver('count'), 100);
    const frames = collected(client.listener('message'));
    client.startBatching();
    socket.startBatching();
    for (const number of numbers) {
      void client.transmit('count', number);
      void socket.transmit('count', number);
    }

    expect(await atClient).toEqual(numbers);
    expect(await atServer).toEqual(numbers);
    expect(frames.length).toBeLessThan(100);
    socket.stopBatching();
    client.stopBatching();
    expect([socket.isBatching, client.isBatching]).toEqual([false, false]);
  });
});
