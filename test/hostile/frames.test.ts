import { encodeFrame, OPCODES } from '@socketcluster-ts/testkit';
import { describe, expect } from 'vitest';
import { type Target, underAttack } from './under-attack.js';

const attack = underAttack();

const { continuation, text, binary, close, ping, pong } = OPCODES;
const SHAKE = encodeFrame('{"event":"#handshake","cid":1}');
const VALID_CLOSE = Buffer.from([0x03, 0xe8]);

type Case = readonly [what: string, bytes: Buffer, code: number];

/** Frames that a message may begin with, so that what follows is wrong. */
const begun = encodeFrame('{"ev', { fin: false });

/** The close frame with this code. */
const closeWith = (code: number): Buffer =>
  encodeFrame(Buffer.from([code >> 8, code & 0xff]), { opcode: close });

/** The head of a text frame that announces so many bytes, in 64 bits. */
function announce(length: bigint): Buffer {
  const head = Buffer.alloc(14);
  head.set([0x81, 0xff]);
  head.writeBigUInt64BE(length, 2);
  return head;
}

const CASES: readonly Case[] = [
  ...[1, 2, 3, 4, 5, 6, 7].flatMap((reserved): Case[] => [
    [`a message with the reserved bits ${reserved}`, encodeFrame('{}', { reserved }), 1002],
    [`a ping with the reserved bits ${reserved}`, encodeFrame('', { opcode: ping, reserved }), 1002],
  ]),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
    (opcode): Case => [`opcode ${opcode}`, encodeFrame('x', { opcode }), 1002],
  ),
  ...[text, binary, ping, pong].map(
    (opcode): Case => [`opcode ${opcode} without a mask`, encodeFrame('{}', { opcode, mask: false }), 1002],
  ),
  ['a close frame without a mask', encodeFrame(VALID_CLOSE, { opcode: close, mask: false }), 1002],
  ...[ping, pong, close].flatMap((opcode): Case[] => [
    [`opcode ${opcode} in fragments`, encodeFrame(VALID_CLOSE, { opcode, fin: false }), 1002],
    [`opcode ${opcode} with 126 bytes`, encodeFrame('x'.repeat(126), { opcode }), 1002],
  ]),
  ['a continuation of nothing', encodeFrame('x', { opcode: continuation }), 1002],
  ['a message inside a message', Buffer.concat([begun, encodeFrame('{}')]), 1002],
  ['binary inside a text', Buffer.concat([begun, encodeFrame('{}', { opcode: binary })]), 1002],
  ['a length of 2^63', announce(1n << 63n), 1009],
  ['a length of 2^64 - 1', announce((1n << 64n) - 1n), 1009],
  ['a length of 2^53', announce(1n << 53n), 1009],
  ['a length of 1 GiB', announce(1n << 30n), 1009],
  ['text that is no UTF-8', encodeFrame(Buffer.from([0x7b, 0xc3, 0x28])), 1007],
  ['text with a surrogate', encodeFrame(Buffer.from([0xed, 0xa0, 0x80])), 1007],
  ['text with an overlong NUL', encodeFrame(Buffer.from([0xc0, 0x80])), 1007],
  ['text that ends in a character', encodeFrame(Buffer.from([0x22, 0xe2, 0x82])), 1007],
  [
    'fragments that are no UTF-8',
    Buffer.concat([begun, encodeFrame(Buffer.from([0xff]), { opcode: continuation })]),
    1007,
  ],
  ...[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map(
    (code): Case => [`the close code ${code}`, closeWith(code), 1002],
  ),
  ['a close code of one byte', encodeFrame(Buffer.from([3]), { opcode: close }), 1002],
  [
    'a close reason that is no UTF-8',
    encodeFrame(Buffer.concat([VALID_CLOSE, Buffer.from([0xff])]), { opcode: close }),
    1007,
  ],
];

describe('a malformed frame', () => {
  attack.each(CASES)('%s closes its connection, and no other', async (target, [, bytes, code]) => {
    const early = await target.upgrade();
    early.write(bytes);
    const behind = await target.upgrade();
    behind.write(Buffer.concat([SHAKE, encodeFrame('{"event":"echo","data":7,"cid":2}'), bytes]));
    const slow = await target.upgrade();
    slow.write(SHAKE);
    await slow.frame();
    for (const byte of bytes.subarray(0, 200)) slow.write(Buffer.of(byte));
    for (const connection of [early, behind, slow]) expect(await connection.closeCode()).toBe(code);
  });
});

describe('frames without an end', () => {
  attack('fragments that never finish are held up to the largest message', async (target) => {
    const connection = await shaken(target);
    connection.writeFrame('x'.repeat(512 * 1024), { fin: false });
    connection.writeFrame('x'.repeat(512 * 1024), { opcode: continuation, fin: false });
    connection.writeFrame('', { opcode: ping });
    await connection.frame((frame) => frame.opcode === pong);
    connection.writeFrame('x', { opcode: continuation, fin: false });
    expect(await connection.closeCode()).toBe(1009);
  });

  attack('a hundred messages that never finish are forgotten with their connections', async (target) => {
    const connections = await Promise.all(Array.from({ length: 100 }, () => shaken(target)));
    for (const connection of connections) {
      connection.writeFrame('x'.repeat(100_000), { fin: false });
      connection.writeFrame('', { opcode: ping });
    }
    for (const connection of connections) await connection.frame((frame) => frame.opcode === pong);
    expect(connections.some(({ isClosed }) => isClosed)).toBe(false);
  });

  attack('two thousand pings are answered', async (target) => {
    const connection = await shaken(target);
    const flood = encodeFrame('x', { opcode: ping });
    connection.write(Buffer.concat(Array.from({ length: 2000 }, () => flood)));
    connection.writeFrame('last', { opcode: ping });
    const answer = await connection.frame(({ payload }) => payload.equals(Buffer.from('last')));
    expect(answer.opcode).toBe(pong);
  });

  attack('two thousand pongs that nobody asked for are ignored', async (target) => {
    const connection = await shaken(target);
    const flood = encodeFrame('x', { opcode: pong });
    connection.write(Buffer.concat(Array.from({ length: 2000 }, () => flood)));
    connection.send({ event: 'echo', data: 'still here', cid: 2 });
    expect(String((await connection.frame(({ payload }) => payload.includes('rid":2'))).payload)).toContain(
      'still',
    );
  });
});

/** A connection that has completed its handshake. */
async function shaken(target: Target): Promise<Awaited<ReturnType<Target['upgrade']>>> {
  const connection = await target.upgrade();
  connection.write(SHAKE);
  await connection.frame();
  return connection;
}
