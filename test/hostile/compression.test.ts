import { deflateRawSync } from 'node:zlib';
import { encodeFrame, OPCODES, type RawConnection, upgradeRequest } from '@socketcluster-ts/testkit';
import { describe, expect } from 'vitest';
import { type Target, underAttack } from './under-attack.js';

const MIB = 1024 * 1024;
/** The first reserved bit: the message is compressed. */
const COMPRESSED = 4;
const { text, continuation, ping } = OPCODES;

/** As much as a compressed message holds, without the four bytes that the extension leaves out. */
const deflate = (content: string | Buffer): Buffer =>
  deflateRawSync(content, { finishFlush: 2 }).subarray(0, -4);

/** A connection that negotiated compression and completed its handshake. */
async function negotiate(target: Target, offer: string = 'permessage-deflate'): Promise<RawConnection> {
  const connection = await target.upgrade({ headers: { 'Sec-WebSocket-Extensions': offer } });
  expect(await connection.head()).toContain('permessage-deflate');
  connection.send({ event: '#handshake', cid: 1 });
  await connection.frame();
  return connection;
}

const sendCompressed = (connection: RawConnection, content: string | Buffer): void =>
  connection.writeFrame(deflate(content), { reserved: COMPRESSED });

describe('with compression', () => {
  const attack = underAttack({ perMessageDeflate: true });

  attack('a bomb of 500 MB is defused at the largest message', async (target) => {
    const bomb = encodeFrame(deflate(Buffer.alloc(500 * MIB, 0x20)), { reserved: COMPRESSED });
    expect(bomb.length).toBeLessThan(MIB);
    const connections = await Promise.all(Array.from({ length: 10 }, () => negotiate(target)));
    for (const connection of connections) connection.write(bomb);
    for (const connection of connections) expect(await connection.closeCode()).toBe(1009);
  });

  attack('a bomb in fragments is defused as well', async (target) => {
    const connection = await negotiate(target);
    const bomb = deflate(Buffer.alloc(20 * MIB, 0x20));
    const half = bomb.length >> 1;
    connection.writeFrame(bomb.subarray(0, half), { fin: false, reserved: COMPRESSED });
    connection.writeFrame(bomb.subarray(half), { opcode: continuation });
    expect(await connection.closeCode()).toBe(1009);
  });

  attack('a message as long as allowed is taken, a hundred times', async (target) => {
    const connection = await negotiate(target);
    for (let round = 0; round < 100; round += 1) sendCompressed(connection, ' '.repeat(MIB));
    sendCompressed(connection, '{"event":"echo","data":"still here","cid":2}');
    const answer = await connection.frame(({ payload }) => payload.includes('still here'), 15_000);
    expect(String(answer.payload)).toBe('{"rid":2,"data":"still here"}');
  });

  attack.each([
    ['noise', encodeFrame(Buffer.alloc(300, 0xff), { reserved: COMPRESSED }), 1007],
    [
      'text that is no UTF-8',
      encodeFrame(deflate(Buffer.from([0xff, 0xfe])), { reserved: COMPRESSED }),
      1007,
    ],
    ['a compressed ping', encodeFrame('x', { opcode: ping, reserved: COMPRESSED }), 1002],
    ['another reserved bit', encodeFrame(deflate('{}'), { reserved: 2 }), 1002],
    [
      'a compressed continuation',
      Buffer.concat([
        encodeFrame(deflate('{}'), { fin: false, reserved: COMPRESSED }),
        encodeFrame('x', { opcode: continuation, reserved: COMPRESSED }),
      ]),
      1002,
    ],
  ] as const)('%s closes the connection', async (target, [, bytes, code]) => {
    const connection = await negotiate(target);
    connection.write(bytes);
    expect(await connection.closeCode()).toBe(code);
  });

  attack('a stream that is cut is forgotten with its connection', async (target) => {
    const whole = deflate('{"event":"echo","data":"x","cid":2}'.repeat(100));
    for (let round = 0; round < 20; round += 1) {
      const connection = await negotiate(target);
      connection.writeFrame(whole.subarray(0, whole.length - round), { reserved: COMPRESSED });
      connection.reset();
    }
    expect(whole.length).toBeGreaterThan(20);
  });

  attack.each([
    ['of a window of 7 bits', 'permessage-deflate; client_max_window_bits=7'],
    ['of a window of 2^32 bits', 'permessage-deflate; server_max_window_bits=4294967296'],
    ['with the same parameter twice', 'permessage-deflate; client_max_window_bits; client_max_window_bits'],
    ['with an unknown parameter', 'permessage-deflate; __proto__=1'],
    ['that does not end', 'permessage-deflate; client_max_window_bits="8'],
  ] as const)('an offer %s is refused, or the connection is not compressed', async (target, [, offer]) => {
    const connection = await target.dial();
    connection.write(upgradeRequest(target.port, { headers: { 'Sec-WebSocket-Extensions': offer } }));
    const head = await connection.head();
    if (head.startsWith('HTTP/1.1 101')) expect(head).not.toContain('permessage-deflate');
    else expect(head).toMatch(/^HTTP\/1.1 400 /);
  });
});

describe('without compression', () => {
  const attack = underAttack();

  attack('a compressed message is a broken frame', async (target) => {
    const connection = await target.upgrade({
      headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' },
    });
    expect(await connection.head()).not.toContain('permessage-deflate');
    connection.writeFrame(deflate('{}'), { opcode: text, reserved: COMPRESSED });
    expect(await connection.closeCode()).toBe(1002);
  });
});
