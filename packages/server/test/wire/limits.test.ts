import {
  collected,
  consume,
  encodeFrame,
  nextValue,
  OPCODES,
  ours,
  RawConnection,
  startServer,
  take,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const KIB = 1024;
const MIB = 1024 * KIB;

/** The JSON text of `depth` arrays in each other. */
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('maxPayload', () => {
  ours('takes a message of 1 MiB by default, and closes with 1009 above', async () => {
    const { open, server } = await startServer();
    const closed = nextValue(server.listener('closure'));
    const { client, socket } = await open();
    const received = nextValue(socket.listener('raw'));
    client.send('x'.repeat(MIB));
    expect(String((await received).message)).toHaveLength(MIB);
    client.send('x'.repeat(MIB + 1));
    expect(await client.ended()).toMatchObject({ code: 1009 });
    expect([1006, 1009]).toContain((await closed).code);
    expect(server.clientsCount).toBe(0);
  });

  test('takes what it is told', async () => {
    const { open, connect } = await startServer({ maxPayload: 100 });
    const { client, socket } = await open();
    const received = nextValue(socket.listener('raw'));
    client.send('x'.repeat(100));
    await received;
    client.send('x'.repeat(101));
    expect(await client.ended()).toMatchObject({ code: 1009 });
    const early = await connect();
    early.send('x'.repeat(101));
    expect(await early.ended()).toMatchObject({ code: 1009 });
  });

  test('counts the fragments of one message together', async () => {
    const { port } = await startServer({ maxPayload: 100 });
    const raw = await RawConnection.upgrade(port);
    raw.send({ event: '#handshake', cid: 1 });
    await raw.frame();
    raw.writeFrame('x'.repeat(60), { fin: false });
    raw.writeFrame('x'.repeat(60), { opcode: OPCODES.continuation });
    expect(await raw.closeCode()).toBe(1009);
  });

  test('refuses a message by the length that its frame announces', async () => {
    const { port } = await startServer({ maxPayload: 100 });
    const raw = await RawConnection.upgrade(port);
    raw.write(encodeFrame('x'.repeat(70_000)).subarray(0, 14));
    expect(await raw.closeCode()).toBe(1009);
  });

  test.for([null, 0, Number.POSITIVE_INFINITY])('%s is no limit', async (maxPayload) => {
    const { open } = await startServer({ maxPayload });
    const { client, socket } = await open();
    const received = nextValue(socket.listener('raw'));
    client.send('x'.repeat(2 * MIB));
    expect(String((await received).message)).toHaveLength(2 * MIB);
  });

  test('does not limit what the server sends', async () => {
    const { open } = await startServer({ maxPayload: 100 });
    const { client, socket } = await open();
    await socket.transmit('told', 'x'.repeat(3 * MIB));
    expect((await client.next((packet) => packet.event === 'told')).data).toHaveLength(3 * MIB);
  });
});

describe('a message in pieces', () => {
  test('is put together again', async () => {
    const { port, server } = await startServer();
    const connected = nextValue(server.listener('connection'));
    const raw = await RawConnection.upgrade(port);
    const shake = JSON.stringify({ event: '#handshake', cid: 1 });
    raw.writeFrame(shake.slice(0, 7), { fin: false });
    raw.writeFrame('', { opcode: OPCODES.ping });
    raw.writeFrame(shake.slice(7), { opcode: OPCODES.continuation });
    const { socket } = await connected;
    const received = take(socket.receiver('told'), 2);
    const bytes = Buffer.concat([1, 2].map((data) => encodeFrame(JSON.stringify({ event: 'told', data }))));
    for (const byte of bytes) raw.write(Buffer.of(byte));
    expect(await received).toEqual([1, 2]);
  });
});

describe('limits.maxDepth', () => {
  ours.each([
    ['publish', '#publish', (depth: number) => `{"channel":"c","data":${nested(depth)}}`],
    ['answer', 'echo', nested],
  ] as const)(
    'refuses to %s what is nested deeper than 64, before any acknowledgement',
    async ([, event, dataOf]) => {
      const { open } = await startServer();
      const { client, socket } = await open();
      const { client: subscriber } = await open();
      await subscriber.call('#subscribe', { channel: 'c' });
      void consume(socket.procedure('echo'), (request) => {
        request.end(request.data);
      });
      const ask = async (depth: number, cid: number): Promise<unknown> => {
        client.send(`{"event":"${event}","data":${dataOf(depth)},"cid":${cid}}`);
        return client.next((packet) => packet.rid === cid);
      };
      expect(await ask(60, 10)).not.toHaveProperty('error');
      for (const [cid, depth] of [
        [11, 70],
        [12, 5000],
        [13, 200_000],
      ] as const) {
        expect(await ask(depth, cid)).toEqual({
          rid: cid,
          error: expect.objectContaining({ name: expect.any(String), message: expect.any(String) }),
        });
      }
      await client.fence();
      await subscriber.fence();
      expect(client.received.filter((packet) => Number(packet.rid) >= 10)).toHaveLength(4);
      const published = subscriber.received.filter((packet) => packet.event === '#publish');
      expect(published).toHaveLength(event === '#publish' ? 1 : 0);
    },
  );

  ours('counts objects and arrays alike, and takes what it is told', async () => {
    const { open } = await startServer({ limits: { maxDepth: 10 } });
    const { client } = await open();
    const deep = (depth: number): unknown => (depth === 0 ? 1 : { a: [deep(depth - 1)] });
    expect(await client.call('#publish', { channel: 'c', data: deep(4) })).toEqual({ rid: 2 });
    expect(await client.call('#publish', { channel: 'c', data: deep(7) })).toHaveProperty('error');
  });

  test.for([0, Number.POSITIVE_INFINITY])('%s is no limit of ours', async (maxDepth) => {
    const { open } = await startServer({ limits: { maxDepth } });
    const { client } = await open();
    await client.call('#subscribe', { channel: 'c' });
    client.send(`{"event":"#publish","data":{"channel":"c","data":${nested(500)}},"cid":9}`);
    expect(await client.next((packet) => packet.rid === 9)).toEqual({ rid: 9 });
  });

  test('does not refuse what is only received', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const received = take(socket.receiver('told'), 1);
    client.send(`{"event":"told","data":${nested(200)}}`);
    expect(JSON.stringify(await received)).toBe(`[${nested(200)}]`);
  });

  ours('without cid drops the publication and warns', async () => {
    const { open, server, warning } = await startServer();
    const { client } = await open();
    const published = collected(server.brokerEngine.listener('publish'));
    client.send(`{"event":"#publish","data":{"channel":"c","data":${nested(100)}}}`);
    expect(await warning()).toBeInstanceOf(Error);
    await client.fence();
    expect(published).toHaveLength(2);
  });
});

