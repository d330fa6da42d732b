import { isUtf8 } from 'node:buffer';
import { CLOSE_CODES } from '@socketcluster-ts/core';

const CLOSE = 0x88;
const CODE_BYTES = 2;

/** What a close frame says. */
export interface Close {
  readonly code: number;
  readonly reason: string;
}

const NO_STATUS: Close = { code: CLOSE_CODES.NO_STATUS, reason: '' };

/** What the payload of a close frame says (RFC 6455, 5.5.1); `undefined` for one that breaks the rules. */
export function parseClose(payload: Buffer): Close | undefined {
  if (payload.length === 0) return NO_STATUS;
  if (payload.length < CODE_BYTES) return undefined;
  const code = payload.readUInt16BE(0);
  if (!isAllowedCode(code)) return undefined;
  const reason = payload.subarray(CODE_BYTES);
  return isUtf8(reason) ? { code, reason: reason.toString() } : undefined;
}

/** The frame that answers a close frame: the same payload. */
export function closeAnswer(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(2 + payload.length);
  frame[0] = CLOSE;
  frame[1] = payload.length;
  frame.set(payload, 2);
  return frame;
}

/** RFC 6455, 7.4: the codes that may stand in a frame. */
function isAllowedCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}
