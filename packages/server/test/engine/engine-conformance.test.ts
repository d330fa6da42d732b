import { createHash } from 'node:crypto';
import {
  type Frame,
  nextValue,
  type StartedServer,
  startServer,
  until,
  WireClient,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';

/** Another class than the one of the fast lane, so the server knows it by its public methods only. */
class OtherServer extends WebSocketServer {}

const ENGINES = [
  ['ws with shared frames', {}],
  ['ws with compression', { perMessageDeflate: { threshold: 0 } }],
  ['a module that is not ws', { wsEngine: { Server: OtherServer } }],
] as const;

/** Lengths around the borders of the three header forms, and around what is joined and flushed early. */
const LENGTHS = [1, 124, 125, 126, 127, 4095, 4096, 65_535, 65_536, 70_000, 200_000];

const digest = (data: string | Uint8Array): string => createHash('sha1').update(data).digest('hex');

/** The next frames, behind those that have arrived by now. */
async function framesAfter({ frames }: WireClient, count: number): Promise<Frame[]> {
  const start = frames.length;
  await until(() => frames.length >= start + count);
  return frames.slice(start);
}

describe.for(ENGINES)('%s', ([, options]) => {
  const start = (): Promise<StartedServer> => startServer({ ...options, maxPayload: 1_000_000 });

  test('negotiates compression only when it was asked for', async () => {
    const { open } = await start();
    const { socket } = await open({ perMessageDeflate: true });
    expect(socket.socket.extensions).toBe('perMessageDeflate' in options ? 'permessage-deflate' : '');
  });

  test.for<[string, (length: number) => string | Buffer]>([
    ['text', (length) => 'é'.repeat(length)],
    ['bytes', (length) => Buffer.alloc(length, 7)],
  ])('carries %s of every length, in order and unchanged', async ([, make]) => {
    const { open } = await start();
    const { client, socket } = await open({ perMessageDeflate: true });
    const sent = LENGTHS.map((length) => make(length));
    for (const message of sent) socket.send(message);
    const received = await framesAfter(client, sent.length);
    expect(received.map(({ bytes }) => digest(bytes))).toEqual(sent.map(digest));
    expect(received.every(({ isBinary }) => isBinary === (typeof sent[0] !== 'string'))).toBe(true);
  });

  test('keeps the order of publishes, transmits, answers, raw sends and pings of one turn', async () => {
    const { open, server } = await start();
    const { client, socket } = await open({ perMessageDeflate: true });
    await client.call('#subscribe', { channel: 'c' });
    const sent: string[] = [];
    for (let n = 0; n < 40; n += 1) {
      void server.exchange.transmitPublish('c', n);
      sent.push(`{"event":"#publish","data":{"channel":"c","data":${n}}}`);
      void socket.transmit('t', n);
      sent.push(`{"event":"t","data":${n}}`);
      socket.send(`raw ${n}`);
      sent.push(`raw ${n}`);
      socket.send(`with options ${n}`, { compress: false });
      sent.push(`with options ${n}`);
    }
    expect((await framesAfter(client, sent.length)).map(({ text }) => text)).toEqual(sent);
  });

  test('sends everything before the close frame, and hands over the code and reason', async () => {
    const { open } = await start();
    const { client, socket } = await open({ perMessageDeflate: true });
    for (let n = 0; n < 20; n += 1) void socket.transmit('last', 'x'.repeat(n * 1000));
    void socket.disconnect(4321, 'so long');
    for (let n = 0; n < 20; n += 1) {
      expect(await client.next()).toEqual({ event: 'last', data: 'x'.repeat(n * 1000) });
    }
    expect(await client.ended()).toMatchObject({ code: 4321, reason: 'so long' });
  });

  test('an application that listens on the object of the library hears every message too', async () => {
    const { open } = await start();
    const { client, socket } = await open({ perMessageDeflate: true });
    const heard: [string, unknown][] = [];
    socket.socket.on('message', (data: Buffer, isBinary: unknown) => heard.push([data.toString(), isBinary]));
    const received = nextValue(socket.receiver('last'));
    const before = socket.getBytesReceived();
    client.send('{"event":"é"}');
    client.sendBinary(Buffer.from('{"event":"b"}'));
    client.send('{"event":"last"}');
    await received;
    expect(heard).toEqual([
      ['{"event":"é"}', false],
      ['{"event":"b"}', true],
      ['{"event":"last"}', false],
    ]);
    expect(socket.getBytesReceived() - before).toBe(14 + 13 + 16);
  });

  test('counts what was received, and what waits until it has left', async () => {
    const { open } = await start();
    const { client, socket } = await open({ perMessageDeflate: true });
    const before = socket.getBytesReceived();
    const received = nextValue(socket.receiver('é'));
    const packet = JSON.stringify({ event: 'é', data: 1 });
    client.send(packet);
    await received;
    expect(socket.getBytesReceived() - before).toBe(Buffer.byteLength(packet));

    void socket.transmit('a', 1);
    void socket.transmit('b', 2);
    expect(socket.getOutboundBackpressure()).toBeGreaterThan(0);
    await until(() => socket.getOutboundBackpressure() === 0);
    expect(socket.outboundSentMessageCount).toBe(socket.outboundPreparedMessageCount);
  });

  test('reports an answer on a connection that is gone as an error, not as a throw', async () => {
    const { open, server, warnings } = await start();
    const { client, socket } = await open({ perMessageDeflate: true });
    const request = nextValue(socket.procedure('late'));
    client.send({ event: 'late', cid: 7 });
    const call = await request;
    const closed = nextValue(server.listener('closure'));
    client.close(1000);
    await closed;
    call.end('too late');
    await until(() => warnings.length > 0);
    expect(String(warnings.at(-1))).toMatch(/WebSocket is not open/);
  });

  test('serves a fresh client while another one is reset in the middle of a message', async () => {
    const { open, url } = await start();
    const { client, socket } = await open({ perMessageDeflate: true });
    void socket.transmit('big', 'x'.repeat(500_000));
    client.terminate();
    const fresh = await WireClient.connect(url);
    expect(await fresh.handshake()).toMatchObject({ rid: 1 });
  });
});
