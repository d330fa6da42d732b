/**
 * The least of RFC 6455 that a hand-written server needs: the answer to an upgrade request, frames to clients, and messages of clients
 * that fit one frame. For the servers of the benchmark that are written by hand.
 */
import { createHash } from 'node:crypto';

const TEXT = 0x81;
const CLOSE = 8;

/**
 * The answer that opens a WebSocket.
 * @param {string} key the header `Sec-WebSocket-Key` of the request
 */
export function upgradeAnswer(key) {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/**
 * A text message as the bytes of one frame, not masked: the same for every client.
 * @param {string} text
 */
export function serverFrame(text) {
  const length = Buffer.byteLength(text);
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerLength + length);
  frame[0] = TEXT;
  if (headerLength === 2) frame[1] = length;
  else if (headerLength === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, headerLength);
  return frame;
}

/** Owns what one client has sent and what is not a whole message yet. */
export class MessageReader {
  #onText;
  #onEnd;
  /** @type {Buffer | undefined} */
  #rest;

  /**
   * @param {(text: string) => void} onText
   * @param {() => void} onEnd the client sent a close frame
   */
  constructor(onText, onEnd) {
    this.#onText = onText;
    this.#onEnd = onEnd;
  }

  /** @param {Buffer} chunk */
  read(chunk) {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let at = 0;
    while (bytes.length - at >= 6) {
      let length = bytes[at + 1] & 0x7f;
      let start = at + 6;
      if (length === 126) {
        if (bytes.length - at < 8) break;
        length = bytes.readUInt16BE(at + 2);
        start = at + 8;
      } else if (length === 127) {
        if (bytes.length - at < 14) break;
        length = Number(bytes.readBigUInt64BE(at + 2));
        start = at + 14;
      }
      const end = start + length;
      if (end > bytes.length) break;
      unmask(bytes, start, end);
      if ((bytes[at] & 15) === CLOSE) this.#onEnd();
      else this.#onText(bytes.toString('utf8', start, end));
      at = end;
    }
    if (at < bytes.length) this.#rest = Buffer.from(bytes.subarray(at));
  }
}

/** Removes the mask, whose four bytes precede `start`. */
function unmask(bytes, start, end) {
  const key = start - 4;
  for (let index = start; index < end; index += 1) bytes[index] ^= bytes[key + ((index - start) & 3)];
}
