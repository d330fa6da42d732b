import { promisify } from 'node:util';
import {
  DEFAULT_DEADLINE_MS,
  nextValue,
  OPCODES,
  RawConnection,
  startServer,
  turn,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';

const MIB = 1024 * 1024;

/** Another class than the one of the fast lane, so the server knows it by its public methods only. */
class OtherServer extends WebSocketServer {}

const ENGINES = [
  ['our own connections', {}],
  ['a module that is not ws', { wsEngine: { Server: OtherServer } }],
] as const;

describe.for(ENGINES)('limits.closeTimeout, on %s:', ([, options]) => {
  test('a client that does not answer a close is cut, with all that it did not read', async () => {
    const { port, server, httpServer } = await startServer({ ...options, limits: { closeTimeout: 100 } });
    const connected = nextValue(server.listener('connection'));
    const raw = await RawConnection.upgrade(port);
    raw.send({ event: '#handshake', cid: 1 });
    const { socket } = await connected;
    raw.pause();
    // More than the kernel takes: the close frame waits behind it.
    for (let n = 0; n < 20; n += 1) socket.send('x'.repeat(MIB));
    void socket.disconnect(4100, 'bye');
    const count = promisify(httpServer.getConnections.bind(httpServer));
    const closing = performance.now();
    while ((await count()) > 0) {
      expect(performance.now() - closing).toBeLessThan(DEFAULT_DEADLINE_MS);
      await turn();
    }
    raw.resume();
    await raw.ended();
    expect(raw.frames.some(({ opcode }) => opcode === OPCODES.close)).toBe(false);
  });

  test('a client that answers is not, and gets the code', async () => {
    const { open } = await startServer({ ...options, limits: { closeTimeout: 10_000 } });
    const { client, socket } = await open();
    void socket.disconnect(4100, 'bye');
    expect(await client.ended()).toEqual({ code: 4100, reason: 'bye' });
  });
});

test('a client that answers no close is reset, so that nothing of it is left in the kernel', async () => {
  const { port, server } = await startServer({ limits: { closeTimeout: 100 } });
  for (const bytes of [0, 5 * MIB]) {
    const connected = nextValue(server.listener('connection'));
    const raw = await RawConnection.upgrade(port);
    raw.send({ event: '#handshake', cid: 1 });
    const { socket } = await connected;
    socket.send('x'.repeat(bytes));
    void socket.disconnect(4100, 'bye');
    // It keeps its own direction open, so only a reset ends the connection.
    await raw.closed;
    expect(raw.isClosed).toBe(true);
  }
});
