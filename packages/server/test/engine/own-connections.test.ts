import { createServer } from 'node:http';
import {
  consume,
  deferred,
  encodeFrame,
  nextValue,
  OPCODES,
  RawConnection,
  requestUpgrade,
  startServer,
  turn,
  until,
  WireClient,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { WebSocket, type WebSocketServer } from 'ws';

const HANDSHAKE = { event: '#handshake', data: {}, cid: 1 };

/** An upgrade request, in the spelling of no browser. The key is the one of RFC 6455, 1.3. */
function plainRequest(...more: string[]): string {
  return [
    'GET /socketcluster/ HTTP/1.1',
    'Host: localhost',
    'upgrade: WebSocket',
    'connection: upgrade',
    'SEC-WEBSOCKET-KEY: dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version: 13',
    ...more,
    '',
    '',
  ].join('\r\n');
}

describe('the object of `ws`, asked for on a connection opened without it', () => {
  test('is the same at each access, open, and of the class of the library', async () => {
    const { open } = await startServer();
    const { socket } = await open();
    expect(socket.socket).toBeInstanceOf(WebSocket);
    expect(socket.socket).toBe(socket.socket);
    expect(socket.socket.readyState).toBe(WebSocket.OPEN);
    expect(socket.socket.extensions).toBe('');
  });

  test('pings the client, and hears its messages beside the server', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const ws = socket.socket as WebSocket;
    const heard: string[] = [];
    ws.on('message', (data: Buffer) => heard.push(data.toString()));
    const answered = deferred();
    ws.on('pong', () => answered.resolve());
    ws.ping('are you there');
    await answered.promise;
    const told = nextValue(socket.receiver('told'));
    client.send({ event: 'told', data: 1 });
    expect(await told).toBe(1);
    expect(heard).toEqual(['{"event":"told","data":1}']);
  });

  test('sends in the order of the calls, mixed with what the server sends', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    void socket.transmit('first');
    socket.send('second', { compress: false });
    void socket.transmit('third');
    await until(() => client.frames.length >= 4);
    expect(client.frames.slice(-3).map(({ text }) => text)).toEqual([
      '{"event":"first"}',
      'second',
      '{"event":"third"}',
    ]);
  });

  test('reads on where the server had stopped: in a message, and between its fragments', async () => {
    const { port, server } = await startServer();
    const connected = nextValue(server.listener('connection'));
    const client = await RawConnection.upgrade(port);
    client.send(HANDSHAKE);
    const { socket } = await connected;
    const received: unknown[] = [];
    void consume(socket.receiver('n'), (n) => received.push(n));
    const frame = encodeFrame('{"event":"n","data":1}');
    client.write(frame.subarray(0, 5));
    await until(() => socket.inboundReceivedMessageCount === 1);
    await turn();
    expect(socket.socket.readyState).toBe(WebSocket.OPEN);
    client.write(frame.subarray(5));
    client.writeFrame('{"event":"n",', { fin: false });
    client.writeFrame('"data":2}', { opcode: OPCODES.continuation });
    client.send({ event: 'n', data: 3 });
    await until(() => received.length === 3);
    expect(received).toEqual([1, 2, 3]);
  });

  test('is closed on a connection that is gone', async () => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    const closed = nextValue(server.listener('closure'));
    client.close(1000);
    await closed;
    expect(socket.socket).toBeInstanceOf(WebSocket);
    expect(socket.socket.readyState).toBeGreaterThanOrEqual(WebSocket.CLOSING);
    await until(() => socket.socket.readyState === WebSocket.CLOSED);
  });
});

