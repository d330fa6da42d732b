import type { AGRequest, AGServerSocket } from '@socketcluster-ts/server';
import { deferred, nextValue, startServer, until, type WireClient } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

type Request = AGRequest<AGServerSocket>;

async function openWith(
  ext: unknown,
  options = {},
): Promise<{
  client: WireClient;
  socket: AGServerSocket;
  status: unknown;
  started: Awaited<ReturnType<typeof startServer>>;
}> {
  const started = await startServer(options);
  const client = await started.connect();
  const { data } = await client.call('#handshake', { authToken: null, ext });
  const socket = started.server.clients[(data as { id: string }).id];
  if (socket === undefined) throw new Error('The server does not know the client');
  return { client, socket, status: data, started };
}

describe('the extensions of a client', () => {
  test('are answered with those that the server knows, and with the largest frame it takes', async () => {
    const { status } = await openWith(['gap', 'abort', 'x'], { maxPayload: 5000 });
    expect(status).toMatchObject({ ext: ['abort', 'gap'], maxPayload: 5000 });
  });

  test('are answered without a size when there is no limit', async () => {
    for (const maxPayload of [0, null, Infinity]) {
      const { status } = await openWith([], { maxPayload });
      expect(status).toHaveProperty('ext', []);
      expect(status).not.toHaveProperty('maxPayload');
    }
    const { status } = await openWith(['abort'], { wsEngineServerOptions: { maxPayload: 77_777 } });
    expect(status).toMatchObject({ maxPayload: 77_777 });
  });

  test.each([[undefined], [null], ['abort'], [{ 0: 'abort', length: 1 }], [5]])(
    'sent as %j are as good as none',
    async (ext) => {
      const { status, client, socket } = await openWith(ext);
      expect(Object.keys(status as object)).toEqual(['id', 'pingTimeout', 'isAuthenticated']);
      const request = nextValue(socket.procedure('slow'));
      client.send({ event: 'slow', cid: 50 });
      const { signal } = await request;
      const receiver = nextValue(socket.receiver('#abort'));
      client.transmit('#abort', { cid: 50 });
      expect(await receiver).toEqual({ cid: 50 });
      expect(signal.aborted).toBe(false);
    },
  );

  test('may be anything in any number', async () => {
    const hostile = [null, {}, [], '__proto__', 5, ...Array.from({ length: 100_000 }, () => 'abort')];
    const { status } = await openWith(hostile);
    expect(status).toMatchObject({ ext: ['abort'] });
    const { status: late } = await openWith([...Array.from({ length: 100 }, () => 'x'), 'abort']);
    expect(late).toMatchObject({ ext: [] });
  });
});

describe('request.signal', () => {
  test('is aborted by #abort of the same call, with a typed reason', async () => {
    const { client, socket } = await openWith(['abort']);
    const requests = socket.procedure('slow').createConsumer();
    client.send([
      { event: 'slow', cid: 50 },
      { event: 'slow', cid: 51 },
    ]);
    const [first, second] = [(await requests.next()).value, (await requests.next()).value] as [
      Request,
      Request,
    ];
    const aborted = deferred<unknown>();
    first.signal.addEventListener('abort', () => aborted.resolve(first.signal.reason));
    void second.signal;
    client.transmit('#abort', { cid: 50 });
    expect(await aborted.promise).toMatchObject({ name: 'AbortError' });
    expect(second.signal.aborted).toBe(false);
  });

  test('is aborted already when the caller gave up before anybody looked', async () => {
    const { client, socket } = await openWith(['abort']);
    const requests = socket.procedure('slow').createConsumer();
    client.send([
      { event: 'slow', cid: 50 },
      { event: '#abort', data: { cid: 50 } },
      { event: 'slow', cid: 51 },
    ]);
    const first = (await requests.next()).value as Request;
    await requests.next();
    expect(first.signal.aborted).toBe(true);
  });

  test('is aborted when the caller disconnects, for every client, with a typed reason', async () => {
    const { client, socket } = await openWith(undefined);
    const request = nextValue(socket.procedure('slow'));
    client.send({ event: 'slow', cid: 50 });
    const { signal } = await request;
    const aborted = deferred();
    signal.addEventListener('abort', () => aborted.resolve());
    client.close(4321, 'enough');
    await aborted.promise;
    expect(signal.reason).toMatchObject({
      name: 'BadConnectionError',
      type: 'disconnect',
      code: 4321,
      reason: 'enough',
    });
  });

  test('is aborted when somebody asks only after the disconnect', async () => {
    const { client, socket } = await openWith(undefined);
    const request = nextValue(socket.procedure('slow'));
    client.send({ event: 'slow', cid: 50 });
    const held = await request;
    client.close(1000);
    await socket.listener('close').once();
    expect(held.signal.reason).toMatchObject({ name: 'BadConnectionError' });
  });

  test('is not aborted once the call is answered', async () => {
    const { client, socket } = await openWith(['abort']);
    const request = nextValue(socket.procedure('slow'));
    client.send({ event: 'slow', cid: 50 });
    const { signal, end } = await request;
    end('done');
    await client.next((packet) => packet.rid === 50);
    client.transmit('#abort', { cid: 50 });
    await client.fence();
    client.close(1000);
    await socket.listener('close').once();
    expect(signal.aborted).toBe(false);
  });

  test('a function that ends by the reason of its signal is no error, and nothing is sent any more', async () => {
    const { client, socket, started } = await openWith(['abort']);
    const waiting = deferred();
    const finished = socket.procedure('slow').each(async ({ signal }) => {
      waiting.resolve();
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    client.send({ event: 'slow', cid: 50 });
    await waiting.promise;
    client.transmit('#abort', { cid: 50 });
    await client.fence();
    expect(client.received.some((packet) => packet.rid === 50)).toBe(false);
    client.close(1000);
    await finished;
    expect([...started.errors, ...started.warnings]).toEqual([]);
  });

  test.each([[undefined], [null], [5], [{}], [{ cid: '1' }], [[1]]])(
    '#abort with %j is refused and nothing else',
    async (data) => {
      const { client, socket, started } = await openWith(['abort']);
      client.transmit('#abort', data);
      expect(await started.warning()).toMatchObject({
        name: 'InvalidActionError',
        message: 'Abort request was malformatted',
      });
      expect((await client.call('#abort', data)).error).toMatchObject({ name: 'InvalidActionError' });
      expect(socket.state).toBe('open');
    },
  );

  test('#abort with a cid of its own is answered, so that a client can find out whether it is connected', async () => {
    const { client, started } = await openWith(['abort']);
    expect(await client.call('#abort', { cid: 0 })).toEqual({ rid: expect.any(Number) as number });
    expect([...started.errors, ...started.warnings]).toEqual([]);
  });

  test('calls that do not exist can be aborted without end', async () => {
    const { client, socket, started } = await openWith(['abort']);
    for (let round = 0; round < 20; round += 1) {
      client.send(
        Array.from({ length: 200 }, (_, index) => ({ event: '#abort', data: { cid: round * 200 + index } })),
      );
    }
    await client.fence();
    await until(() => socket.getInboundBackpressure() === 0);
    expect(started.warnings).toEqual([]);
  });
});
