import { isUtf8 } from 'node:buffer';

const FINAL = 0x80;
const RESERVED = 0x70;
const OPCODE = 0x0f;
const MASKED = 0x80;
const CONTINUATION = 0x0;
const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const PONG = 0xa;

/** Frames up to this length, header included, are kept until they have arrived completely. */
const LONGEST_KEPT_FRAME = 4096;

/** Where the frames of a connection go. */
export interface FrameSink {
  /** One whole message: a string for a text frame, bytes for a binary one. */
  onFrame(message: string | Buffer, payloadBytes: number): void;
  /** Bytes of other frames, exactly as they arrived. */
  passOn(bytes: Buffer): void;
  /** A whole close frame: whether it was seen to. If not, it is handed back. */
  onCloseFrame(payload: Buffer): boolean;
  /** A close frame or a malformed one follows: nothing more is taken, the library can have its connection back. */
  handBack(): void;
}

/**
 * Owns the place up to which a connection of clients' frames (RFC 6455, 5.2) has been read.
 *
 * It takes what nearly all input is, messages in one frame, and hands them over as they are. Whatever else there may be
 * goes to the library byte by byte as it came: control frames, fragments, long frames that come in several reads, frames
 * that are too long, malformed ones. The library judges and answers those, so its rules and limits hold unchanged; it
 * sees whole frames only, between which order is kept.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  /** The longest payload taken here, in bytes. */
  readonly #maxPayload: number;
  /** The beginning of a frame that has not arrived completely. */
  #rest: Buffer | undefined;
  /** How many of the next bytes belong to a frame that the library has begun to read. */
  #passing = 0;
  /** Payload of the message that the library has begun to read in fragments; it gets everything until its end. */
  #fragmented: number | undefined;

  constructor(sink: FrameSink, maxPayload: number) {
    this.#sink = sink;
    this.#maxPayload = maxPayload;
  }

  /** Takes the next bytes of the connection; they are overwritten. Not to be called after `handBack()`. */
  read(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, chunk]);
      this.#rest = undefined;
    }
    let at = Math.min(this.#passing, bytes.length);
    /** Where the bytes begin that the library gets in one piece. */
    let passFrom = 0;
    // The library may refuse what it reads of these bytes, and tells only later: what follows is left to it as well.
    let isLeft = at > 0;
    this.#passing -= at;
    while (at < bytes.length) {
      const start = payloadStart(bytes, at);
      const isRefused = start === -1 ? this.#isBeginningRefused(bytes, at) : !this.#isAllowed(bytes, at);
      if (isRefused) {
        this.#sink.handBack();
        break;
      }
      const length = start === -1 ? 0 : payloadLength(bytes, at);
      const end = start + length;
      isLeft ||= this.#fragmented !== undefined;
      const isOurs = !isLeft && length <= this.#maxPayload && isMessage(bytes[at] as number);
      if (start === -1 || (isOurs && end > bytes.length && end - at <= LONGEST_KEPT_FRAME)) {
        if (passFrom < at) this.#sink.passOn(bytes.subarray(passFrom, at));
        // A copy: a few bytes must not keep the whole read alive.
        this.#rest = Buffer.from(bytes.subarray(at));
        return;
      }
      if (isOurs && end <= bytes.length) {
        if (passFrom < at) this.#sink.passOn(bytes.subarray(passFrom, at));
        passFrom = at;
        if (!this.#take(bytes, at, start, end)) break;
        passFrom = end;
      } else if (!isLeft && passFrom === at && end <= bytes.length && this.#conclude(bytes, at, start, end)) {
        return;
      } else if (!this.#follow(bytes[at] as number, length)) break;
      at = Math.min(end, bytes.length);
      this.#passing = end - at;
    }
    if (passFrom < bytes.length) this.#sink.passOn(passFrom === 0 ? bytes : bytes.subarray(passFrom));
  }

  /** Whether such a frame may stand here, as far as its first two bytes tell. */
  #isAllowed(bytes: Buffer, at: number): boolean {
    const first = bytes[at] as number;
    const second = bytes[at + 1] as number;
    if ((first & RESERVED) !== 0 || (second & MASKED) === 0) return false;
    const opcode = first & OPCODE;
    if (opcode >= CLOSE) return opcode <= PONG && (first & FINAL) !== 0 && (second & ~MASKED) < 126;
    return opcode === CONTINUATION
      ? this.#fragmented !== undefined
      : opcode <= BINARY && this.#fragmented === undefined;
  }

  /** Whether it is clear already that the library refuses the frame, whose header is not complete. */
  #isBeginningRefused(bytes: Buffer, at: number): boolean {
    const available = bytes.length - at;
    if (available < 2) return false;
    if (!this.#isAllowed(bytes, at)) return true;
    if (((bytes[at] as number) & OPCODE) >= CLOSE || available < lengthBytes(bytes, at)) return false;
    return (this.#fragmented ?? 0) + payloadLength(bytes, at) > this.#maxPayload;
  }

  /** Keeps track of a frame that the library reads; `false` when it is the last one. */
  #follow(first: number, length: number): boolean {
    const opcode = first & OPCODE;
    const total = opcode < CLOSE ? (this.#fragmented ?? 0) + length : length;
    if (opcode === CLOSE || total > this.#maxPayload) {
      this.#sink.handBack();
      return false;
    }
    if (opcode < CLOSE) this.#fragmented = (first & FINAL) === 0 ? total : undefined;
    return true;
  }

  /** Hands a close frame over, if it is one; what is not taken is put back as it came. */
  #conclude(bytes: Buffer, at: number, start: number, end: number): boolean {
    if (((bytes[at] as number) & OPCODE) !== CLOSE) return false;
    unmask(bytes, start, end);
    if (this.#sink.onCloseFrame(bytes.subarray(start, end))) return true;
    unmask(bytes, start, end);
    return false;
  }

  /** Hands the message over; a text that is not valid is put back as it came, for the library to refuse. */
  #take(bytes: Buffer, at: number, start: number, end: number): boolean {
    const used = unmask(bytes, start, end);
    if (((bytes[at] as number) & OPCODE) === BINARY) {
      this.#sink.onFrame(bytes.subarray(start, end), end - start);
      return true;
    }
    // Seven bits at most: every byte is a character, which needs no decoder and cannot be wrong.
    if (used < 0x80) {
      this.#sink.onFrame(bytes.toString('latin1', start, end), end - start);
      return true;
    }
    if (isUtf8(bytes.subarray(start, end))) {
      this.#sink.onFrame(bytes.toString('utf8', start, end), end - start);
      return true;
    }
    unmask(bytes, start, end);
    this.#sink.handBack();
    return false;
  }
}

