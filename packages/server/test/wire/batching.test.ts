import { consume, ours, startServer, take, turn } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const textOf = (frame: { text: string }): string => frame.text;

describe('a batch of the server', () => {
  test('is one array of everything that was sent meanwhile', async () => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    void consume(socket.procedure('asked'), (request) => {
      request.end('answer');
    });
    await client.call('#subscribe', { channel: 'c' });
    socket.startBatch();
    expect(socket.isBufferingBatch).toBe(true);
    await socket.transmit('told', 1);
    void socket.invoke('ask', 2).catch(() => {});
    const published = take(server.brokerEngine.listener('publish'), 1);
    client.send({ event: 'asked', cid: 5 });
    client.send({ event: '#publish', data: { channel: 'c', data: 3 } });
    await published;
    expect(client.received).toHaveLength(2);
    socket.flushBatch();
    expect(socket.isBufferingBatch).toBe(false);
    const frame = await client.nextFrame((candidate) => candidate.text.startsWith('['));
    expect(frame.value).toHaveLength(4);
    expect(frame.value).toEqual(
      expect.arrayContaining([
        { event: 'told', data: 1 },
        { event: 'ask', data: 2, cid: 1 },
        { rid: 5, data: 'answer' },
        { event: '#publish', data: { channel: 'c', data: 3 } },
      ]),
    );
    await socket.transmit('told', 4);
    expect(textOf(await client.nextFrame((candidate) => candidate.text.endsWith(':4}')))).toBe(
      '{"event":"told","data":4}',
    );
  });

  test('of one packet is an array of one, and of none is nothing', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    socket.startBatch();
    socket.flushBatch();
    socket.startBatch();
    await socket.transmit('told');
    await turn();
    socket.flushBatch();
    await client.fence();
    expect(client.frames.map(textOf)).toContain('[{"event":"told"}]');
    expect(client.frames.map(textOf)).not.toContain('[]');
  });

  test('is dropped by `cancelBatch()`', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    socket.startBatch();
    await socket.transmit('told', 'dropped');
    await turn();
    socket.cancelBatch();
    await socket.transmit('told', 'kept');
    expect(await client.next((packet) => packet.event === 'told')).toMatchObject({ data: 'kept' });
  });

  ours('is not dropped by starting it again', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    socket.startBatch();
    await socket.transmit('told', 1);
    await turn();
    socket.startBatch();
    await socket.transmit('told', 2);
    await turn();
    socket.flushBatch();
    expect(await client.next((packet) => packet.event === 'told')).toMatchObject({ data: 1 });
    expect(await client.next((packet) => packet.event === 'told')).toMatchObject({ data: 2 });
  });

  ours('loses only the packet that cannot be encoded', async () => {
    const { open, warning } = await startServer();
    const { client, socket } = await open();
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    socket.startBatch();
    await socket.transmit('told', 1);
    await socket.transmit('told', circular);
    await socket.transmit('told', 2n);
    await socket.transmit('told', 3);
    await turn();
    socket.flushBatch();
    const frame = await client.nextFrame((candidate) => candidate.text.includes('told'));
    expect(frame.value).toEqual([
      { event: 'told', data: 1 },
      { event: 'told', data: 3 },
    ]);
    expect(await warning()).toBeInstanceOf(Error);
    await client.fence();
    expect(client.frames.some((candidate) => candidate.isBinary)).toBe(false);
  });

  test('keeps neither pings nor `send()` waiting', async () => {
    const { open } = await startServer({ pingInterval: 20 });
    const { client, socket } = await open();
    socket.startBatch();
    await socket.transmit('told', 1);
    await turn();
    socket.send('plain text', undefined);
    await client.nextFrame((frame) => frame.text === 'plain text');
    await client.pinged(client.pings + 2);
    expect(client.received).toHaveLength(2);
    socket.flushBatch();
    expect(textOf(await client.nextFrame((frame) => frame.text.startsWith('[')))).toBe(
      '[{"event":"told","data":1}]',
    );
  });
});

