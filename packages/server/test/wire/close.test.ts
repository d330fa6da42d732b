import {
  consume,
  deferred,
  EventLog,
  encodeFrame,
  nextValue,
  OPCODES,
  ours,
  RawConnection,
  startServer,
  turn,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const SERVER_EVENTS = ['connectionAbort', 'disconnection', 'closure', 'warning', 'unsubscription'];

describe('a close by the client', () => {
  test.for([
    [1000, 'bye', 'bye'],
    [1001, '', 'Socket was disconnected'],
    [1000, '', ''],
    [4000, '', 'Server ping timed out'],
    [4003, '', 'Failed to complete handshake'],
    [4007, '', 'Client connection establishment timed out'],
    [4321, 'custom', 'custom'],
    [4321, '', ''],
    [3000, 'custom', 'custom'],
  ] as const)('with %s and reason "%s" is told with the reason "%s"', async ([code, given, reason]) => {
    const { open, server } = await startServer();
    const log = new EventLog().record(server, SERVER_EVENTS);
    const { client, socket } = await open();
    const socketLog = new EventLog().record(socket, ['disconnect', 'connectAbort', 'close']);
    client.close(code, given);
    await log.first('closure');
    await turn();
    expect(log.of('disconnection')).toEqual([{ socket, code, reason }]);
    expect(log.of('closure')).toEqual([{ socket, code, reason }]);
    expect(socketLog.events).toEqual([
      { name: 'disconnect', payload: { code, reason } },
      { name: 'close', payload: { code, reason } },
    ]);
    expect(log.of('warning')).toHaveLength(code === 1000 || code === 1001 ? 0 : 1);
    expect(socket.state).toBe('closed');
    expect([server.clientsCount, server.pendingClientsCount]).toEqual([0, 0]);
  });

  test('without a code is told as 1005', async () => {
    const { open, server } = await startServer();
    const closed = nextValue(server.listener('closure'));
    const { client } = await open();
    client.close();
    expect(await closed).toMatchObject({ code: 1005, reason: 'Socket closed without status code' });
  });

  test('before the handshake aborts the connection', async () => {
    const { connect, server } = await startServer();
    const log = new EventLog().record(server, SERVER_EVENTS);
    const client = await connect();
    client.close(1000);
    await log.first('closure');
    expect(log.names).toEqual(['connectionAbort', 'closure']);
    expect(server.pendingClientsCount).toBe(0);
  });
});

describe('the end of a connection', () => {
  test('raises its events in order, the unsubscriptions and `end` last', async () => {
    const { open, server } = await startServer();
    const log = new EventLog().record(server, SERVER_EVENTS);
    const { client, socket } = await open();
    const socketLog = new EventLog().record(socket, ['disconnect', 'close', 'error', 'unsubscribe', 'end']);
    await client.call('#subscribe', { channel: 'a' });
    await client.call('#subscribe', { channel: 'b' });
    client.close(4321, 'custom');
    await socketLog.first('end');
    expect(log.names).toEqual(['disconnection', 'closure', 'warning', 'unsubscription', 'unsubscription']);
    expect(socketLog.names).toEqual(['disconnect', 'close', 'error', 'unsubscribe', 'unsubscribe', 'end']);
    expect(log.of('warning')).toMatchObject([
      {
        warning: {
          name: 'SocketProtocolError',
          code: 4321,
          message: 'Socket connection closed with status code 4321 and reason: custom',
        },
      },
    ]);
    expect(log.of('unsubscription').map((payload) => payload['channel'])).toEqual(['a', 'b']);
    expect(server.brokerEngine.subscriptions()).toEqual([]);
  });

  test.for([
    ['reset', 'a reset'],
    ['end', 'a FIN without a close frame'],
  ] as const)('by %s is told as 1006', async ([how]) => {
    const { port, server } = await startServer();
    const log = new EventLog().record(server, SERVER_EVENTS);
    const raw = await RawConnection.upgrade(port);
    raw.send({ event: '#handshake', cid: 1 });
    await raw.frame();
    raw[how]();
    await log.first('closure');
    expect(log.of('disconnection')).toMatchObject([{ code: 1006, reason: 'Socket hung up' }]);
    expect(server.clientsCount).toBe(0);
  });

  test('resets the counters of what waits', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const ended = nextValue(socket.listener('end'));
    client.close(1000);
    await ended;
    await turn();
    expect([socket.getInboundBackpressure(), socket.getOutboundBackpressure()]).toEqual([0, 0]);
  });
});

