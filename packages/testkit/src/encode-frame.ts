import { randomBytes } from 'node:crypto';

/** The opcodes of RFC 6455 that tests send. */
export const OPCODES = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** How to write one frame; what is not given is as the RFC demands of a client. */
export interface FrameOptions {
  readonly opcode?: number;
  readonly fin?: boolean;
  /** Whether the payload is masked; a client must. @default true */
  readonly mask?: boolean;
  /** The three reserved bits, 0 to 7. @default 0 */
  readonly reserved?: number;
  /** The four bytes of the mask. @default random ones */
  readonly maskKey?: Uint8Array;
}

/** The bytes of one client frame. */
export function encodeFrame(payload: Uint8Array | string, options: FrameOptions = {}): Buffer {
  const { opcode = OPCODES.text, fin = true, mask = true, reserved = 0 } = options;
  const body = Buffer.from(payload as Uint8Array);
  const head = [(fin ? 0x80 : 0) | (reserved << 4) | opcode];
  const maskBit = mask ? 0x80 : 0;
  if (body.length < 126) head.push(maskBit | body.length);
  else if (body.length < 65_536) head.push(maskBit | 126, body.length >> 8, body.length & 0xff);
  else {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(body.length));
    head.push(maskBit | 127, ...length);
  }
  if (!mask) return Buffer.concat([Buffer.from(head), body]);
  const key = Buffer.from(options.maskKey ?? randomBytes(4));
  for (let index = 0; index < body.length; index += 1) {
    body[index] = body.readUInt8(index) ^ key.readUInt8(index % 4);
  }
  return Buffer.concat([Buffer.from(head), key, body]);
}
