/** Frames as a client sends them: masked, and built before they are needed. */

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
const TEXT = 0x81;
const PONG = 0x8a;
const CLOSE = 0x88;

/**
 * A text message as one masked frame.
 * @param {string} text
 */
export function textFrame(text) {
  return maskedFrame(TEXT, Buffer.from(text));
}

/**
 * The answer to a ping frame.
 * @param {Buffer} payload
 */
export function pongFrame(payload) {
  return maskedFrame(PONG, payload);
}

/** The close frame of a client that leaves politely: code 1000. */
export const CLOSE_FRAME = maskedFrame(CLOSE, Buffer.from([0x03, 0xe8]));

function maskedFrame(firstByte, payload) {
  const { length } = payload;
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerLength + 4 + length);
  frame[0] = firstByte;
  if (headerLength === 2) frame[1] = 0x80 | length;
  else if (headerLength === 4) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 0x80 | 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  MASK.copy(frame, headerLength);
  const start = headerLength + 4;
  for (let index = 0; index < length; index += 1) frame[start + index] = payload[index] ^ MASK[index & 3];
  return frame;
}

/** Owns a frame whose text has one number of fixed width, which can be exchanged without building the frame anew. */
export class NumberedFrame {
  /** The frame, with the number written last. @type {Buffer} */
  bytes;
  #at;
  #maskPhase;
  #width;

  /**
   * @param {string} text the message
   * @param {string} number the digits in it that are exchanged; their first occurrence counts
   */
  constructor(text, number) {
    const offset = Buffer.byteLength(text.slice(0, text.indexOf(number)));
    this.bytes = textFrame(text);
    this.#at = this.bytes.length - Buffer.byteLength(text) + offset;
    this.#maskPhase = offset;
    this.#width = number.length;
  }

  /** @param {number} value is written with leading zeros */
  write(value) {
    let left = value;
    for (let digit = this.#width - 1; digit >= 0; digit -= 1) {
      this.bytes[this.#at + digit] = (48 + (left % 10)) ^ MASK[(this.#maskPhase + digit) & 3];
      left = Math.floor(left / 10);
    }
  }
}
