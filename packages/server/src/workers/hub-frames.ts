/** What a frame between a worker and the hub says. */
export const KINDS = {
  /** Worker to hub: the messages of a channel are wanted; answered. */
  subscribe: 1,
  /** Worker to hub: they are not wanted any more; answered. */
  unsubscribe: 2,
  /** Worker to hub: a message for everybody who wants the channel; answered. */
  publish: 3,
  /** Hub to worker: done. */
  done: 4,
  /** Hub to worker: not done; the payload says why. */
  failed: 5,
  /** Hub to worker: a message of a channel. */
  message: 6,
  /** Hub to worker: messages of a channel may have been missed; it has to be subscribed to again. */
  lost: 7,
  /** Hub to worker: whether the other machines are reached; the payload is one byte, 1 for yes. */
  reach: 8,
} as const;

/** One of {@link KINDS}. */
export type Kind = (typeof KINDS)[keyof typeof KINDS];

/** One frame, as it was read. Its bytes belong to whoever reads it. */
export interface HubFrame {
  readonly kind: Kind;
  /** Ties an answer to its question; 0 where there is none. */
  readonly id: number;
  readonly channel: string;
  readonly payload: Uint8Array;
}

/** Bytes of the frame behind this field, kind, id, bytes of the channel name. */
const HEAD = { length: 4, kind: 1, id: 4, channel: 4 } as const;
const HEAD_BYTES = HEAD.length + HEAD.kind + HEAD.id + HEAD.channel;
/** Both ends are ours; longer than any message by far, it only keeps a broken stream from being believed. */
const LONGEST_FRAME = 512 * 1024 * 1024;

const EMPTY = new Uint8Array(0);

/** The bytes of a frame. */
export function encodeFrame(kind: Kind, id: number, channel: string, payload: Uint8Array = EMPTY): Buffer {
  const channelBytes = Buffer.byteLength(channel);
  const frame = Buffer.allocUnsafe(HEAD_BYTES + channelBytes + payload.length);
  frame.writeUInt32LE(frame.length - HEAD.length, 0);
  frame.writeUInt8(kind, HEAD.length);
  frame.writeUInt32LE(id, HEAD.length + HEAD.kind);
  frame.writeUInt32LE(channelBytes, HEAD.length + HEAD.kind + HEAD.id);
  frame.write(channel, HEAD_BYTES);
  frame.set(payload, HEAD_BYTES + channelBytes);
  return frame;
}

/** Owns what was read of a frame that is not complete yet. */
export class HubFrameReader {
  readonly #onFrame: (frame: HubFrame) => void;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Bytes needed before there is something new to look at. */
  #needed: number = HEAD.length;

  constructor(onFrame: (frame: HubFrame) => void) {
    this.#onFrame = onFrame;
  }

  /**
   * Takes what was read, and reports the frames that are complete.
   * @throws {RangeError} for bytes that are no frames
   */
  read(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#needed) return;
    let rest = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#bytes);
    for (;;) {
      this.#needed = rest.length < HEAD.length ? HEAD.length : HEAD.length + rest.readUInt32LE(0);
      if (this.#needed > LONGEST_FRAME) throw new RangeError(`A frame of ${this.#needed} bytes is too long`);
      if (rest.length < this.#needed || rest.length < HEAD.length) break;
      const frame = rest.subarray(0, this.#needed);
      rest = rest.subarray(this.#needed);
      this.#onFrame(decode(frame));
    }
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
  }
}

function decode(frame: Buffer): HubFrame {
  if (frame.length < HEAD_BYTES) throw new RangeError(`A frame of ${frame.length} bytes is too short`);
  const payloadAt = HEAD_BYTES + frame.readUInt32LE(HEAD.length + HEAD.kind + HEAD.id);
  if (payloadAt > frame.length) throw new RangeError('The name of a channel is longer than its frame');
  return {
    kind: frame.readUInt8(HEAD.length) as Kind,
    id: frame.readUInt32LE(HEAD.length + HEAD.kind),
    channel: frame.toString('utf8', HEAD_BYTES, payloadAt),
    payload: frame.subarray(payloadAt),
  };
}
