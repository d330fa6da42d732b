import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';

const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.map', 'application/json'],
]);

// `ws:` and `wss:` are named because not every browser counts a WebSocket to the page's own host as 'self'.
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** Owns the list of the files that may be served: URL path → file. */
export class StaticFiles {
  readonly #files: ReadonlyMap<string, URL>;

  /** @param files URL path → file; `/` is an entry like any other. */
  constructor(files: ReadonlyMap<string, URL>) {
    this.#files = files;
  }

  /** Every file of one folder under its name, `index.html` also as `/`. */
  static async fromFolder(folder: URL): Promise<StaticFiles> {
    const files = new Map<string, URL>();
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isFile() && CONTENT_TYPES.has(extname(entry.name))) {
        files.set(`/${entry.name}`, new URL(encodeURIComponent(entry.name), folder));
      }
    }
    files.set('/', new URL('index.html', folder));
    return new StaticFiles(files);
  }

  /**
   * Answers a request for a file; resolves when the answer was handed over.
   *
   * A path is only ever looked up, never joined to a folder, so no path leads outside. 404 for what is not listed, 405 for
   * other methods than GET and HEAD, 304 when the browser's copy is current.
   */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendText(response, 405, 'Method not allowed', { allow: 'GET, HEAD' });
      return;
    }
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const file = this.#files.get(path);
    const content = file === undefined ? null : await readFile(file).catch(() => null);
    if (file === undefined || content === null) {
      sendText(response, 404, 'Not found');
      return;
    }
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
    const headers = { ...SECURITY_HEADERS, etag, 'cache-control': 'no-cache' };
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, headers).end();
      return;
    }
    const type = CONTENT_TYPES.get(extname(file.pathname)) ?? 'application/octet-stream';
    response.writeHead(200, { ...headers, 'content-type': type, 'content-length': content.length });
    response.end(request.method === 'HEAD' ? undefined : content);
  }
}

function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = `${text}\n`;
  response.writeHead(status, {
    ...SECURITY_HEADERS,
    ...headers,
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  // For HEAD, Node itself leaves the body out.
  response.end(body);
}
