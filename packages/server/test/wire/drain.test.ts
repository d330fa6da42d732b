import {
  answer,
  consume,
  deferred,
  EventLog,
  fakeEngine,
  holdUpgrades,
  nextValue,
  onConnection,
  ours,
  type Packet,
  RawConnection,
  requestUpgrade,
  startServer,
  turn,
  until,
  type WireClient,
} from '@socketcluster-ts/testkit';
import { describe, expect } from 'vitest';

/** Completes the handshake of a client that knows `#retry`. */
async function agree(client: WireClient): Promise<void> {
  const reply = await client.call('#handshake', { ext: ['retry'] });
  expect(reply.data).toMatchObject({ ext: ['retry'] });
}

const isRetry = (packet: Packet): boolean => packet.event === '#retry';

describe('drain()', () => {
  ours(
    'makes the server not ready and refuses upgrades at once, and closes everybody with 1012',
    async () => {
      const { server, port, open, log, connect } = await startServer();
      const { client } = await open();
      const early = await connect();
      expect([server.isReady, server.status]).toEqual([true, 'ready']);
      const drained = server.drain({ spread: 0, retryDelay: 2500 });
      expect([server.isReady, server.status]).toEqual([false, 'draining']);
      const { status, headers, body } = await requestUpgrade(port);
      expect([status, headers['retry-after'], body]).toEqual([503, '3', 'The server is shutting down']);
      expect(await drained).toEqual({ closed: 2, terminated: 0, interrupted: 0 });
      expect(await client.ended()).toEqual({ code: 1012, reason: '' });
      expect(await early.ended()).toEqual({ code: 1012, reason: '' });
      // A restart that was planned is nothing to worry about.
      expect(log.events).toEqual([]);
      expect([server.clientsCount, server.pendingClientsCount]).toEqual([0, 0]);
      expect(await requestUpgrade(port)).toMatchObject({ status: 503 });
    },
  );

  ours('can be called without clients, twice, after close() and while it runs', async () => {
    const nobody = { closed: 0, terminated: 0, interrupted: 0 };
    const empty = await startServer();
    expect(await empty.server.drain()).toEqual(nobody);
    const { server, open } = await startServer();
    const { client } = await open();
    const { socket } = await open();
    void consume(socket.procedure('never'), () => {});
    const log = new EventLog().record(server, ['disconnection']);
    const first = server.drain({ timeout: 60_000, spread: 20_000 });
    expect(server.drain({ timeout: 1 })).toBe(first);
    await client.ended();
    await server.close();
    expect(server.status).toBe('closed');
    await log.times('disconnection', 2);
    expect((await first).closed + (await first).terminated).toBeGreaterThanOrEqual(1);
    const closed = await startServer();
    await closed.server.close();
    expect(await closed.server.drain()).toEqual(nobody);
    expect(closed.server.status).toBe('closed');
  });

  ours('lets calls of the client finish, and what it had sent before', async () => {
    const started = await startServer();
    const gate = deferred();
    onConnection(started, (socket) => {
      answer(socket, 'slow', async (data) => {
        await gate.promise;
        return data;
      });
    });
    const { client } = await started.open();
    const calls = [1, 2, 3].map((data) => client.call('slow', data));
    await client.fence();
    const drained = started.server.drain({ spread: 0 });
    // Behind what is under way, on a connection that has not been closed yet.
    const later = client.call('slow', 4);
    await client.fence();
    gate.resolve();
    expect((await Promise.all([...calls, later])).map(({ data }) => data)).toEqual([1, 2, 3, 4]);
    expect(await client.ended()).toMatchObject({ code: 1012 });
    expect(await drained).toEqual({ closed: 1, terminated: 0, interrupted: 0 });
  });

  ours('lets calls of the server finish', async () => {
    const { server, open } = await startServer();
    const { client, socket } = await open();
    const asked = socket.invoke('ask');
    const { cid } = await client.next((packet) => packet.event === 'ask');
    const drained = server.drain({ spread: 0 });
    await client.fence();
    client.send({ rid: cid, data: 'answer' });
    expect(await asked).toBe('answer');
    expect(await drained).toMatchObject({ closed: 1, interrupted: 0 });
  });

  ours(
    'closes who agreed on retry when he has answered, so that nothing of his crosses the close',
    async () => {
      const started = await startServer();
      onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
      const client = await started.connect();
      await agree(client);
      const { client: other } = await started.open();
      const drained = started.server.drain({ spread: 0, retryDelay: 700 });
      const { cid, data } = await client.next(isRetry);
      expect(data).toEqual({ delayMs: 700 });
      // A client that does not know of it is told nothing, and not waited for.
      await other.ended();
      expect(other.received.some(isRetry)).toBe(false);
      // Sent before the answer, so it is served.
      client.send([
        { event: 'echo', data: 1, cid: 50 },
        { event: 'echo', data: 2, cid: 51 },
      ]);
      client.send({ rid: cid });
      expect(await client.next((packet) => packet.rid === 51)).toMatchObject({ data: 2 });
      expect(await client.ended()).toMatchObject({ code: 1012 });
      expect(client.received.filter((packet) => packet.rid === 50)).toHaveLength(1);
      expect(await drained).toEqual({ closed: 2, terminated: 0, interrupted: 0 });
    },
  );

  ours(
    'closes another client just after it has called, when the next call is not on its way yet',
    async () => {
      const started = await startServer();
      onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
      const { client } = await started.open();
      const log = new EventLog().record(started.server, ['disconnection']);
      const drained = started.server.drain({ spread: 0 });
      await turn();
      expect(log.names).toEqual([]);
      expect(await client.call('echo', 1)).toMatchObject({ data: 1 });
      expect(await client.ended()).toMatchObject({ code: 1012 });
      expect(await drained).toEqual({ closed: 1, terminated: 0, interrupted: 0 });
    },
  );

  ours(
    'sends the clients away evenly, and tells each when to come back so that they come evenly',
    async () => {
      const { server, connect } = await startServer();
      const clients = await Promise.all(Array.from({ length: 30 }, () => connect()));
      const backAt: number[] = [];
      const closedAt: number[] = [];
      let startedAt = 0;
      const left = clients.map(async (client) => {
        await agree(client);
        const { cid, data } = await client.next(isRetry, 10_000);
        backAt.push(performance.now() - startedAt + (data as { delayMs: number }).delayMs);
        client.send({ rid: cid });
        await client.ended();
        closedAt.push(performance.now() - startedAt);
      });
      await until(() => server.clientsCount === 30);
      startedAt = performance.now();
      const drained = server.drain({ spread: 1500, retryDelay: 400, timeout: 60_000 });
      await Promise.all(left);
      expect(await drained).toEqual({ closed: 30, terminated: 0, interrupted: 0 });
      // Lower bounds only: a busy machine makes everything later.
      closedAt.sort((a, b) => a - b);
      expect(closedAt[15]).toBeGreaterThan(600);
      expect(closedAt[29]).toBeGreaterThan(1300);
      for (const [index, at] of backAt.toSorted((a, b) => a - b).entries())
        expect(at).toBeGreaterThanOrEqual(400 + index * 50 - 15);
    },
  );

  ours('gives up calls that are never answered, in time for a clean close', async () => {
    const started = await startServer();
    onConnection(started, (socket) => void consume(socket.procedure('never'), () => {}));
    const { client } = await started.open();
    client.send({ event: 'never', cid: 9 });
    await client.fence();
    const drained = started.server.drain({ timeout: 500 });
    expect(await client.ended()).toMatchObject({ code: 1012 });
    expect(await drained).toEqual({ closed: 1, terminated: 0, interrupted: 1 });
  });

  ours('does not wait for calls that the client has given up', async () => {
    const started = await startServer();
    const aborted = deferred();
    onConnection(started, (socket) => {
      void consume(socket.procedure('long'), (request) => {
        request.signal.addEventListener('abort', () => aborted.resolve());
      });
    });
    const client = await started.connect();
    await client.call('#handshake', { ext: ['abort'] });
    client.send({ event: 'long', cid: 9 });
    await client.fence();
    client.send({ event: '#abort', data: { cid: 9 } });
    await aborted.promise;
    const drained = started.server.drain({ spread: 0, timeout: 60_000 });
    expect(await drained).toEqual({ closed: 1, terminated: 0, interrupted: 0 });
  });

  ours('terminates who does not answer the close', async () => {
    const { server, port } = await startServer({ limits: { closeTimeout: 60_000 } });
    const connected = nextValue(server.listener('connection'));
    const raw = await RawConnection.upgrade(port);
    raw.send({ event: '#handshake', cid: 1 });
    await connected;
    const drained = server.drain({ timeout: 300 });
    expect(await raw.closeCode()).toBe(1012);
    expect(await drained).toEqual({ closed: 0, terminated: 1, interrupted: 0 });
    await raw.ended();
  });

  ours('refuses a request that a middleware was deciding about', async () => {
    const { server, port } = await startServer();
    const held = holdUpgrades(server);
    const asked = requestUpgrade(port);
    await held.reached;
    await server.drain();
    held.release();
    expect(await asked).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  });

  ours.each([
    [{ timeout: 0 }, /timeout of drain\(\) must be milliseconds from 1 to 3600000 - Got 0/],
    [{ timeout: '5s' }, /Got 5s/],
    [{ timeout: 1000, spread: 900 }, /spread of drain\(\) must be milliseconds from 0 to 500 - Got 900/],
    [{ retryDelay: Number.NaN }, /retryDelay/],
  ] as const)('refuses %j', async ([options, message]) => {
    const { server } = await startServer();
    expect(() => server.drain(options as never)).toThrow(message);
    expect(server.status).not.toBe('draining');
  });
});

