/** Frames as a server sends them: found by their headers alone. */

/**
 * The place of one frame. Reused, so that reading allocates nothing.
 * @typedef {{ opcode: number, start: number, end: number }} FramePlace `end` is -1 when the frame is not complete
 */

/** @type {FramePlace} */
const place = { opcode: 0, start: 0, end: -1 };

/**
 * Finds the payload of the frame that begins at `at`.
 * @param {Buffer} bytes
 * @param {number} at
 * @param {number} limit where the bytes end
 * @returns {FramePlace} valid until the next call
 */
export function frameAt(bytes, at, limit) {
  place.end = -1;
  if (limit - at < 2) return place;
  let length = bytes[at + 1];
  let start = at + 2;
  if (length === 126) {
    start = at + 4;
    if (start > limit) return place;
    length = (bytes[at + 2] << 8) | bytes[at + 3];
  } else if (length === 127) {
    start = at + 10;
    if (start > limit) return place;
    length = Number(bytes.readBigUInt64BE(at + 2));
  }
  if (start + length > limit) return place;
  place.opcode = bytes[at] & 15;
  place.start = start;
  place.end = start + length;
  return place;
}

/** Owns the part of a frame that has arrived without the rest. */
export class FrameReader {
  #onFrame;
  /** @type {Buffer | undefined} */
  #rest;

  /** @param {(opcode: number, bytes: Buffer, start: number, end: number) => void} onFrame must not keep `bytes` */
  constructor(onFrame) {
    this.#onFrame = onFrame;
  }

  /**
   * @param {Buffer} chunk
   * @param {number} length how much of `chunk` counts
   */
  read(chunk, length) {
    let bytes = chunk;
    let limit = length;
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
      limit = bytes.length;
      this.#rest = undefined;
    }
    let at = 0;
    for (;;) {
      const { opcode, start, end } = frameAt(bytes, at, limit);
      if (end === -1) break;
      this.#onFrame(opcode, bytes, start, end);
      at = end;
    }
    if (at < limit) this.#rest = Buffer.from(bytes.subarray(at, limit));
  }
}
