import { hash } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket as NetSocket } from 'node:net';

const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** What has to be known of a plain upgrade request to answer it. */
export interface PlainUpgrade {
  readonly key: string;
  readonly origin: string | undefined;
}

/**
 * Reads an upgrade request that asks for nothing but a WebSocket (RFC 6455, 4.2.1): `undefined` for one that is not
 * well-formed, asks for a subprotocol, or for an extension that may be granted.
 *
 * It reads the list of headers as it came. Node makes a record of them when `headers` is asked for, which takes as
 * long as the rest of the answer, and nobody else may ever ask.
 */
export function readPlainUpgrade(
  { method, rawHeaders }: IncomingMessage,
  mayExtend: boolean,
): PlainUpgrade | undefined {
  if (method !== 'GET') return undefined;
  let key: string | undefined;
  let origin: string | undefined;
  let version: string | undefined;
  let upgrade: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    const value = rawHeaders[at + 1] as string;
    switch (name.toLowerCase()) {
      case 'upgrade':
        if (upgrade !== undefined) return undefined;
        upgrade = value;
        break;
      case 'sec-websocket-key':
        if (key !== undefined) return undefined;
        key = value;
        break;
      case 'sec-websocket-version':
        if (version !== undefined) return undefined;
        version = value;
        break;
      case 'origin':
        if (origin !== undefined) return undefined;
        origin = value;
        break;
      case 'sec-websocket-protocol':
        return undefined;
      case 'sec-websocket-extensions':
        if (mayExtend) return undefined;
        break;
      default:
    }
  }
  if (key === undefined || !KEY.test(key) || version !== '13') return undefined;
  if (upgrade?.toLowerCase() !== 'websocket') return undefined;
  return { key, origin };
}

/** Answers a plain upgrade request: what follows are frames, of which `head` are the first bytes. */
export function acceptUpgrade(net: NetSocket, key: string, head: Buffer): void {
  const accept = hash('sha1', key + ACCEPT_SUFFIX, 'base64');
  net.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    'latin1',
  );
  // What the HTTP server may have set for requests.
  if (net.timeout) net.setTimeout(0);
  net.setNoDelay();
  if (head.length > 0) net.unshift(head);
}

/** Answers an upgrade request with an HTTP error, its text as the body, and ends the connection. */
export function refuseUpgrade(
  net: NetSocket,
  status: number,
  message: string = STATUS_CODES[status] ?? '',
  headers: Readonly<Record<string, string>> = {},
): void {
  const lines = Object.entries({
    Connection: 'close',
    'Content-Type': 'text/html',
    'Content-Length': Buffer.byteLength(message),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  net.once('finish', () => net.destroy());
  net.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${message}`);
}
