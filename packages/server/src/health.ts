import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * How a server is: `'starting'` until its broker is ready, `'overloaded'` while its event loop is late for long,
 * `'degraded'` while its broker is cut off from the other nodes, `'draining'` from `drain()` on, `'closed'` from `close()`
 * on, and `'ready'` otherwise.
 */
export type ServerStatus = 'starting' | 'ready' | 'degraded' | 'overloaded' | 'draining' | 'closed';

/**
 * A handler for HTTP requests that tells a balancer whether new connections are welcome: 200 while the server is ready
 * or degraded, else 503, with `{"status": …, "clients": …}` as JSON. Who is connected is served in any case, so this is a
 * check of readiness; a process that answers it is alive. A degraded server takes connections because the other nodes are
 * probably degraded, too.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { attach, healthHandler } from '@socketcluster-ts/server';
 *
 * const httpServer = createServer((request, response) => {
 *   if (request.url === '/health') health(request, response);
 *   else response.writeHead(404).end();
 * });
 * const server = attach(httpServer);
 * const health = healthHandler(server);
 * ```
 */
export function healthHandler(server: {
  readonly status: ServerStatus;
  readonly clientsCount: number;
}): (request: IncomingMessage, response: ServerResponse) => void {
  return (_request, response) => {
    const { status, clientsCount: clients } = server;
    const body = JSON.stringify({ status, clients });
    response.writeHead(status === 'ready' || status === 'degraded' ? 200 : 503, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
    });
    // Node leaves the body out of the answer to a HEAD request.
    response.end(body);
  };
}
