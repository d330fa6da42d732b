import { constants, deflateRawSync } from 'node:zlib';
import {
  collected,
  deferred,
  encodeFrame,
  nextValue,
  RawConnection,
  startServer,
  until,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const EXTENSION = 'Sec-WebSocket-Extensions';
const MIB = 1024 * 1024;

/** What a client that compresses puts into a frame (RFC 7692, 7.2.1). */
function compress(text: string): Buffer {
  return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

describe('perMessageDeflate', () => {
  test('keeps no context between messages, neither of the client nor of the server', async () => {
    const { port } = await startServer({ perMessageDeflate: true });
    const raw = await RawConnection.upgrade(port, { headers: { [EXTENSION]: 'permessage-deflate' } });
    const head = await raw.head();
    expect(head).toMatch(/server_no_context_takeover/);
    expect(head).toMatch(/client_no_context_takeover/);
  });

  test('compresses nothing under 1 KiB', async () => {
    const { port, server } = await startServer({ perMessageDeflate: true });
    const connected = nextValue(server.listener('connection'));
    const raw = await RawConnection.upgrade(port, { headers: { [EXTENSION]: 'permessage-deflate' } });
    raw.send({ event: '#handshake', cid: 1 });
    const { socket } = await connected;
    socket.send('x'.repeat(1000));
    socket.send('x'.repeat(2000));
    await until(() => raw.frames.length >= 3);
    expect(raw.frames.slice(1).map(({ payload }) => payload.length < 100)).toEqual([false, true]);
  });

  test('takes over what is given, key by key', async () => {
    const { port } = await startServer({ perMessageDeflate: { serverNoContextTakeover: false } });
    const raw = await RawConnection.upgrade(port, { headers: { [EXTENSION]: 'permessage-deflate' } });
    const head = await raw.head();
    expect(head).not.toMatch(/server_no_context_takeover/);
    expect(head).toMatch(/client_no_context_takeover/);
  });

  test('is left alone in the preset v20', async () => {
    const { port } = await startServer({ perMessageDeflate: true, limits: 'v20' });
    const raw = await RawConnection.upgrade(port, { headers: { [EXTENSION]: 'permessage-deflate' } });
    expect(await raw.head()).not.toMatch(/no_context_takeover/);
  });

  test('a bomb is defused: a message that inflates beyond maxPayload closes with 1009', async () => {
    const { port, server, open } = await startServer({ perMessageDeflate: true });
    const { client: bystander } = await open();
    const connected = nextValue(server.listener('connection'));
    const raw = await RawConnection.upgrade(port, { headers: { [EXTENSION]: 'permessage-deflate' } });
    raw.send({ event: '#handshake', cid: 1 });
    const { socket } = await connected;
    const received = collected(socket.listener('raw'));
    const bomb = compress('x'.repeat(50 * MIB));
    expect(bomb.length).toBeLessThan(MIB);
    raw.write(encodeFrame(compress('fine'), { reserved: 4 }));
    await until(() => received.length === 1);
    raw.write(encodeFrame(bomb, { reserved: 4 }));
    expect(await raw.closeCode()).toBe(1009);
    expect(received).toEqual([{ message: 'fine' }]);
    await bystander.fence();
  });

  test('one read that inflates to far more than may wait closes with 1008, however small it was', async () => {
    const { port, server, open } = await startServer({ perMessageDeflate: true });
    const { client: bystander } = await open();
    const gate = deferred();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
      for await (const action of stream) {
        if ((action as { receiver?: string }).receiver === 'told') await gate.promise;
        action.allow();
      }
    });
    const raw = await RawConnection.upgrade(port, { headers: { [EXTENSION]: 'permessage-deflate' } });
    raw.send({ event: '#handshake', cid: 1 });
    await raw.frame();
    const message = encodeFrame(compress(`{"event":"told","data":"${'x'.repeat(MIB - 100)}"}`), {
      reserved: 4,
    });
    raw.write(Buffer.concat(Array.from({ length: 50 }, () => message)));
    expect(await raw.closeCode()).toBe(1008);
    await bystander.fence();
  });
});
