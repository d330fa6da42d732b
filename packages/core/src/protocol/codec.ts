import { bytesToBase64 } from './base64.js';

/**
 * Turns packets into frames and back. Both ends of a connection must use the same one.
 *
 * Guarantees that an implementation gives:
 * - `encode()` and `decode()` are synchronous, and do not change what they are given: one value may be sent to many.
 * - `encode()` may throw: what it was given is then reported as an error of the sender and not sent. `undefined`
 *   means that there is nothing to send.
 * - `decode()` may throw: the frame is then reported as an invalid message and dropped. It is called with whatever a
 *   peer chose to send.
 * - What `decode()` gives is `null`, an object, an array (a batch of packets) or a string. Plain data without
 *   getters is best; anything that is no packet is reported as `raw`.
 *
 * Pings and pongs do not pass through a codec.
 *
 * A complete one, whose frames are binary:
 * ```ts
 * import type { CodecEngine } from '@socketcluster-ts/core';
 *
 * const binaryJson: CodecEngine = {
 *   encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
 *   decode: (message) => JSON.parse(typeof message === 'string' ? message : new TextDecoder().decode(message as Uint8Array)),
 * };
 * ```
 */
export interface CodecEngine {
  /** One packet or one array of packets as a frame: a text frame for a string, a binary one for bytes. */
  encode(value: unknown): string | Uint8Array | ArrayBuffer | undefined;
  /** One frame as a value: `message` is a string for a text frame, bytes for a binary one. */
  decode(message: unknown): unknown;
}

/** A {@link CodecEngine} whose frames are text. */
export interface TextCodecEngine extends CodecEngine {
  encode(value: unknown): string | undefined;
}

/**
 * The codec that every peer has: JSON, with binary data as `{"base64": true, "data": "…"}`.
 *
 * Binary data is an `ArrayBuffer`, a `Buffer`, or what a `Buffer` becomes in JSON (`{type: 'Buffer', data: [...]}`,
 * also when a client sent it). It is not turned back: a receiver gets the object with `base64`.
 * compat: other typed arrays are not binary data, a `Uint8Array` becomes `{"0": 1, …}`.
 *
 * `decode()` never throws: a text that is no JSON object or array is given back as it is.
 * @throws {TypeError} `encode()`, for a value with a cycle or a BigInt
 */
export const jsonCodec: TextCodecEngine = Object.freeze({ encode: encodeJson, decode: decodeJson });

function encodeJson(value: unknown): string | undefined {
  if (value === '#1' || value === '#2') return value;
  return JSON.stringify(value, replaceBinary);
}

function isBinary(value: unknown): value is Uint8Array | ArrayBuffer {
  return value instanceof ArrayBuffer || isBuffer(value);
}

/** Told by what makes a `Buffer` different for JSON, so that the one that bundlers put into browsers counts too. */
function isBuffer(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && typeof (value as { toJSON?: unknown }).toJSON === 'function';
}

interface Base64 {
  readonly base64: true;
  readonly data: string;
}

function toBase64(bytes: Uint8Array | ArrayBuffer): Base64 {
  return { base64: true, data: bytesToBase64(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes) };
}

/** The parent has what the value was before its `toJSON()`, which makes an array of the bytes of a `Buffer`. */
function replaceBinary(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key];
  if (isBinary(original)) return toBase64(original);
  if (isBinary(value)) return toBase64(value);
  const { type, data } = (value ?? {}) as { type?: unknown; data?: unknown };
  return type === 'Buffer' && Array.isArray(data) ? toBase64(Uint8Array.from(data as number[])) : value;
}

function decodeJson(message: unknown): unknown {
  if (message === null || message === undefined) return null;
  const text = typeof message === 'string' ? message : toText(message);
  if (text === null || !JSON_START.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Only white space of JSON may stand before the first brace or bracket. */
const JSON_START = /^[ \n\r\t]*[{[]/;

function toText(message: unknown): string | null {
  try {
    // differs: bytes are text in UTF-8 whatever holds them; upstream reads only a Buffer so.
    if (message instanceof ArrayBuffer || (message instanceof Uint8Array && !isBuffer(message))) {
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(message);
    }
    return String(message);
  } catch {
    return null;
  }
}
