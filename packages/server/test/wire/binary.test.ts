import { consume, nextValue, ours, startServer } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const bytes = [0, 1, 254, 255];
const asBase64 = { base64: true, data: 'AAH+/w==' };

describe('with the default codec', () => {
  test.for([
    ['a Buffer', () => Buffer.from(bytes), asBase64],
    ['an ArrayBuffer', () => Uint8Array.from(bytes).buffer, asBase64],
    ['an object shaped like a Buffer', () => ({ type: 'Buffer', data: bytes }), asBase64],
    ['an empty Buffer', () => Buffer.alloc(0), { base64: true, data: '' }],
    ['a Uint8Array', () => Uint8Array.from([7, 8]), { 0: 7, 1: 8 }],
    ['a nested Buffer', () => ({ a: [Buffer.from(bytes)] }), { a: [asBase64] }],
  ] as const)('%s is sent as documented', async ([, make, expected]) => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'c' });
    void consume(socket.procedure('asked'), (request) => {
      request.end(make());
    });
    await socket.transmit('told', make());
    expect(await client.next()).toEqual({ event: 'told', data: expected });
    await server.exchange.invokePublish('c', make());
    expect(await client.next()).toEqual({ event: '#publish', data: { channel: 'c', data: expected } });
    expect(await client.call('asked')).toMatchObject({ data: expected });
    expect(client.frames.every((frame) => !frame.isBinary)).toBe(true);
  });

  test('base64 objects are not decoded on arrival', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const received = nextValue(socket.receiver('told'));
    client.transmit('told', asBase64);
    expect(await received).toEqual(asBase64);
  });

  test('an object of a client that looks like a Buffer is rewritten when it is published', async () => {
    const { open } = await startServer();
    const { client } = await open();
    await client.call('#subscribe', { channel: 'c' });
    client.transmit('#publish', { channel: 'c', data: { type: 'Buffer', data: bytes } });
    expect(await client.next()).toMatchObject({ data: { data: asBase64 } });
  });

  test('a packet in a binary frame is a packet', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const received = nextValue(socket.receiver('told'));
    client.sendBinary('{"event":"told","data":"é"}');
    expect(await received).toBe('é');
  });

  test('a binary frame that is no packet is raw, as a Buffer', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const raw = nextValue(socket.listener('raw'));
    client.sendBinary(Buffer.from(bytes));
    expect(await raw).toEqual({ message: Buffer.from(bytes) });
  });

  test('`send()` sends a Buffer as a binary frame', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    socket.send(Buffer.from(bytes), undefined);
    const frame = await client.nextFrame((candidate) => candidate.isBinary);
    expect([...frame.bytes]).toEqual(bytes);
  });
});

/** Turns JSON text upside down bit by bit, in binary frames. */
const invertingCodec = {
  encode: (value: unknown): Buffer =>
    Buffer.from(Buffer.from(JSON.stringify(value)).map((byte) => byte ^ 0xff)),
  decode: (message: unknown): unknown => {
    if (typeof message === 'string') return message;
    return JSON.parse(
      Buffer.from(message as Buffer)
        .map((byte) => byte ^ 0xff)
        .toString(),
    ) as unknown;
  },
};

describe('with a binary codec', () => {
  test('packets go both ways in binary frames, publications included', async () => {
    const { connect, server } = await startServer({ codecEngine: invertingCodec, pingInterval: 20 });
    void consume(server.listener('connection'), ({ socket }) => {
      void consume(socket.procedure('asked'), (request) => {
        request.end(request.data);
      });
    });
    const client = await connect();
    const ask = async (packet: object): Promise<void> => {
      client.sendBinary(invertingCodec.encode(packet));
    };
    const next = async (): Promise<unknown> => {
      const frame = await client.nextFrame();
      expect(frame.isBinary).toBe(true);
      return invertingCodec.decode(frame.bytes);
    };
    await ask({ event: '#handshake', cid: 1 });
    expect(await next()).toMatchObject({ rid: 1, data: { isAuthenticated: false } });
    await ask({ event: 'asked', data: { n: 1 }, cid: 2 });
    expect(await next()).toEqual({ rid: 2, data: { n: 1 } });
    await ask({ event: '#subscribe', data: { channel: 'c' }, cid: 3 });
    expect(await next()).toEqual({ rid: 3 });
    await server.exchange.invokePublish('c', 'published');
    expect(await next()).toEqual({ event: '#publish', data: { channel: 'c', data: 'published' } });
    await client.pinged(2);
  });

  test('pings and pongs are text and do not pass it', async () => {
    const { connect } = await startServer({
      codecEngine: invertingCodec,
      pingInterval: 20,
      pingTimeout: 200,
    });
    const client = await connect();
    client.sendBinary(invertingCodec.encode({ event: '#handshake', cid: 1 }));
    await client.pinged(20);
    expect(client.frames.filter((frame) => !frame.isBinary).every((frame) => frame.text === '')).toBe(true);
  });

  test('may be exchanged while the server runs', async () => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'c' });
    server.setCodecEngine(invertingCodec);
    await socket.transmit('told', 1);
    await server.exchange.invokePublish('c', 2);
    const first = await client.nextFrame((frame) => frame.isBinary);
    const second = await client.nextFrame((frame) => frame.isBinary);
    expect(invertingCodec.decode(first.bytes)).toEqual({ event: 'told', data: 1 });
    expect(invertingCodec.decode(second.bytes)).toEqual({
      event: '#publish',
      data: { channel: 'c', data: 2 },
    });
  });
});

describe('a codec that fails', () => {
  test('to decode raises InvalidMessageError and the socket goes on', async () => {
    const { open, warning } = await startServer({
      codecEngine: { ...invertingCodec, encode: JSON.stringify, decode },
    });
    function decode(message: unknown): unknown {
      if (String(message) === 'broken') throw new Error('undecodable');
      return JSON.parse(String(message)) as unknown;
    }
    const { client } = await open();
    client.send('broken');
    expect(await warning()).toMatchObject({ name: 'InvalidMessageError', message: 'undecodable' });
    await client.fence();
  });

  test('to decode before the handshake closes with 4009', async () => {
    const { connect } = await startServer({ codecEngine: invertingCodec });
    const client = await connect();
    client.sendBinary('no codec of mine');
    expect(await client.ended()).toMatchObject({ code: 4009 });
  });

  test('to give a value that is no packet does no harm', async () => {
    const values = [
      null,
      undefined,
      5,
      'text',
      true,
      Symbol('x'),
      () => {},
      new Map(),
      { event: Symbol('x') },
    ];
    let index = 0;
    const { open } = await startServer({
      codecEngine: {
        encode: JSON.stringify,
        decode: (message: unknown) => {
          if (String(message) !== 'next') return JSON.parse(String(message)) as unknown;
          index += 1;
          return values[index - 1];
        },
      },
    });
    const { client } = await open();
    for (const _ of values) client.send('next');
    await client.fence();
    expect(index).toBe(values.length);
  });

  ours('by giving a cid that is not finite makes the packet a transmit', async () => {
    const { open } = await startServer({
      codecEngine: {
        encode: JSON.stringify,
        decode: (message: unknown) =>
          String(message) === 'NaN'
            ? { event: 'told', data: 'x', cid: Number.NaN }
            : (JSON.parse(String(message)) as unknown),
      },
    });
    const { client, socket } = await open();
    const received = nextValue(socket.receiver('told'));
    client.send('NaN');
    expect(await received).toBe('x');
  });
});
