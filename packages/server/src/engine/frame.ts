const TEXT = 0x81;
const BINARY = 0x82;

/** Writes the header of a final, unmasked frame (RFC 6455, 5.2) and returns the number of its bytes. */
function writeHeader(target: Buffer, opcode: number, length: number): number {
  target[0] = opcode;
  if (length < 126) {
    target[1] = length;
    return 2;
  }
  if (length < 65_536) {
    target[1] = 126;
    target.writeUInt16BE(length, 2);
    return 4;
  }
  target[1] = 127;
  target.writeUInt32BE(Math.floor(length / 0x1_0000_0000), 2);
  target.writeUInt32BE(length >>> 0, 6);
  return 10;
}

function headerLength(payloadLength: number): number {
  if (payloadLength < 126) return 2;
  return payloadLength < 65_536 ? 4 : 10;
}

/**
 * The bytes of one server-to-client WebSocket message: a text frame for a string, a binary frame for bytes.
 *
 * Frames from a server are not masked (RFC 6455, 5.1), so the same bytes serve every connection that did not
 * negotiate an extension.
 */
export function frameMessage(payload: string | Uint8Array): Buffer {
  if (typeof payload === 'string') {
    const length = Buffer.byteLength(payload);
    const start = headerLength(length);
    const frame = Buffer.allocUnsafe(start + length);
    writeHeader(frame, TEXT, length);
    // ASCII is by far the most common; latin1 is a plain copy then.
    if (length === payload.length) frame.write(payload, start, 'latin1');
    else frame.write(payload, start);
    return frame;
  }
  return frameBytes(payload, false);
}

/** As {@link frameMessage}, of bytes: `isText` for those of a text in UTF-8. */
export function frameBytes(payload: Uint8Array, isText: boolean): Buffer {
  const start = headerLength(payload.byteLength);
  const frame = Buffer.allocUnsafe(start + payload.byteLength);
  writeHeader(frame, isText ? TEXT : BINARY, payload.byteLength);
  frame.set(payload, start);
  return frame;
}

/** The start of a text frame by the length of its payload, up to 125. */
const SHORT_HEADERS = Array.from({ length: 126 }, (_, length) => String.fromCharCode(TEXT, length));

/**
 * The frame of a text as a string of its bytes, for `write(…, 'latin1')`: it costs no Buffer, and several are joined
 * by `+`. `undefined` for what only {@link frameMessage} can frame: characters outside ASCII, and 64 KiB or more.
 */
export function frameText(payload: string): string | undefined {
  const { length } = payload;
  if (length >= 65_536) return undefined;
  const header = SHORT_HEADERS[length] ?? String.fromCharCode(TEXT, 126, length >> 8, length & 0xff);
  const frame = header + payload;
  // UTF-8 has one byte per character only for ASCII. Asked of the whole frame, because to look into a text that was put
  // together V8 copies it into one piece, and that piece is what will be written.
  return Buffer.byteLength(frame) - Buffer.byteLength(header) === length ? frame : undefined;
}
