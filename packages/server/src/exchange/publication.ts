import type { CodecEngine } from '@socketcluster-ts/core';
import type { SharedMessage } from '../engine/engine.js';
import { frameMessage } from '../engine/frame.js';

/**
 * Owns one published message on its way to the subscribers: channel and data, and its encoded forms, each made
 * at most once.
 *
 * A publication never changes. Its data is shared by reference with every subscriber of the process; who wants
 * to send something else makes a packet of its own.
 */
export class Publication implements SharedMessage {
  readonly channel: string;
  readonly data: unknown;
  readonly #codec: CodecEngine;
  #payload: string | Uint8Array | undefined;
  #frame: Buffer | undefined;

  constructor(channel: string, data: unknown, codec: CodecEngine) {
    this.channel = channel;
    this.data = data;
    this.#codec = codec;
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
    return (this.#payload ??= toPayload(this.#codec.encode({ event: '#publish', data: this.packet() })));
  }

  get frame(): Buffer {
    return (this.#frame ??= frameMessage(this.payload));
  }
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