/** Where the payload of the frame begins, or -1 while its header is incomplete. */
function payloadStart(bytes: Buffer, at: number): number {
  const available = bytes.length - at;
  if (available < 2) return -1;
  const header = lengthBytes(bytes, at) + (((bytes[at + 1] as number) & MASKED) === 0 ? 0 : 4);
  return available < header ? -1 : at + header;
}

/** How many bytes of the frame there are up to the end of its length. */
function lengthBytes(bytes: Buffer, at: number): number {
  const length = (bytes[at + 1] as number) & ~MASKED;
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0);
}

function payloadLength(bytes: Buffer, at: number): number {
  const length = (bytes[at + 1] as number) & ~MASKED;
  if (length < 126) return length;
  if (length === 126) return bytes.readUInt16BE(at + 2);
  return bytes.readUInt32BE(at + 2) * 0x1_0000_0000 + bytes.readUInt32BE(at + 6);
}

/** Whether a frame that begins so is a whole message. */
function isMessage(first: number): boolean {
  return first === (FINAL | TEXT) || first === (FINAL | BINARY);
}

/**
 * Takes the mask, the four bytes before `start`, off the payload; done twice, nothing has changed. Gives all bits that
 * the bytes have afterwards.
 */
function unmask(bytes: Buffer, start: number, end: number): number {
  const key0 = bytes[start - 4] as number;
  const key1 = bytes[start - 3] as number;
  const key2 = bytes[start - 2] as number;
  const key3 = bytes[start - 1] as number;
  let used = 0;
  let at = start;
  // Four at a time, so that the key needs no look-up: this loop is run over every byte that clients send.
  for (const last = end - 3; at < last; at += 4) {
    const byte0 = (bytes[at] as number) ^ key0;
    const byte1 = (bytes[at + 1] as number) ^ key1;
    const byte2 = (bytes[at + 2] as number) ^ key2;
    const byte3 = (bytes[at + 3] as number) ^ key3;
    bytes[at] = byte0;
    bytes[at + 1] = byte1;
    bytes[at + 2] = byte2;
    bytes[at + 3] = byte3;
    used |= byte0 | byte1 | byte2 | byte3;
  }
  for (const from = at; at < end; at += 1) {
    const byte = (bytes[at] as number) ^ (bytes[start - 4 + (at - from)] as number);
    bytes[at] = byte;
    used |= byte;
  }
  return used;
}
