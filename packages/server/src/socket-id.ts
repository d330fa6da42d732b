import { randomFillSync } from 'node:crypto';

const bytes = Buffer.alloc(15);
let count = 0;

/**
 * A text that no other call of this or another process gives: 20 characters that can stand in a URL, made of 12
 * random bytes and a counter of 3 bytes.
 */
export function generateSocketId(): string {
  randomFillSync(bytes, 0, 12);
  bytes.writeUIntBE(count, 12, 3);
  count = (count + 1) & 0xff_ff_ff;
  return bytes.toString('base64url');
}