describe('`disconnect()`', () => {
  test.for([
    [undefined, undefined, 1000, '', undefined],
    [4100, 'custom', 4100, 'custom', 'custom'],
    [4100, undefined, 4100, '', undefined],
    [4500, 'end', 4500, 'end', 'end'],
    [1001, 'x', 1001, 'x', 'x'],
    [1012, '', 1012, '', ''],
  ] as const)('with %s and %s', async ([code, reason, wireCode, wireReason, eventReason]) => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    const closed = nextValue(server.listener('disconnection'));
    await socket.disconnect(code, reason);
    expect(socket.state).toBe('closed');
    expect(await client.ended()).toEqual({ code: wireCode, reason: wireReason });
    const told = await closed;
    expect(told).toMatchObject({ socket, code: wireCode });
    if (wireCode !== 1012) expect(told.reason).toBe(eventReason);
  });

  test('twice raises its events once', async () => {
    const { open, server } = await startServer();
    const log = new EventLog().record(server, SERVER_EVENTS);
    const { client, socket } = await open();
    await socket.disconnect(4100);
    await socket.disconnect(4200);
    expect(await client.ended()).toMatchObject({ code: 4100 });
    await turn();
    expect(log.names).toEqual(['disconnection', 'closure', 'warning']);
  });

  ours.each([999, 1005, 1006, 1015, 2000, 5000, 65_536, -1, 0, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'with the illegal code %s still closes the connection',
    async (code) => {
      const { open, server } = await startServer();
      const { client, socket } = await open();
      await socket.disconnect(code).catch(() => {});
      const closed = await client.ended();
      expect(closed.code === 1006 || (closed.code >= 1000 && closed.code < 5000)).toBe(true);
      expect(server.clientsCount).toBe(0);
    },
  );

  ours.each(['4000', null, {}])('with the code %j, which is no number, warns and closes', async (code) => {
    const { open, warning } = await startServer();
    const { client, socket } = await open();
    await socket.disconnect(code as unknown as number).catch(() => {});
    await client.ended();
    expect(await warning((error) => error.name === 'InvalidArgumentsError')).toMatchObject({
      message: expect.stringContaining('If specified, the code argument must be a number'),
    });
  });

  ours.each([
    ['ASCII', 'x'.repeat(200)],
    ['two-byte letters', 'é'.repeat(100)],
    ['emoji', '😀'.repeat(50)],
  ] as const)('with a long reason of %s closes with as much of it as fits', async ([, reason]) => {
    const { open } = await startServer();
    const { client, socket } = await open();
    await socket.disconnect(4100, reason);
    const closed = await client.ended();
    expect(closed.code).toBe(4100);
    expect(reason.startsWith(closed.reason)).toBe(true);
    expect(Buffer.byteLength(closed.reason)).toBeGreaterThan(116);
    expect(Buffer.byteLength(closed.reason)).toBeLessThanOrEqual(123);
  });
});

describe('`terminate()`', () => {
  test('cuts the connection, which is told as 1006', async () => {
    const { open, server } = await startServer();
    const closed = nextValue(server.listener('disconnection'));
    const { client, socket } = await open();
    socket.terminate();
    expect(await client.ended()).toEqual({ code: 1006, reason: '' });
    expect(await closed).toMatchObject({ code: 1006, reason: 'Socket hung up' });
  });
});

