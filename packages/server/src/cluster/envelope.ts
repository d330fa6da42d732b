import { isUtf8 } from 'node:buffer';
import type { EncodedMessage } from '../exchange/publication.js';

/** The version of the layout below. */
const VERSION = 1;
const ID_BYTES = 8;
/** Version, length of the header, id of the node, epoch. */
const HEADER_BYTES = 2 + ID_BYTES + 4;
/** Kind and length of a message. */
const PREFIX_BYTES = 5;
const TEXT = 0;
const BINARY = 1;

/** The bytes of a whole envelope around messages of so many bytes. */
export function envelopeBytes(messages: number, bytes: number): number {
  return HEADER_BYTES + messages * PREFIX_BYTES + bytes;
}

/** Who sends envelopes. */
export interface Sender {
  /** The id of the node: eight random bytes. */
  readonly node: Uint8Array;
  /** How often it has connected to the engine so far. */
  readonly epoch: number;
}

/**
 * Puts messages of one channel into one envelope; see `docs/scaling.md`. `bytes` is the length of all payloads, texts in
 * UTF-8.
 */
export function writeEnvelope(
  { node, epoch }: Sender,
  payloads: readonly (string | Uint8Array)[],
  bytes: number,
): Buffer {
  const envelope = Buffer.allocUnsafe(envelopeBytes(payloads.length, bytes));
  envelope[0] = VERSION;
  envelope[1] = HEADER_BYTES;
  envelope.set(node, 2);
  envelope.writeUInt32BE(epoch >>> 0, 2 + ID_BYTES);
  let at = HEADER_BYTES;
  for (const payload of payloads) {
    const start = at + PREFIX_BYTES;
    let length: number;
    if (typeof payload === 'string') length = envelope.write(payload, start);
    else {
      envelope.set(payload, start);
      length = payload.byteLength;
    }
    envelope[at] = typeof payload === 'string' ? TEXT : BINARY;
    envelope.writeUInt32BE(length, at + 1);
    at = start + length;
  }
  return envelope;
}

/** An envelope of this version. */
export interface Envelope {
  /** The id of the node, in hexadecimal digits. */
  readonly node: string;
  readonly epoch: number;
  readonly messages: readonly EncodedMessage[];
}

/**
 * Reads what came from the engine. `'foreign'` is another version, written by a newer or older node; `'malformed'` is no
 * envelope. Of a longer header only what this version knows is read. The messages are parts of `bytes`, not copies.
 */
export function readEnvelope(bytes: Uint8Array): Envelope | 'foreign' | 'malformed' {
  if (bytes.byteLength === 0) return 'malformed';
  if (bytes[0] !== VERSION) return 'foreign';
  const envelope = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = envelope[1] ?? 0;
  if (at < HEADER_BYTES || envelope.length < at) return 'malformed';
  const messages: EncodedMessage[] = [];
  while (at < envelope.length) {
    const start = at + PREFIX_BYTES;
    if (start > envelope.length) return 'malformed';
    const kind = envelope[at];
    const end = start + envelope.readUInt32BE(at + 1);
    if (end > envelope.length || (kind !== TEXT && kind !== BINARY)) return 'malformed';
    const message = envelope.subarray(start, end);
    // Clients close a connection over a text that is no UTF-8.
    if (kind === TEXT && !isUtf8(message)) return 'malformed';
    messages.push({ bytes: message, isText: kind === TEXT });
    at = end;
  }
  if (messages.length === 0) return 'malformed';
  return {
    node: envelope.toString('hex', 2, 2 + ID_BYTES),
    epoch: envelope.readUInt32BE(2 + ID_BYTES),
    messages,
  };
}

/** The id of the node that sent an envelope of any version that has it at its place; `undefined` for other bytes. */
export function senderOf(bytes: Uint8Array): string | undefined {
  if (bytes.byteLength < HEADER_BYTES || bytes[0] !== VERSION) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset + 2, ID_BYTES).toString('hex');
}
