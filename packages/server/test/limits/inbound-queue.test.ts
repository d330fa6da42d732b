import type { AGServerSocket } from '@socketcluster-ts/server';
import {
  collected,
  consume,
  deferred,
  encodeFrame,
  fakeEngine,
  nextValue,
  OPCODES,
  RawConnection,
  type StartedServer,
  startServer,
  until,
  type WireClient,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';

/** Another class than the one of the fast lane, so the server knows it by its public methods only. */
class OtherServer extends WebSocketServer {}

const ENGINES = [
  ['our own connections', {}],
  ['compressed connections', { perMessageDeflate: true }],
  ['a module that is not ws', { wsEngine: { Server: OtherServer } }],
] as const;

const KIB = 1024;
const MIB = 1024 * KIB;
/** What the kernel and the streams between two ends of a connection hold, generously. */
const ON_THE_WAY = 12 * MIB;
/** How much one read brings at most, and what the stream may have taken in when it is paused. */
const ONE_READ = 192 * KIB;

interface Gate {
  readonly open: () => void;
}

/** Has the inbound middleware hold every packet back until the gate opens. */
function hold({ server }: StartedServer): Gate {
  const gate = deferred();
  server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
    for await (const action of stream) {
      await gate.promise;
      action.allow();
    }
  });
  return { open: () => gate.resolve() };
}

/** The options of these tests: few and large messages fill the buffers on the way with the least work. */
const QUEUE = 64;
const MESSAGE = 8 * KIB;
const limits = { maxInboundQueue: QUEUE } as const;
/** Compression is negotiated and not used. */
const perMessageDeflate = { threshold: 100_000 };

/** Sends numbered messages until `bytes` have been sent in all. */
function flood(client: WireClient, bytes: number): number {
  const padding = 'x'.repeat(MESSAGE);
  const count = Math.ceil(bytes / MESSAGE);
  for (let n = 0; n < count; n += 1) client.send({ event: 'told', data: { n, padding } });
  return count;
}

const numbers = async (socket: AGServerSocket, count: number): Promise<number[]> => {
  const received: number[] = [];
  void consume(socket.receiver('told'), (data) => received.push((data as { n: number }).n));
  await until(() => received.length >= count, 30_000);
  return received;
};

describe.for(ENGINES)('when too much waits, on %s,', ([, options]) => {
  test('reading pauses, the client has to wait, and then everything arrives in order', async () => {
    const started = await startServer({ ...options, limits });
    const { client, socket } = await started.open({ perMessageDeflate });
    const { client: bystander } = await started.open();
    const gate = hold(started);
    const count = flood(client, ON_THE_WAY + 4 * MIB);
    const all = numbers(socket, count);
    await until(() => socket.getInboundBackpressure() >= QUEUE);
    // More cannot be on the way: the rest has not left the client.
    await bystander.pinged(0);
    for (let round = 0; round < 20; round += 1) await bystander.call('#unsubscribe', 'nothing');
    expect(socket.getInboundBackpressure()).toBeLessThanOrEqual(QUEUE + ONE_READ / MESSAGE);
    expect(client.webSocket.bufferedAmount).toBeGreaterThan(MIB);
    gate.open();
    expect(await all).toEqual(Array.from({ length: count }, (_, n) => n));
    expect(socket.getInboundBackpressure()).toBe(0);
  });

  test('bytes count as well as packets', async () => {
    const started = await startServer({ ...options, limits: { maxInboundQueueBytes: 100_000 } });
    const { client, socket } = await started.open();
    const gate = hold(started);
    const received = collected(socket.receiver('told'));
    for (let n = 0; n < 300; n += 1) client.send({ event: 'told', data: 'x'.repeat(60_000) });
    await until(() => socket.getInboundBackpressure() >= 2);
    for (let round = 0; round < 10; round += 1) (await started.open()).client.terminate();
    expect(socket.getInboundBackpressure()).toBeLessThan(10);
    gate.open();
    await until(() => received.length === 300);
  });

  test('the connection can be closed, and the client is heard to agree', async () => {
    const started = await startServer({ ...options, limits });
    const { client, socket } = await started.open({ perMessageDeflate });
    hold(started);
    flood(client, 2 * MIB);
    await until(() => socket.getInboundBackpressure() >= QUEUE);
    void socket.disconnect(4100, 'enough');
    expect(await client.ended()).toEqual({ code: 4100, reason: 'enough' });
  });

  test('a client that goes away is missed', async () => {
    const started = await startServer({ ...options, limits, pingInterval: 20 });
    const { client, socket } = await started.open();
    const closed = nextValue(started.server.listener('closure'));
    hold(started);
    flood(client, 2 * MIB);
    await until(() => socket.getInboundBackpressure() >= QUEUE);
    client.terminate();
    expect(await closed).toMatchObject({ socket, code: 1006 });
  });

  test('no pong is expected, and the full time counts from the end of the pause', async () => {
    const started = await startServer({ ...options, limits, pingInterval: 20, pingTimeout: 200 });
    const { client, socket } = await started.open({ autoPong: false });
    const gate = hold(started);
    const count = flood(client, 2 * MIB);
    await until(() => socket.getInboundBackpressure() >= QUEUE);
    const before = client.pings;
    await client.pinged(before + 30);
    expect(socket.state).toBe('open');
    const all = numbers(socket, count);
    gate.open();
    await all;
    const endedBefore = client.closeInfo;
    expect(await client.ended()).toEqual({ code: 4001, reason: '' });
    expect(endedBefore).toBeUndefined();
  });
});