describe('the close frame of a client', () => {
  test.for([
    [1000, 'bye'],
    [4321, 'é'.repeat(60)],
    [1005, ''],
  ] as const)('is answered with the same: %d', async ([code, reason]) => {
    const { open, server } = await startServer();
    const { client } = await open();
    const closed = nextValue(server.listener('closure'));
    client.close(code === 1005 ? undefined : code, reason);
    expect(await closed).toMatchObject({ code });
    expect(await client.closed).toEqual({ code, reason });
  });

  test('ends what is read: nothing behind it counts', async () => {
    const { port, server } = await startServer();
    const connected = nextValue(server.listener('connection'));
    const client = await RawConnection.upgrade(port);
    client.send(HANDSHAKE);
    const { socket } = await connected;
    const closed = nextValue(server.listener('closure'));
    client.write(
      Buffer.concat([
        encodeFrame(Buffer.from([3, 232]), { opcode: OPCODES.close }),
        encodeFrame('{"event":"late"}'),
      ]),
    );
    expect(await client.closeCode()).toBe(1000);
    client.send({ event: 'later' });
    client.end();
    expect(await closed).toMatchObject({ code: 1000 });
    expect(socket.inboundReceivedMessageCount).toBe(1);
  });

  test('is followed by the end of the stream, or the connection is cut in time', async () => {
    const { port, server } = await startServer({ wsEngineServerOptions: { closeTimeout: 30 } });
    const client = await RawConnection.upgrade(port);
    const closed = nextValue(server.listener('closure'));
    client.writeFrame(Buffer.from([3, 232]), { opcode: OPCODES.close });
    expect(await closed).toMatchObject({ code: 1000 });
  });
});

describe('an end of the stream without a close frame', () => {
  test('ends the connection in time, also of a client that does not read what was sent before', async () => {
    const { port, server } = await startServer({
      wsEngineServerOptions: { closeTimeout: 30 },
      limits: { outboundBudget: Infinity },
    });
    const connected = nextValue(server.listener('connection'));
    const client = await RawConnection.upgrade(port);
    client.send(HANDSHAKE);
    const { socket } = await connected;
    const closed = nextValue(server.listener('closure'));
    await client.frame();
    client.pause();
    const much = 'x'.repeat(1_000_000);
    // More than the buffers of both ends hold.
    for (let n = 0; n < 30; n += 1) void socket.transmit('much', much);
    await until(() => socket.getOutboundBackpressure() > 0);
    client.end();
    expect(await closed).toMatchObject({ code: 1006 });
  });
});

describe('an upgrade request', () => {
  test('may bring the first frame with it', async () => {
    const { port } = await startServer();
    const client = await RawConnection.open(port);
    client.write(Buffer.concat([Buffer.from(plainRequest()), encodeFrame(JSON.stringify(HANDSHAKE))]));
    // The example of RFC 6455, 1.3.
    expect(await client.head()).toContain('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    expect(String((await client.frame()).payload)).toContain('"rid":1');
  });

  test('with a key twice is refused', async () => {
    const { port } = await startServer();
    const client = await RawConnection.open(port);
    client.write(plainRequest('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='));
    expect(await client.head()).toMatch(/^HTTP\/1.1 400 /);
  });

  test('is answered by `ws` when somebody listens to its events, who gets the object and the request', async () => {
    const { server, connect, open } = await startServer();
    const engine = server.wsServer as WebSocketServer;
    const seen: [WebSocket, string | undefined][] = [];
    engine.on('headers', (headers) => headers.push('X-Mark: yes'));
    engine.on('connection', (ws, request) => seen.push([ws, request.url]));
    await connect();
    const { socket } = await open();
    expect(seen.map(([, url]) => url)).toEqual(['/socketcluster/', '/socketcluster/']);
    expect(socket.socket).toBe(seen[1]?.[0]);
  });

  test('is judged by a replaced `shouldHandle()`', async () => {
    const { server, port } = await startServer();
    (server.wsServer as WebSocketServer).shouldHandle = () => false;
    expect(await requestUpgrade(port)).toMatchObject({ status: 400 });
  });

  test('under way when the server is closed is answered with 503', async () => {
    const http = createServer();
    const { server, port } = await startServer({}, { http });
    const asked = deferred();
    const goOn = deferred();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
      for await (const action of stream) {
        asked.resolve();
        await goOn.promise;
        action.allow();
      }
    });
    const answer = requestUpgrade(port);
    await asked.promise;
    await server.close();
    goOn.resolve();
    expect(await answer).toMatchObject({ status: 503 });
  });

  test('that is reset while the middleware thinks harms nobody', async () => {
    const { server, port, url } = await startServer();
    const asked = deferred();
    const ended = deferred();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
      for await (const action of stream) {
        asked.resolve();
        await ended.promise;
        action.allow();
      }
    });
    const client = await RawConnection.open(port);
    client.write(plainRequest());
    await asked.promise;
    client.reset();
    await client.closed;
    ended.resolve();
    const fresh = await WireClient.connect(url);
    expect(await fresh.handshake()).toMatchObject({ rid: 1 });
    expect(server.pendingClientsCount).toBe(0);
  });
});
