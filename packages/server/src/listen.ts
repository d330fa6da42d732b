import { createServer, type ServerOptions as ServerOptionsOfHttp } from 'node:http';
import type { AnyContract, Untyped } from '@socketcluster-ts/core';
import type { UpgradeServer } from './engine/engine.js';
import { AGServer } from './server.js';
import type { ServerOptions } from './server-options.js';

/**
 * Attaches a new server to an HTTP or HTTPS server, which goes on to serve its own requests. The options are not
 * changed.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { attach } from '@socketcluster-ts/server';
 *
 * const httpServer = createServer();
 * const server = attach(httpServer);
 * httpServer.listen(8000);
 *
 * for await (const { socket } of server.listener('connection')) {
 *   for await (const request of socket.procedure<[number, number]>('add')) {
 *     request.end(request.data[0] + request.data[1]);
 *   }
 * }
 * ```
 * @throws {InvalidOptionsError} that names the option, what was given and what is allowed
 */
export function attach<C extends AnyContract = Untyped>(
  httpServer: UpgradeServer,
  options?: ServerOptions<C> | null,
): AGServer<C> {
  return new AGServer<C>({ ...options, httpServer });
}

/** A request has to be there in this time, so that nobody holds a connection by being slow. */
const HTTP_LIMITS: ServerOptionsOfHttp = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 2000,
  maxHeaderSize: 16 * 1024,
};

/**
 * Creates an HTTP server that answers every ordinary request with 501, attaches a new server to it and listens on the
 * port. A port that cannot be had is an `error` event of the server.
 *
 * Its headers have to be there within 10 s (408) and take 16 KiB at most (431).
 *
 * @throws {InvalidOptionsError} that names the option, what was given and what is allowed
 */
export function listen<C extends AnyContract = Untyped>(port: number, onListening: () => void): AGServer<C>;
export function listen<C extends AnyContract = Untyped>(
  port: number,
  options?: ServerOptions<C> | null,
  onListening?: () => void,
): AGServer<C>;
export function listen<C extends AnyContract = Untyped>(
  port: number,
  options?: ServerOptions<C> | null | (() => void),
  onListening?: () => void,
): AGServer<C> {
  if (typeof options === 'function') return listen<C>(port, {}, options);
  const httpServer = createServer(HTTP_LIMITS, (_request, response) => {
    response.writeHead(501, { 'Content-Type': 'text/plain' });
    response.end('Not Implemented');
  });
  const server = attach(httpServer, options);
  server.listenPort = port;
  httpServer.listen(port, onListening);
  return server;
}