describe('drain() with another engine', () => {
  ours('closes everybody, and does not wait for an engine that does not report it', async () => {
    const engine = fakeEngine();
    const { server } = await startServer({ wsEngine: engine });
    const socket = await engine.server.connect();
    socket.receive({ event: '#handshake', cid: 1 });
    await socket.packet(({ rid }) => rid === 1);
    const silent = await engine.server.connect();
    silent.close = () => {};
    silent.terminate = () => {};
    const drained = server.drain({ timeout: 600, spread: 0 });
    await expect(engine.server.connect()).rejects.toThrow('503 The server is shutting down');
    expect(await drained).toEqual({ closed: 1, terminated: 1, interrupted: 0 });
    expect(socket.closeInfo).toEqual({ code: 1012, reason: '' });
  });
});

describe('drain() of one socket', () => {
  ours('sends a batch that was begun by hand, with the hint', async () => {
    const { server, connect } = await startServer();
    const client = await connect();
    await agree(client);
    const [socket] = Object.values(server.clients);
    socket?.startBatch();
    void socket?.transmit('held', 1);
    const left = socket?.drain();
    const { cid } = await client.next(isRetry);
    client.send({ rid: cid });
    expect(await left).toEqual({ isClosed: true, isInterrupted: false });
    expect(client.received.map(({ event }) => event)).toEqual([undefined, 'held', '#retry']);
  });

  ours('refuses options that are none', async () => {
    const { open } = await startServer();
    const { socket, client } = await open();
    expect(() => socket.drain({ retryDelay: -1 })).toThrow(
      /retryDelay of drain\(\) must be milliseconds from 0 to/,
    );
    expect(() => socket.drain({ timeout: 'soon' as never })).toThrow(/Got soon/);
    await client.fence();
  });

  ours('sends one client away and leaves the others', async () => {
    const { server, open, connect } = await startServer();
    const { client: other } = await open();
    const client = await connect();
    await agree(client);
    const [socket] = Object.values(server.clients).filter(({ id }) => id !== other.id);
    const left = socket?.drain({ retryDelay: 30_000 });
    const { cid, data } = await client.next(isRetry);
    expect(data).toEqual({ delayMs: 30_000 });
    client.send({ rid: cid });
    expect(await left).toEqual({ isClosed: true, isInterrupted: false });
    expect(await client.ended()).toMatchObject({ code: 1012 });
    await other.fence();
    expect(server.status).toBe('ready');
  });
});
