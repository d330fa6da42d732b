import { type CodecEngine, cloneData } from '@socketcluster-ts/core';
import type { SharedMessage } from '../engine/engine.js';
import { frameBytes, frameMessage } from '../engine/frame.js';

/** A message as another process encoded it. */
export interface EncodedMessage {
  /** The payload of its frame: text in UTF-8, or the bytes of a binary codec. */
  readonly bytes: Uint8Array;
  readonly isText: boolean;
}

/**
 * Owns one published message on its way to the subscribers: channel and data, and its encoded forms, each made
 * at most once.
 *
 * A publication never changes. Its data is shared by reference with every subscriber of the process; who wants
 * to send something else makes a packet of its own.
 */
export class Publication implements SharedMessage {
  readonly channel: string;
  readonly #codec: CodecEngine;
  #data: unknown;
  #snapshot: unknown;
  #payload: string | Uint8Array | undefined;
  #frame: Buffer | undefined;
  /** What was received, as long as nobody has asked for its data. */
  #encoded: EncodedMessage | undefined;

  constructor(channel: string, data: unknown, codec: CodecEngine) {
    this.channel = channel;
    this.#data = data;
    this.#codec = codec;
  }

  /** One that another process encoded: framed as it is, and decoded when somebody first asks for its data. */
  static encoded(channel: string, message: EncodedMessage, codec: CodecEngine): Publication {
    const publication = new Publication(channel, undefined, codec);
    publication.#encoded = message;
    publication.#frame = frameBytes(message.bytes, message.isText);
    return publication;
  }

  /**
   * What was published.
   * @throws what the codec throws for a message of another process that it cannot decode
   */
  get data(): unknown {
    if (this.#encoded !== undefined) {
      this.#data = dataOf(this.#codec.decode(this.payload));
      this.#encoded = undefined;
    }
    return this.#data;
  }

  /** The data as it was when this was first asked for, to make copies of: what was published may be changed later. */
  get snapshot(): unknown {
    const { data } = this;
    return typeof data === 'object' ? (this.#snapshot ??= cloneData(data)) : data;
  }

  /** A packet of its own for those who keep or change what they are given. */
  packet(): { channel: string; data?: unknown } {
    return this.data === undefined ? { channel: this.channel } : { channel: this.channel, data: this.data };
  }

  /**
   * The encoded `#publish` event.
   * @throws whatever the codec throws on data it cannot encode
   */
  get payload(): string | Uint8Array {
    return (this.#payload ??= this.#encode());
  }

  #encode(): string | Uint8Array {
    if (this.#encoded === undefined) {
      return toPayload(this.#codec.encode({ event: '#publish', data: this.packet() }));
    }
    const { bytes, isText } = this.#encoded;
    if (!isText) return bytes;
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  }

  get frame(): Buffer {
    return (this.#frame ??= frameMessage(this.payload));
  }
}

/** What was published, of a decoded `#publish` event. */
function dataOf(event: unknown): unknown {
  const { data: packet } = (event ?? {}) as { data?: unknown };
  return typeof packet === 'object' && packet !== null ? (packet as { data?: unknown }).data : undefined;
}

/**
 * What a codec made, in the form engines take.
 * @throws {TypeError} when it made something else
 */
export function toPayload(encoded: unknown): string | Uint8Array {
  if (typeof encoded === 'string' || encoded instanceof Uint8Array) return encoded;
  if (encoded instanceof ArrayBuffer) return new Uint8Array(encoded);
  if (ArrayBuffer.isView(encoded)) {
    return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  }
  throw new TypeError(`The codec must encode to a string or bytes, but it gave ${typeof encoded}`);
}
