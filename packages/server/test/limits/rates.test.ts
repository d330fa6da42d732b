import {
  collected,
  consume,
  encodeFrame,
  OPCODES,
  RawConnection,
  type ServerOptions,
  startServer,
  until,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';

type Rates = NonNullable<Exclude<NonNullable<ServerOptions['limits']>, string>['rates']>;

/** Another class than the one of the fast lane, so the server knows it by its public methods only. */
class OtherServer extends WebSocketServer {}

const KIB = 1024;
/** Refills too slowly to matter in a test. */
const once = (burst: number): { perSecond: number; burst: number } => ({ perSecond: 0.001, burst });
const numbered = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const refused = (what: string): unknown =>
  expect.objectContaining({ name: 'ResourceLimitError', message: `Too many ${what} in a short time` });

function limits(rates: Rates, onRateLimit: 'pause' | 'reject' | 'disconnect'): ServerOptions {
  return { limits: { rates, onRateLimit } };
}

describe("with onRateLimit: 'pause'", () => {
  test.for([
    ['our own connections', {}],
    ['compressed connections', { perMessageDeflate: true }],
    ['a module that is not ws', { wsEngine: { Server: OtherServer } }],
  ] as const)('nothing is lost, and it takes as long as the rate says, on %s', async ([, engine]) => {
    const rate = { perSecond: 1000, burst: 100 };
    const started = await startServer({ ...engine, ...limits({ socket: { messages: rate } }, 'pause') });
    const { client, socket } = await started.open({ perMessageDeflate: true });
    const { client: bystander } = await started.open();
    const received = collected(socket.receiver('told'));
    const begin = performance.now();
    for (const n of numbered(600)) client.send({ event: 'told', data: n });
    await bystander.fence();
    // What came with the first read is there; the connection is not read again before it is paid for.
    await until(() => received.length === 600);
    client.send({ event: 'told', data: 600 });
    await until(() => received.length === 601, 10_000);
    expect(performance.now() - begin).toBeGreaterThan(490);
    expect(received).toEqual(numbered(601));
    expect(client.closeInfo).toBeUndefined();
  });

  test('bytes count, and no pong is expected meanwhile', async () => {
    const { open } = await startServer({
      pingInterval: 20,
      pingTimeout: 150,
      ...limits({ socket: { bytes: { perSecond: 100 * KIB, burst: 50 * KIB } } }, 'pause'),
    });
    const { client, socket } = await open({ autoPong: false });
    const received = collected(socket.receiver('told'));
    const begin = performance.now();
    client.send({ event: 'told', data: 'x'.repeat(110 * KIB) });
    await until(() => received.length === 1);
    client.pong();
    client.send({ event: 'told', data: 1 });
    await until(() => received.length === 2);
    expect(performance.now() - begin).toBeGreaterThan(590);
  });

  test('pings and pongs count, so that a flood of them waits too', async () => {
    const { port, server } = await startServer(
      limits({ socket: { messages: { perSecond: 200, burst: 50 } } }, 'pause'),
    );
    const raw = await RawConnection.upgrade(port);
    raw.send({ event: '#handshake', cid: 1 });
    await raw.frame();
    const begin = performance.now();
    raw.write(Buffer.concat(numbered(40).map((n) => encodeFrame(`${n}`, { opcode: OPCODES.ping }))));
    raw.write(Buffer.concat(numbered(110).map(() => encodeFrame(''))));
    await until(() => raw.frames.filter(({ opcode }) => opcode === OPCODES.pong).length === 40);
    raw.send({ event: '#unsubscribe', data: 'nothing', cid: 2 });
    await raw.frame(({ payload }) => payload.toString().startsWith('{"rid":2'));
    expect(performance.now() - begin).toBeGreaterThan(490);
    expect(server.clientsCount).toBe(1);
  });

  test('a socket that is paused can be closed, and nothing waits for the end of its pause', async () => {
    const { open, server } = await startServer(limits({ socket: { messages: once(10) } }, 'pause'));
    const { client, socket } = await open();
    const received = collected(socket.receiver('told'));
    client.send(numbered(50).map((n) => ({ event: 'told', data: n })));
    await until(() => received.length === 50);
    void socket.disconnect(4100, 'bye');
    expect(await client.ended()).toEqual({ code: 4100, reason: 'bye' });
    await until(() => server.deadlines.size === 0);
  });
});

describe("with onRateLimit: 'reject'", () => {
  test.for([
    ['messages', { messages: once(6) }, 'messages of one socket'],
    ['calls', { calls: once(5) }, 'calls of one socket'],
    ['bytes', { bytes: once(230) }, 'bytes of one socket'],
  ] as const)(
    'what is too much in %s has no effect, and a call gets an error',
    async ([, socketRates, what]) => {
      const { open, warnings } = await startServer(limits({ socket: socketRates }, 'reject'));
      const { client, socket } = await open();
      const { client: bystander } = await open();
      const requests: unknown[] = [];
      void consume(socket.procedure('add'), (request) => {
        requests.push(request.data);
        request.end();
      });
      for (let n = 0; n < 5; n += 1) expect(await client.call('add', n)).not.toHaveProperty('error');
      for (let n = 0; n < 20; n += 1)
        expect(await client.call('add', n)).toMatchObject({ error: refused(what) });
      client.transmit('add', 'x');
      expect(requests).toEqual(numbered(5));
      await bystander.fence();
      // The operator hears of it once, however often it happens.
      expect(warnings).toEqual([refused(what)]);
    },
  );

  test('subscriptions count by themselves', async () => {
    const { open } = await startServer(limits({ socket: { subscribes: once(3) } }, 'reject'));
    const { client, socket } = await open();
    for (const channel of ['a', 'b', 'c']) await client.call('#subscribe', { channel });
    expect(await client.call('#subscribe', { channel: 'd' })).toMatchObject({
      error: refused('subscribes of one socket'),
    });
    expect(socket.subscriptions()).toEqual(['a', 'b', 'c']);
    await client.fence();
  });

  test('each packet of a batch counts, and each call in it is answered', async () => {
    const { open } = await startServer(limits({ socket: { messages: once(4) } }, 'reject'));
    const { client, socket } = await open();
    void consume(socket.procedure('echo'), (request) => request.end(request.data));
    client.send(numbered(6).map((n) => ({ event: 'echo', data: n, cid: 100 + n })));
    const answers = [];
    for (let n = 0; n < 6; n += 1) answers.push(await client.next());
    const byCid = answers.toSorted((a, b) => Number(a.rid) - Number(b.rid));
    expect(byCid.map(({ data }) => data)).toEqual([0, 1, 2, undefined, undefined, undefined]);
    expect(byCid.slice(3).every((packet) => packet.error?.name === 'ResourceLimitError')).toBe(true);
  });

  test('the answer to a call of the server is taken all the same', async () => {
    const { open } = await startServer(limits({ socket: { messages: once(3) } }, 'reject'));
    const { client, socket } = await open();
    for (let n = 0; n < 10; n += 1) client.transmit('told');
    const answer = socket.invoke('ask');
    const asked = await client.next(({ event }) => event === 'ask');
    client.send({ rid: asked.cid, data: 'yes' });
    expect(await answer).toBe('yes');
  });

  test('what comes back with time is allowed again', async () => {
    const { open } = await startServer(limits({ socket: { calls: { perSecond: 20, burst: 1 } } }, 'reject'));
    const { client, socket } = await open();
    void consume(socket.procedure('echo'), (request) => request.end(request.data));
    let answered = 0;
    const begin = performance.now();
    while (answered < 5) if ((await client.call('echo', 1)).error === undefined) answered += 1;
    expect(performance.now() - begin).toBeGreaterThan(190);
  });
});

describe("with onRateLimit: 'disconnect'", () => {
  test.for([
    ['messages', { messages: once(20) }, 'messages of one socket'],
    ['bytes', { bytes: once(500) }, 'bytes of one socket'],
    ['calls', { calls: once(19) }, 'calls of one socket'],
  ] as const)('too much in %s closes with 1008', async ([, socketRates, what]) => {
    const { open, warnings } = await startServer(limits({ socket: socketRates }, 'disconnect'));
    const { client, socket } = await open();
    const { client: bystander } = await open();
    const received: unknown[] = [];
    void consume(socket.procedure('told'), (request) => received.push(request.data));
    for (const n of numbered(100)) client.send({ event: 'told', data: n, cid: n + 2 });
    expect(await client.ended()).toEqual({ code: 1008, reason: '' });
    expect(warnings).toContainEqual(refused(what));
    expect(received.length).toBeLessThan(20);
    expect(received).toEqual(numbered(received.length));
    await bystander.fence();
  });
});

describe('the rates', () => {
  test('of an address count all its sockets together, those of another address not', async () => {
    const { connect, server } = await startServer({
      trustedProxies: ['127.0.0.1'],
      ...limits({ address: { calls: once(4) } }, 'reject'),
    });
    const open = async (address: string): ReturnType<typeof connect> => {
      const client = await connect({ headers: { 'X-Forwarded-For': address } });
      await client.handshake();
      const socket = server.clients[client.id];
      if (socket === undefined) throw new Error('no socket');
      void consume(socket.procedure('echo'), (request) => request.end(request.data));
      return client;
    };
    const [first, second, third] = [
      await open('2001:db8::1'),
      await open('2001:db8::2'),
      await open('192.0.2.7'),
    ];
    for (const client of [first, second, first, second])
      expect(await client.call('echo')).not.toHaveProperty('error');
    for (const client of [first, second, await open('2001:db8::99')]) {
      expect(await client.call('echo')).toMatchObject({ error: refused('calls of one address') });
    }
    for (let n = 0; n < 4; n += 1) expect(await third.call('echo')).not.toHaveProperty('error');
  });

  test('of a user count all the sockets with its token together, and follow the token', async () => {
    const { open, sign } = await startServer(limits({ user: { calls: once(4) } }, 'reject'));
    const ada = await sign({ sub: 'ada' });
    const opened = [await open({ authToken: ada }), await open({ authToken: ada }), await open()] as const;
    for (const { socket } of opened)
      void consume(socket.procedure('echo'), (request) => request.end(request.data));
    const [first, second, third] = opened.map(({ client }) => client);
    if (first === undefined || second === undefined || third === undefined) throw new Error('no client');
    for (const client of [first, second, first, second])
      expect(await client.call('echo')).not.toHaveProperty('error');
    for (const client of [first, second]) {
      expect(await client.call('echo')).toMatchObject({ error: refused('calls of one user') });
    }
    for (let n = 0; n < 6; n += 1) expect(await third.call('echo')).not.toHaveProperty('error');
    await third.call('#authenticate', ada);
    expect(await third.call('echo')).toMatchObject({ error: refused('calls of one user') });
    await first.call('#authenticate', await sign({ sub: 'bob' }));
    expect(await first.call('echo')).not.toHaveProperty('error');
  });

  test('are off by default and in the preset v20', async () => {
    expect((await startServer()).server.limits.rates).toEqual({});
    expect((await startServer({ limits: 'v20' })).server.limits.rates).toEqual({});
    expect((await startServer({ limits: { preset: 'v20', rates: {} } })).server.rates).toBeUndefined();
  });

  test('given are on top of those of the preset', async () => {
    const of = async (rates: Rates): Promise<unknown> => {
      const { server } = await startServer({ authKey: 'k'.repeat(32), limits: { preset: 'public', rates } });
      return server.limits.rates;
    };
    expect(await of(0)).toEqual({});
    const given = await of({
      socket: { messages: 5, subscribes: 0 },
      address: 0,
      user: { calls: { perSecond: 1, burst: 9 } },
    });
    expect(given).toEqual({
      socket: {
        messages: { perSecond: 5, burst: 5 },
        bytes: { perSecond: 4 * KIB * KIB, burst: 4 * KIB * KIB },
      },
      user: {
        messages: { perSecond: 8000, burst: 20_000 },
        bytes: { perSecond: 16 * KIB * KIB, burst: 16 * KIB * KIB },
        subscribes: { perSecond: 800, burst: 800 },
        calls: { perSecond: 1, burst: 9 },
      },
    });
  });

  test.for([
    [{ rates: { nobody: 1 } }, 'limits.rates', '{"nobody":1}'],
    [{ rates: { socket: { messages: -1 } } }, 'limits.rates', '{"socket":{"messages":-1}}'],
    [{ rates: { socket: { messages: { perSecond: 0 } } } }, 'limits.rates', '{"socket"'],
    [{ rates: { socket: 5 } }, 'limits.rates', '{"socket":5}'],
    [{ rates: 'many' }, 'limits.rates', '"many"'],
    [{ onRateLimit: 'wait' }, 'limits.onRateLimit', '"wait"'],
  ] as const)('given wrongly (%j) are refused', async ([wrong, option, shown]) => {
    const starting = startServer({ limits: wrong as never });
    await expect(starting).rejects.toMatchObject({ name: 'InvalidOptionsError' });
    await expect(starting).rejects.toThrow(`The ${option} option must be`);
    await expect(starting).rejects.toThrow(shown);
  });
});