describe('`startBatching()`', () => {
  test('sends arrays at the interval, and `stopBatching()` what is left', async () => {
    const { open } = await startServer({ batchInterval: 20 });
    const { client, socket } = await open();
    socket.startBatching();
    expect(socket.isBatching).toBe(true);
    await socket.transmit('told', 1);
    await socket.transmit('told', 2);
    const first = await client.nextFrame((frame) => frame.text.includes('told'));
    expect(first.value).toEqual([
      { event: 'told', data: 1 },
      { event: 'told', data: 2 },
    ]);
    await socket.transmit('told', 3);
    await turn();
    socket.stopBatching();
    expect([socket.isBatching, socket.isBufferingBatch]).toEqual([false, false]);
    const second = await client.nextFrame((frame) => frame.text.includes('told'));
    expect(second.value).toEqual([{ event: 'told', data: 3 }]);
    await socket.transmit('told', 4);
    expect((await client.nextFrame((frame) => frame.text.includes('told'))).value).toEqual({
      event: 'told',
      data: 4,
    });
  });

  test('and `cancelBatching()` drop what is left', async () => {
    const { open } = await startServer({ batchInterval: 60_000 });
    const { client, socket } = await open();
    socket.startBatching();
    await socket.transmit('told', 'dropped');
    await turn();
    socket.cancelBatching();
    expect(socket.isBatching).toBe(false);
    await socket.transmit('told', 'kept');
    expect(await client.next((packet) => packet.event === 'told')).toMatchObject({ data: 'kept' });
  });
});

describe('batchOnHandshake', () => {
  test('answers twenty subscriptions of one array with one array, the handshake reply being apart', async () => {
    const { connect } = await startServer({
      batchOnHandshake: true,
      batchInterval: 30,
      batchOnHandshakeDuration: 2000,
    });
    const client = await connect();
    client.send({ event: '#handshake', cid: 1 });
    expect((await client.nextFrame()).value).toMatchObject({ rid: 1 });
    client.send(
      Array.from({ length: 20 }, (_, n) => ({ event: '#subscribe', data: { channel: `c${n}` }, cid: n + 2 })),
    );
    expect((await client.nextFrame()).value).toEqual(Array.from({ length: 20 }, (_, n) => ({ rid: n + 2 })));
  });

  test('ends after its duration', async () => {
    const { open } = await startServer({
      batchOnHandshake: true,
      batchInterval: 10,
      batchOnHandshakeDuration: 30,
    });
    const { client, socket } = await open();
    await socket.transmit('told', 'batched');
    expect((await client.nextFrame((frame) => frame.text.includes('told'))).value).toEqual([
      { event: 'told', data: 'batched' },
    ]);
    for (let isPlain = false; !isPlain; ) {
      await socket.transmit('told', 'more');
      isPlain = !Array.isArray((await client.nextFrame((frame) => frame.text.includes('told'))).value);
    }
    expect(socket.isBufferingBatch).toBe(false);
  });
});

describe('a batch of the client', () => {
  test('is processed packet by packet, in order, each with its own answer', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const received = take(socket.receiver('told'), 2);
    void consume(socket.procedure('asked'), (request) => {
      request.end(request.data);
    });
    const asked = socket.invoke('ask');
    client.send([
      { event: 'told', data: 1 },
      { event: 'asked', data: 2, cid: 20 },
      { rid: 1, data: 3 },
      { event: 'told', data: 4 },
      { event: '#unsubscribe', data: 'nothing', cid: 21 },
      { event: 'asked', data: 5, cid: 22 },
    ]);
    expect(await received).toEqual([1, 4]);
    expect(await asked).toBe(3);
    await client.next((packet) => packet.rid === 22);
    expect(client.received.filter((packet) => Number(packet.rid) >= 20)).toMatchObject([
      { rid: 20, data: 2 },
      { rid: 21, error: {} },
      { rid: 22, data: 5 },
    ]);
  });

  ours('is dropped from where the socket closes', async () => {
    const { open } = await startServer({ socketStreamCleanupMode: 'close' });
    const { client, socket } = await open();
    const received: unknown[] = [];
    const loop = consume(socket.receiver('told'), (data) => received.push(data));
    client.send([
      { event: 'told', data: 1 },
      { event: '#authenticate', data: 'without cid: closes with 4008' },
      { event: 'told', data: 2 },
    ]);
    expect(await client.ended()).toMatchObject({ code: 4008 });
    await loop;
    expect(received).toEqual([1]);
  });
});
