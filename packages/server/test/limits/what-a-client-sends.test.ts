import {
  collected,
  consume,
  encodeFrame,
  nextValue,
  OPCODES,
  RawConnection,
  type ServerOptions,
  type StartedServer,
  startServer,
  turn,
  until,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const error = (name: string, message: string): unknown => expect.objectContaining({ name, message });

/** Opens a raw connection and completes its handshake. */
async function openRaw({ port, server }: StartedServer): Promise<RawConnection> {
  const connected = nextValue(server.listener('connection'));
  const raw = await RawConnection.upgrade(port);
  raw.send({ event: '#handshake', cid: 1 });
  await connected;
  return raw;
}

/** The preset for clients one does not trust, which demands more of its owner too. */
const PUBLIC: ServerOptions = { limits: 'public', origins: '*:*', authKey: 'k'.repeat(32) };

describe('limits.maxBatchPackets', () => {
  const batch = (count: number): object[] =>
    Array.from({ length: count }, (_, n) => ({ event: 'told', data: n }));

  test.for([
    ['default', {}, 10_000],
    ['public', PUBLIC, 2000],
  ] as const)(
    'in the preset %s a longer batch closes with 1008, and nothing of it counts',
    async ([, options, most]) => {
      const { open, warnings } = await startServer({ ...options });
      const { client, socket } = await open();
      const received = collected(socket.receiver('told'));
      client.send(batch(most));
      await until(() => received.length === most);
      client.send(batch(most + 1));
      expect(await client.ended()).toEqual({ code: 1008, reason: '' });
      expect(received).toHaveLength(most);
      expect(warnings).toContainEqual(
        error('ResourceLimitError', `A batch of the client holds more than ${most} packets`),
      );
    },
  );

  test('holds before the handshake, too', async () => {
    const { connect } = await startServer({ limits: { maxBatchPackets: 10 } });
    const client = await connect();
    client.send(batch(11));
    expect(await client.ended()).toMatchObject({ code: 1008 });
  });

  test('is never so low that a client could not renew its subscriptions, unless it is given', async () => {
    const of = async (options: ServerOptions): Promise<number> => {
      const { server } = await startServer(options);
      return server.limits.maxBatchPackets;
    };
    expect(await of({ socketChannelLimit: 20_000 })).toBe(40_000);
    expect(await of({ socketChannelLimit: null })).toBe(Infinity);
    expect(await of({ limits: 'public', socketChannelLimit: 1500, authKey: 'k'.repeat(32) })).toBe(3000);
    expect(await of({ limits: { maxBatchPackets: 5 } })).toBe(5);
    expect(await of({ limits: 'v20' })).toBe(Infinity);
  });
});

describe('limits.maxNameBytes', () => {
  const TOO_LONG = ['x'.repeat(256), 'é'.repeat(128), '😀'.repeat(64)];
  const FITTING = ['x'.repeat(255), 'é'.repeat(127), '😀'.repeat(63), '', 'toString', '__proto__', '\0'];
  const BROKEN = ['\ud800', 'a\udfff', '\udc00\ud800'];

  const uses = [
    ['#publish', (name: string) => ({ event: '#publish', data: { channel: name, data: 1 } }), 'channel'],
    ['#subscribe', (name: string) => ({ event: '#subscribe', data: { channel: name } }), 'channel'],
    ['a call', (name: string) => ({ event: name }), 'event'],
  ] as const;

  test.for(uses)('refuses %s with another name by an error answer', async ([, packet, what]) => {
    const { open, warnings } = await startServer();
    const { client, socket } = await open();
    for (const name of FITTING) void consume(socket.procedure(name), (request) => request.end());
    for (const name of FITTING) {
      const cid = client.nextCid();
      client.send({ ...packet(name), cid });
      expect(await client.next(({ rid }) => rid === cid)).toEqual({ rid: cid });
    }
    for (const name of [...TOO_LONG, ...BROKEN]) {
      const cid = client.nextCid();
      client.send({ ...packet(name), cid });
      const refused = BROKEN.includes(name)
        ? error('InvalidActionError', `The name of the ${what} is not well-formed Unicode`)
        : error('ResourceLimitError', `The name of the ${what} is longer than 255 bytes`);
      expect(await client.next(({ rid }) => rid === cid)).toEqual({ rid: cid, error: refused });
    }
    expect(warnings).toHaveLength(TOO_LONG.length + BROKEN.length);
    expect(socket.subscriptions().every((name) => FITTING.includes(name))).toBe(true);
  });

  test('drops a transmit of such a name', async () => {
    const { open, warning } = await startServer();
    const { client, socket } = await open();
    const received = collected(socket.receiver('x'.repeat(256)));
    client.transmit('x'.repeat(256));
    expect(await warning()).toMatchObject({ name: 'ResourceLimitError' });
    await client.fence();
    expect(received).toEqual([]);
  });

  test('switched off, every text is a name', async () => {
    const { open } = await startServer({ limits: { maxNameBytes: 0 } });
    const { client, socket } = await open();
    for (const channel of [...TOO_LONG, ...BROKEN, ...FITTING]) {
      expect(await client.call('#subscribe', { channel })).not.toHaveProperty('error');
      expect(socket.isSubscribed(channel)).toBe(true);
    }
  });
});

describe('limits.maxPendingCalls', () => {
  test.for([
    ['default', {}, 1000],
    ['public', PUBLIC, 128],
  ] as const)(
    'in the preset %s a further call of the client is refused until one is answered',
    async ([, options, most]) => {
      const { open } = await startServer({ ...options });
      const { client, socket } = await open();
      const requests = collected(socket.procedure('slow'));
      for (let n = 0; n < most; n += 1) client.send({ event: 'slow', cid: client.nextCid() });
      await until(() => requests.length === most);
      const refused = error(
        'ResourceLimitError',
        `More than ${most} calls of the socket are without an answer`,
      );
      expect(await client.call('slow')).toEqual({ rid: expect.any(Number), error: refused });
      // What is no call of the application goes on.
      await client.fence();
      requests[3]?.error(new Error('no'));
      await client.next((packet) => packet.error?.message === 'no');
      client.send({ event: 'slow', cid: client.nextCid() });
      await until(() => requests.length === most + 1);
      expect(await client.call('slow')).toHaveProperty('error');
    },
  );

  test('counts no calls that nobody takes, and none twice', async () => {
    const { open } = await startServer({ limits: { maxPendingCalls: 2 } });
    const { client, socket } = await open();
    for (let n = 0; n < 10; n += 1) client.send({ event: 'nobody', cid: 5 });
    void consume(socket.procedure('echo'), (request) => request.end(request.data));
    for (let n = 0; n < 10; n += 1) expect(await client.call('echo', n)).toMatchObject({ data: n });
    const requests = collected(socket.procedure('slow'));
    for (let n = 0; n < 10; n += 1) client.send({ event: 'slow', cid: 7 });
    await client.fence();
    expect(requests).toHaveLength(2);
  });

  test('a further call of the server rejects, and is not sent', async () => {
    const { open } = await startServer({ limits: { maxPendingCalls: 3 } });
    const { client, socket } = await open();
    const answers = [1, 2, 3].map((n) => socket.invoke('ask', n));
    await expect(socket.invoke('ask', 4)).rejects.toMatchObject({
      name: 'ResourceLimitError',
      message: 'More than 3 calls to the client are without an answer',
      delivery: 'not-sent',
    });
    const asked = await client.next(({ event }) => event === 'ask');
    client.send({ rid: asked.cid, data: 'first' });
    expect(await answers[0]).toBe('first');
    const another = socket.invoke('ask', 5);
    await client.next(({ data }) => data === 5);
    expect(client.received.filter(({ event }) => event === 'ask').map(({ data }) => data)).toEqual([
      1, 2, 3, 5,
    ]);
    const others = Promise.allSettled([...answers, another]);
    client.terminate();
    await others;
  });
});

describe('limits.maxAuthFailures', () => {
  test.for([
    ['default', {}, 20],
    ['public', PUBLIC, 5],
  ] as const)(
    'in the preset %s one refused token more is answered, then the socket closed with 1008',
    async ([, options, most]) => {
      const { open, sign, warnings } = await startServer({ ...options });
      const { client } = await open();
      const { client: bystander } = await open();
      for (let n = 0; n < most; n += 1) {
        expect(await client.call('#authenticate', `wrong ${n}`)).toHaveProperty('error');
        // A good one neither counts nor helps.
        if (n % 4 === 0)
          expect(await client.call('#authenticate', await sign({ n }))).not.toHaveProperty('error');
      }
      expect(await client.call('#authenticate', 'one too many')).toHaveProperty('error');
      expect(await client.ended()).toEqual({ code: 1008, reason: '' });
      expect(warnings).toContainEqual(error('ResourceLimitError', `More than ${most} tokens were refused`));
      await bystander.fence();
    },
  );

  test('is off in the preset v20', async () => {
    const { open } = await startServer({ limits: 'v20' });
    const { client } = await open();
    for (let n = 0; n < 50; n += 1) await client.call('#authenticate', 'wrong');
    await client.fence();
  });
});

describe('a message in many pieces', () => {
  test('closes with 1008 when it has more frames than limits.maxFragments', async () => {
    const started = await startServer();
    const raw = await openRaw(started);
    raw.writeFrame('"', { fin: false });
    for (let n = 0; n < 1024; n += 1) raw.writeFrame('x', { opcode: OPCODES.continuation, fin: false });
    expect(await raw.closeCode()).toBe(1008);
  });

  test('is taken up to that', async () => {
    const started = await startServer();
    const raw = await openRaw(started);
    const [socket] = Object.values(started.server.clients);
    if (socket === undefined) throw new Error('no socket');
    const received = collected(socket.listener('raw'));
    raw.writeFrame('x', { fin: false });
    for (let n = 2; n < 1024; n += 1) raw.writeFrame('x', { opcode: OPCODES.continuation, fin: false });
    raw.writeFrame('x', { opcode: OPCODES.continuation });
    await until(() => received.length === 1);
    expect(received).toEqual([{ message: 'x'.repeat(1024) }]);
  });

  test('closes with 1008 when a frame arrives in more pieces than limits.maxBufferedChunks', async () => {
    const started = await startServer({ limits: { maxBufferedChunks: 20 } });
    const raw = await openRaw(started);
    const bytes = encodeFrame('x'.repeat(10_000));
    for (let at = 0; at < bytes.length && raw.frames.length < 2; at += 100) {
      raw.write(bytes.subarray(at, at + 100));
      await turn();
    }
    expect(await raw.closeCode()).toBe(1008);
  });

  test('may have as many as it likes when that is switched off', async () => {
    const started = await startServer({ limits: 'v20' });
    const raw = await openRaw(started);
    raw.writeFrame('"', { fin: false });
    for (let n = 0; n < 20_000; n += 1) raw.writeFrame('x', { opcode: OPCODES.continuation, fin: false });
    raw.writeFrame('"', { opcode: OPCODES.continuation });
    raw.writeFrame('still there?', { opcode: OPCODES.ping });
    await raw.frame(({ opcode }) => opcode === OPCODES.pong);
    expect(started.server.clientsCount).toBe(1);
  });
});