describe('`close()` of the server', () => {
  test('cuts every client, and leaves the HTTP server alone', async () => {
    const { open, server, httpServer } = await startServer();
    const { client: ann } = await open();
    const { client: bob } = await open();
    await server.close();
    expect(server.isReady).toBe(false);
    expect([await ann.ended(), await bob.ended()]).toEqual([
      { code: 1006, reason: '' },
      { code: 1006, reason: '' },
    ]);
    expect(httpServer.listening).toBe(true);
    await expect(server.close()).rejects.toThrow('The server is not running');
  });

  test('may keep the clients', async () => {
    const { open, server } = await startServer();
    const { client } = await open();
    await server.close(true);
    await client.fence();
  });

  ours('cuts the sockets that have not shaken hands', async () => {
    const { connect, server } = await startServer();
    const client = await connect();
    await server.close();
    expect(await client.ended()).toMatchObject({ code: 1006 });
  });
});

describe('socketStreamCleanupMode', () => {
  test.for([
    ['kill', 4, true],
    ['close', 15, true],
    ['none', 15, false],
  ] as const)('%s lets a busy receiver handle %s of 15 messages', async ([mode, handled, isEnded]) => {
    const { open } = await startServer({ socketStreamCleanupMode: mode });
    const { client, socket } = await open();
    const reached = deferred();
    const gate = deferred();
    const seen: unknown[] = [];
    let hasEnded = false;
    void consume(socket.receiver('told'), async (data) => {
      seen.push(data);
      if (seen.length !== 4) return;
      reached.resolve();
      await gate.promise;
    }).then(() => {
      hasEnded = true;
    });
    const ended = nextValue(socket.listener('end'));
    for (let n = 0; n < 15; n += 1) client.transmit('told', n);
    client.close(1000);
    await reached.promise;
    await ended;
    gate.resolve();
    for (let count = 0; count < 20; count += 1) await turn();
    expect(seen).toEqual(Array.from({ length: handled }, (_, n) => n));
    expect(hasEnded).toBe(isEnded);
  });
});

describe('a frame that arrives after the server has closed', () => {
  ours('is ignored', async () => {
    const { port, server } = await startServer({ socketStreamCleanupMode: 'none' });
    const connected = nextValue(server.listener('connection'));
    const raw = await RawConnection.upgrade(port);
    raw.send({ event: '#handshake', cid: 1 });
    const { socket } = await connected;
    const log = new EventLog().record(socket, ['message', 'raw', 'subscribe', 'error', 'end']);
    const told: unknown[] = [];
    void consume(socket.receiver('told'), (data) => told.push(data));
    await socket.disconnect(1000);
    await raw.frame((frame) => frame.opcode === OPCODES.close);
    const before = socket.inboundReceivedMessageCount;
    raw.send({ event: 'told', data: 1 });
    raw.send({ event: '#subscribe', data: { channel: 'c' }, cid: 2 });
    raw.writeFrame(Buffer.from([0x03, 0xe8]), { opcode: OPCODES.close });
    raw.end();
    await raw.ended();
    await turn();
    expect(told).toEqual([]);
    expect(log.names).toEqual(['end']);
    expect(socket.inboundReceivedMessageCount).toBe(before);
    expect(server.brokerEngine.subscriptions()).toEqual([]);
  });
});

describe('what the WebSocket protocol forbids', () => {
  test.for([
    ['an unmasked frame', encodeFrame('{}', { mask: false }), 1002],
    ['a reserved bit', encodeFrame('{}', { reserved: 4 }), 1002],
    ['an unknown opcode', encodeFrame('{}', { opcode: 3 }), 1002],
    ['a continuation of nothing', encodeFrame('{}', { opcode: OPCODES.continuation }), 1002],
    ['a fragmented ping', encodeFrame('', { opcode: OPCODES.ping, fin: false }), 1002],
    ['invalid UTF-8', encodeFrame(Buffer.from([0x7b, 0xff, 0xfe])), 1007],
  ] as const)('%s ends that connection only', async ([, bytes, code]) => {
    const { open, port, server } = await startServer();
    const log = new EventLog().record(server, SERVER_EVENTS);
    const { client: other } = await open();
    const raw = await RawConnection.upgrade(port);
    raw.send({ event: '#handshake', cid: 1 });
    await raw.frame();
    raw.write(bytes);
    expect(await raw.closeCode()).toBe(code);
    raw.end();
    await log.first('closure');
    expect(log.of('closure')).toHaveLength(1);
    expect([1006, code]).toContain(log.of('closure')[0]?.['code']);
    await other.fence();
  });
});