describe('the inbound queue', () => {
  test('counts the packets of a batch', async () => {
    const started = await startServer();
    const { client, socket } = await started.open();
    const gate = hold(started);
    const received = collected(socket.receiver('told'));
    client.send(Array.from({ length: 1000 }, (_, n) => ({ event: 'told', data: n })));
    const padding = 'x'.repeat(64 * KIB);
    for (let n = 0; n < 300; n += 1) client.send({ event: 'told', data: padding });
    await until(() => client.webSocket.bufferedAmount > 0);
    for (let round = 0; round < 10; round += 1) (await started.open()).client.terminate();
    // The batch is one frame, and little came behind it.
    expect(socket.getInboundBackpressure()).toBeLessThan(10);
    gate.open();
    await until(() => received.length === 1300);
    expect(received.slice(0, 1000)).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  });

  test('counts what waits for the inboundRaw middleware', async () => {
    const { open, server } = await startServer({ limits });
    const { client, socket } = await open();
    const gate = deferred();
    server.setMiddleware(server.MIDDLEWARE_INBOUND_RAW, async (stream) => {
      for await (const action of stream) {
        await gate.promise;
        action.allow();
      }
    });
    const count = flood(client, ON_THE_WAY);
    await until(() => client.webSocket.bufferedAmount > 0 && socket.getInboundBackpressure() >= QUEUE);
    expect(socket.getInboundBackpressure()).toBeLessThanOrEqual(QUEUE + ONE_READ / MESSAGE);
    const all = numbers(socket, count);
    gate.resolve();
    expect(await all).toHaveLength(count);
  });

  test('has no end when it is switched off', async () => {
    const started = await startServer({ limits: { maxInboundQueue: 0, maxInboundQueueBytes: Infinity } });
    const { client, socket } = await started.open();
    const gate = hold(started);
    const count = flood(client, 3 * MIB);
    // One is with the middleware.
    await until(() => socket.getInboundBackpressure() === count - 1);
    const all = numbers(socket, count);
    gate.open();
    expect(await all).toHaveLength(count);
  });

  test('an engine that cannot pause is served all the same', async () => {
    const engine = fakeEngine();
    const { server } = await startServer({ wsEngine: engine });
    const connection = nextValue(server.listener('connection'));
    const ws = await engine.server.connect();
    ws.receive({ event: '#handshake', cid: 1 });
    const { socket } = await connection;
    const received = collected(socket.receiver('told'));
    for (let n = 0; n < 1000; n += 1) ws.receive({ event: 'told', data: n });
    await until(() => received.length === 1000);
    expect(received).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  });

  test('a message in pieces, pings and a close frame behind a pause are read afterwards', async () => {
    const started = await startServer();
    const { port, server } = started;
    const connected = nextValue(server.listener('connection'));
    const raw = await RawConnection.upgrade(port);
    raw.send({ event: '#handshake', cid: 1 });
    const { socket } = await connected;
    const gate = hold(started);
    const received = collected(socket.receiver('told'));
    const packet = JSON.stringify({ event: 'told', data: 'x' });
    raw.write(Buffer.concat(Array.from({ length: 3000 }, () => encodeFrame(packet))));
    await until(() => socket.getInboundBackpressure() >= QUEUE);
    const parts = [
      encodeFrame(packet.slice(0, 5), { fin: false }),
      encodeFrame('are you there', { opcode: OPCODES.ping }),
      encodeFrame(packet.slice(5), { opcode: OPCODES.continuation }),
    ];
    raw.write(Buffer.concat(parts));
    for (let n = 0; n < 500; n += 1) raw.writeFrame(packet);
    gate.open();
    await raw.frame(
      ({ opcode, payload }) => opcode === OPCODES.pong && payload.toString() === 'are you there',
    );
    await until(() => received.length === 3501);
    raw.writeFrame(Buffer.from([0x0f, 0xa0]), { opcode: OPCODES.close });
    expect(await raw.closeCode()).toBe(4000);
  });
});

describe('when reading cannot pause', () => {
  test('the connection is closed with 1008 before the server holds much more than its limit', async () => {
    const engine = fakeEngine();
    const started = await startServer({
      wsEngine: engine,
      limits: { maxInboundQueueBytes: 10 * KIB },
      maxPayload: 20 * KIB,
    });
    const connection = nextValue(started.server.listener('connection'));
    const ws = await engine.server.connect();
    ws.receive({ event: '#handshake', cid: 1 });
    const { socket } = await connection;
    hold(started);
    for (let n = 0; n < 90; n += 1) ws.receive({ event: 'told', data: 'x'.repeat(KIB) });
    expect(socket.state).toBe('open');
    for (let n = 0; n < 20; n += 1) ws.receive({ event: 'told', data: 'x'.repeat(KIB) });
    expect(socket.state).toBe('closed');
    await until(() => ws.closeInfo !== undefined);
    expect(ws.closeInfo).toMatchObject({ code: 1008 });
  });
});

test('a socket whose input is killed while reading is paused is read again, and what comes is ignored', async () => {
  const started = await startServer({ limits });
  const { client, socket } = await started.open();
  hold(started);
  flood(client, ON_THE_WAY);
  await until(() => socket.getInboundBackpressure() >= QUEUE);
  expect(client.webSocket.bufferedAmount).toBeGreaterThan(0);
  socket.killInput();
  await until(() => client.webSocket.bufferedAmount === 0);
  expect(socket.getInboundBackpressure()).toBe(0);
});