describe('what cannot be encoded', () => {
  const circular = (): object => {
    const value: Record<string, unknown> = {};
    value['self'] = value;
    return value;
  };

  ours('as an answer becomes an error answer', async () => {
    const { open, warning } = await startServer();
    const { client, socket } = await open();
    void consume(socket.procedure('asked'), (request) => {
      request.end(circular());
    });
    expect(await client.call('asked')).toEqual({
      rid: 2,
      error: expect.objectContaining({ message: expect.any(String) }),
    });
    expect(await warning()).toBeInstanceOf(Error);
  });

  ours('rejects the publish, of which nobody gets anything', async () => {
    const { open, server } = await startServer();
    const { client } = await open();
    await client.call('#subscribe', { channel: 'c' });
    await expect(server.exchange.invokePublish('c', circular())).rejects.toBeInstanceOf(Error);
    await expect(server.exchange.transmitPublish('c', circular())).resolves.toBeUndefined();
    await client.fence();
    expect(client.received).toHaveLength(4);
  });

  test('as a transmit warns and leaves the socket usable', async () => {
    const { open, warning } = await startServer();
    const { client, socket } = await open();
    await socket.transmit('told', circular());
    expect(await warning()).toBeInstanceOf(Error);
    await socket.transmit('told', 'fine');
    expect(await client.next((packet) => packet.event === 'told')).toMatchObject({ data: 'fine' });
  });
});

describe('the echo of what a client sent, in an error', () => {
  test.for(['c', 'x'.repeat(255), 'é'.repeat(127)])(
    'shows a name of up to 255 bytes in full',
    async (channel) => {
      const { open } = await startServer();
      const { client } = await open();
      expect((await client.call('#unsubscribe', channel)).error?.message).toContain(`the ${channel} channel`);
    },
  );

  ours('shows at most 64 characters of anything longer', async () => {
    const { open } = await startServer();
    const { client } = await open();
    for (const channel of ['y'.repeat(256), 'y'.repeat(100_000), '😀'.repeat(100)]) {
      const { error } = await client.call('#unsubscribe', channel);
      expect(error?.name).toBe('BrokerError');
      expect(error?.message).toContain(channel.slice(0, 20));
      expect(error?.message).not.toContain(channel.slice(0, 66));
      expect(Buffer.from(String(error?.message)).toString()).toBe(error?.message);
    }
  });
});
