import { answer, nextValue, onConnection, socketOf, startServer, take } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { connectClient } from './client.js';

const bytes = Buffer.from([0, 1, 2, 127, 128, 255]);
const encoded = { base64: true, data: bytes.toString('base64') };

function arrayBuffer(): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

describe('binary data in packets', () => {
  test.each([
    ['a Buffer', () => bytes],
    ['an ArrayBuffer', arrayBuffer],
  ])('%s reaches the server as base64', async (_what, make) => {
    const started = await startServer();
    onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
    const client = await connectClient(started);
    const told = nextValue((await socketOf(started, client)).receiver('tell'));
    await client.transmit('tell', { file: make(), name: 'a.bin' });

    expect(await told).toEqual({ file: encoded, name: 'a.bin' });
    expect(await client.invoke('echo', make())).toEqual(encoded);
  });

  test.each([
    ['a Buffer', () => bytes],
    ['an ArrayBuffer', arrayBuffer],
  ])('%s reaches the client as base64', async (_what, make) => {
    const started = await startServer();
    onConnection(started, (socket) => answer(socket, 'fetch', () => ({ list: [make()] })));
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    answer(client, 'echo', (data) => data);
    const told = nextValue(client.receiver('tell'));
    await socket.transmit('tell', make());

    expect(await told).toEqual(encoded);
    expect(await client.invoke('fetch')).toEqual({ list: [encoded] });
    expect(await socket.invoke('echo', make())).toEqual(encoded);
  });

  test('published binary data reaches every subscriber as base64', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const channel = client.subscribe('files');
    await nextValue(channel.listener('subscribe'));
    const messages = take(channel, 3);
    await client.invokePublish('files', bytes);
    await started.server.exchange.invokePublish('files', bytes);
    await started.server.exchange.invokePublish('files', { at: [arrayBuffer()] });

    expect(await messages).toEqual([encoded, encoded, { at: [encoded] }]);
  });

  test('a typed array is an object with numbered keys', async () => {
    const started = await startServer();
    onConnection(started, (socket) => answer(socket, 'fetch', () => new Uint8Array([7, 8])));
    const client = await connectClient(started);

    expect(await client.invoke('fetch')).toEqual({ 0: 7, 1: 8 });
  });
});

describe('binary frames', () => {
  test('a binary frame that is no packet is a raw message, as a Buffer', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const raw = nextValue(socket.listener('raw'));
    const message = nextValue(socket.listener('message'));
    client.send(bytes);

    expect((await raw).message).toEqual(bytes);
    expect((await message).message).toEqual(bytes);
  });

  test('a text frame that is no packet is a raw message, both ways', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const atServer = nextValue(socket.listener('raw'));
    const atClient = nextValue(client.listener('raw'));
    client.send('just text');
    socket.send('just text back');

    expect(await atServer).toEqual({ message: 'just text' });
    expect(await atClient).toEqual({ message: 'just text back' });
  });

  test('binary sent with `socket.send()` is a raw message of the client', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const raw = nextValue(client.listener('raw'));
    (await socketOf(started, client)).send(bytes);

    expect(Buffer.from((await raw)['message'] as ArrayBuffer)).toEqual(bytes);
  });

  test('a codec that makes binary frames is spoken by both ends', async () => {
    const codecEngine = {
      encode: (value: unknown): Buffer => Buffer.from(Buffer.from(JSON.stringify(value)).toReversed()),
      decode: (message: unknown): unknown => {
        if (message === null || message === undefined || message === '') return message;
        const frame = Buffer.from(message as ArrayBuffer);
        return JSON.parse(Buffer.from(frame.toReversed()).toString()) as unknown;
      },
    };
    const started = await startServer({ codecEngine, pingInterval: 20 });
    onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
    const client = await connectClient(started, { codecEngine });
    const channel = client.subscribe('room');
    await nextValue(channel.listener('subscribe'));
    const published = nextValue(channel);
    await take(client.listener('message'), 5);
    await client.invokePublish('room', { text: 'ü' });

    expect(await published).toEqual({ text: 'ü' });
    expect(await client.invoke('echo', [1, 2])).toEqual([1, 2]);
    expect(started.warnings).toEqual([]);
  });
});
