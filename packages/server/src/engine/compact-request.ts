import { IncomingMessage } from 'node:http';
import type { Socket as NetSocket } from 'node:net';

/** Headers of which Node keeps only the first when they come twice (documentation of `message.headers`). */
const ONLY_ONCE: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent',
]);

/** The properties of a request that nobody has put anything on. */
let pristineKeys: Set<string> | undefined;

/**
 * The text of an upgrade request, from which {@link restoreRequest} makes it again; `undefined` when somebody put
 * properties of their own on it.
 *
 * An upgrade request takes 1.5 KB as Node holds it, most of it for headers that nobody looks at again; the text takes
 * a quarter of that. The lines of the text are the method, the path, the version, and names and values in turn.
 */
export function compactRequest(request: IncomingMessage): string | undefined {
  // The HTTP parser leaves a mark of its own.
  pristineKeys ??= new Set([...Object.keys(new IncomingMessage(request.socket)), 'parser']);
  for (const key of Object.keys(request)) if (!pristineKeys.has(key)) return undefined;
  // Only a parser that was told to be lenient lets one through.
  if (request.rawHeaders.some((text) => text.includes('\n'))) return undefined;
  return [request.method, request.url, request.httpVersion, ...request.rawHeaders].join('\n');
}

/** The request that {@link compactRequest} made the text of: a new object with the same fields. */
export function restoreRequest(text: string, net: NetSocket): IncomingMessage {
  const [method = '', url = '', httpVersion = '1.1', ...rawHeaders] = text.split('\n');
  const [major = 1, minor = 1] = httpVersion.split('.').map(Number);
  const request = new IncomingMessage(net);
  const headersDistinct = distinct(rawHeaders);
  return Object.assign(request, {
    method,
    url,
    httpVersion,
    httpVersionMajor: major,
    httpVersionMinor: minor,
    rawHeaders,
    headers: joined(headersDistinct),
    headersDistinct,
    upgrade: true,
    complete: true,
  });
}

function distinct(rawHeaders: readonly string[]): Record<string, string[]> {
  const headers = Object.create(null) as Record<string, string[]>;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    (headers[name] ??= []).push(rawHeaders[at + 1] as string);
  }
  return headers;
}

function joined(headersDistinct: Record<string, string[]>): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, values] of Object.entries(headersDistinct)) {
    let value: string | string[];
    if (name === 'set-cookie') value = values;
    else if (ONLY_ONCE.has(name)) value = values[0] as string;
    else value = values.join(name === 'cookie' ? '; ' : ', ');
    // Node leaves out what would become the prototype.
    if (name !== '__proto__') headers[name] = value;
  }
  return headers;
}
