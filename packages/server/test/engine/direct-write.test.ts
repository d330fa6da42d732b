import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AGServerSocket } from '@socketcluster-ts/server';
import {
  afterTest,
  deferred,
  encodeFrame,
  nextValue,
  OPCODES,
  RawConnection,
  type StartedServer,
  startServer,
  turn,
  until,
} from '@socketcluster-ts/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';

const HANDSHAKE = { event: '#handshake', data: {}, cid: 1 };
/** More than the buffers of the kernel take at once. */
const TOO_MUCH = 8_000_000;

interface Message {
  readonly kind: 'text' | 'bytes';
  readonly length: number;
}
type Step = Message | { readonly kind: 'ping' | 'stop' | 'go' | 'turn' | 'read' };

const anyMessage: fc.Arbitrary<Message> = fc.record({
  kind: fc.constantFrom('text' as const, 'bytes' as const),
  length: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 300 }) },
    { weight: 2, arbitrary: fc.integer({ min: 3000, max: 70_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 400_000, max: TOO_MUCH }) },
  ),
});
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: anyMessage },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('ping' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('stop' as const, 'go' as const, 'read' as const) }),
  },
);

/** A connection, at both ends. */
interface OpenRaw {
  readonly client: RawConnection;
  readonly socket: AGServerSocket;
}

/** Sends more than a client that does not read can take: it is under way from now on. */
async function sendTooMuch({ client, socket }: OpenRaw, byte = 0): Promise<void> {
  client.pause();
  socket.send(Buffer.alloc(TOO_MUCH, byte));
  await until(() => socket.pressure.bytes >= TOO_MUCH / 2);
}

/** A connection that is written and read byte by byte, behind its handshake, and the server's socket of it. */
async function openRaw({ port, server }: StartedServer): Promise<OpenRaw> {
  const connected = nextValue(server.listener('connection'));
  const client = await RawConnection.upgrade(port);
  client.send(HANDSHAKE);
  const { socket } = await connected;
  return { client, socket };
}

describe('a write past the queue of the stream', () => {
  test('keeps its place among all other writes, whatever the network takes at once', async () => {
    const started = await startServer({ limits: { outboundBudget: Infinity } });
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 10, maxLength: 60 }), async (steps) => {
        const { client, socket } = await openRaw(started);
        await until(() => client.frames.length === 1);
        const sent: string[] = [];
        client.pause();
        for (const [n, step] of steps.entries()) {
          if (step.kind === 'stop') client.pause();
          else if (step.kind === 'go') client.resume();
          else if (step.kind === 'turn') await turn();
          else if (step.kind === 'read') {
            client.resume();
            await until(() => client.frames.length > Math.floor(sent.length / 2));
          } else if (step.kind === 'ping') {
            sent.push(`ping ${n}`);
            // What is held back goes first: the library knows nothing of it.
            await turn();
            (socket.socket as WebSocket).ping(`ping ${n}`);
          } else if ('length' in step) {
            const message = `${n} `.padEnd(step.length, 'x');
            sent.push(message);
            socket.send(step.kind === 'text' ? message : Buffer.from(message));
          }
        }
        client.resume();
        await until(() => client.frames.length === sent.length + 1);
        const received = client.frames.slice(1).map(({ payload }) => payload.toString());
        expect(received.map((text, at) => text === sent[at])).toEqual(sent.map(() => true));
        await until(() => socket.getOutboundBackpressure() === 0);
        expect(socket.pressure).toMatchObject({ bytes: 0, messages: 0 });
        client.reset();
      }),
      { numRuns: 30 },
    );
  });

  test('waits behind an answer of the HTTP server that the client has not read', async () => {
    const httpServer = createServer((_request, response) => response.end(Buffer.alloc(TOO_MUCH, 'x')));
    const { port, server } = await startServer({}, { http: httpServer });
    const client = connect({ port, host: '127.0.0.1' });
    afterTest(() => void client.destroy());
    client.pause();
    client.write('GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const connected = nextValue(server.listener('handshake'));
    client.write(
      'GET /socketcluster/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const { socket } = await connected;
    socket.send('a message');
    await turn();
    const chunks: Buffer[] = [];
    client.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
    const isComplete = (): boolean => Buffer.concat(chunks.slice(-2)).includes('a message');
    await until(isComplete);
    const text = Buffer.concat(chunks).toString('latin1');
    const [answer, body, upgrade, frame] = text.split(/\r\n\r\n|(?=HTTP)/);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(body?.length).toBe(TOO_MUCH);
    expect(upgrade).toMatch(/^HTTP\/1\.1 101 /);
    expect(frame).toBe(`${String.fromCharCode(0x81, 9)}a message`);
  });

  test('that is under way when the client resets the connection ends with it', async () => {
    const started = await startServer({ limits: { outboundBudget: Infinity } });
    const { server, warnings } = started;
    const { client, socket } = await openRaw(started);
    await sendTooMuch({ client, socket });
    const closed = nextValue(server.listener('closure'));
    client.reset();
    expect((await closed).code).toBe(1006);
    expect(socket.getOutboundBackpressure()).toBe(0);
    expect(warnings.map(String)).toEqual(['SocketProtocolError: Socket hung up']);
  });

  test('that is under way when the client resets the connection ends with it, also where nothing is read', async () => {
    const started = await startServer({ limits: { outboundBudget: Infinity, maxInboundQueue: 1 } });
    const { server } = started;
    const goOn = deferred();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
      for await (const action of stream) {
        await goOn.promise;
        action.allow();
      }
    });
    const { client, socket } = await openRaw(started);
    const net = socket.request.socket;
    while (!net.isPaused()) {
      client.send({ event: 'more' });
      await turn();
    }
    await sendTooMuch({ client, socket });
    const closed = nextValue(server.listener('closure'));
    client.reset();
    expect((await closed).code).toBe(1006);
    expect(socket.getOutboundBackpressure()).toBe(0);
    goOn.resolve();
  });

  test('that is under way when the server closes the connection arrives before the close frame', async () => {
    const started = await startServer({ limits: { outboundBudget: Infinity } });
    const { client, socket } = await openRaw(started);
    await sendTooMuch({ client, socket }, 7);
    void socket.disconnect(4321, 'so long');
    client.resume();
    expect(await client.closeCode()).toBe(4321);
    expect(client.frames.at(-2)?.payload.equals(Buffer.alloc(TOO_MUCH, 7))).toBe(true);
    client.write(encodeFrame(Buffer.from([4321 >> 8, 4321 & 255]), { opcode: OPCODES.close }));
    await client.ended();
  });
});
