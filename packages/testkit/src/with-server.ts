import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AGServer, AGServerSocket } from '@socketcluster-ts/server';
import { afterTest } from './after-test.js';
import { consume } from './consume.js';
import { withDeadline } from './deadline.js';
import { EventLog } from './event-log.js';
import { serverModule } from './server-under-test.js';
import { WireClient, type WireClientOptions } from './wire-client.js';

/** The options that an `AGServer` is constructed with. */
export type ServerOptions = NonNullable<ConstructorParameters<typeof AGServer>[0]>;

/** How to start a server, apart from its own options. */
export interface StartOptions {
  /** The HTTP server to attach to; it is made to listen, and closed after the test. */
  readonly http?: HttpServer;
}

/** A client that completed its handshake, and the server's socket of the same connection. */
export interface Connected {
  readonly client: WireClient;
  readonly socket: AGServerSocket;
}

/** A server of one test. */
export interface StartedServer extends AsyncDisposable {
  readonly server: AGServer;
  readonly httpServer: HttpServer;
  readonly port: number;
  /** Where clients connect: `ws://127.0.0.1:<port><path>`. */
  readonly url: string;
  /** The server's 'error' and 'warning' events since its construction. */
  readonly log: EventLog;
  /** Every `error` of the server's 'error' events, in order; grows as they come. */
  readonly errors: readonly unknown[];
  /** Every `warning` of the server's 'warning' events, in order; grows as they come. */
  readonly warnings: readonly unknown[];
  /** Resolves with the first warning, past or to come, that meets `predicate`. */
  warning(predicate?: (warning: { name: string; message: string }) => boolean): Promise<Error>;
  /** Opens a raw connection without `#handshake`. */
  connect(options?: WireClientOptions): Promise<WireClient>;
  /** Opens a connection, completes the handshake and finds the server's socket of it. */
  open(options?: WireClientOptions & { authToken?: string | null }): Promise<Connected>;
  /** Signs a token of these claims with the server's current key; no expiry is added. */
  sign(claims: Record<string, unknown>): Promise<string>;
  /** Closes the server and its HTTP server; the second call does nothing. */
  close(): Promise<void>;
}

/**
 * Starts a fresh server on a free port of 127.0.0.1 and closes it when the current test is over.
 *
 * Which server: see {@link serverModule}.
 */
export async function startServer(
  options: ServerOptions = {},
  start: StartOptions = {},
): Promise<StartedServer> {
  const httpServer = start.http ?? createServer();
  const server = serverModule.attach(httpServer, { ...options });
  const log = new EventLog().record(server, ['error', 'warning']);
  const errors: unknown[] = [];
  const warnings: unknown[] = [];
  void consume(server.listener('error'), ({ error }) => errors.push(error));
  void consume(server.listener('warning'), ({ warning }) => warnings.push(warning));
  await withDeadline(
    new Promise<void>((resolve) => {
      httpServer.listen(0, '127.0.0.1', resolve);
    }),
    'the HTTP server to listen',
  );
  const { port } = httpServer.address() as AddressInfo;
  const url = `ws://127.0.0.1:${port}${options.path ?? '/socketcluster/'}`;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= shutDown(server, httpServer));
  afterTest(close);

  return {
    server,
    httpServer,
    port,
    url,
    log,
    errors,
    warnings,
    async warning(predicate = () => true) {
      const found = await log.first('warning', (payload) => {
        const value = payload['warning'];
        return typeof value === 'object' && value !== null && predicate(value as Error);
      });
      return found['warning'] as Error;
    },
    connect: (clientOptions) => WireClient.connect(url, { ...protocolOf(options), ...clientOptions }),
    async open({ authToken, ...clientOptions } = {}) {
      const client = await WireClient.connect(url, { ...protocolOf(options), ...clientOptions });
      await client.handshake(authToken);
      const socket = server.clients[client.id];
      if (socket === undefined)
        throw new Error(`The server has no client '${client.id}' after its handshake`);
      return { client, socket };
    },
    async sign(claims) {
      const { auth } = server;
      if (auth.signToken === undefined) throw new Error('The auth engine of this server cannot sign');
      return auth.signToken(claims, server.signatureKey);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function protocolOf(options: ServerOptions): WireClientOptions {
  return options.protocolVersion === 1 ? { protocolVersion: 1 } : {};
}

async function shutDown(server: AGServer, httpServer: HttpServer): Promise<void> {
  // A test may have closed either of the two itself: closing again then fails, which is no fault of the test.
  await server.close().catch(() => {});
  httpServer.closeAllConnections();
  if (!httpServer.listening) return;
  await new Promise<void>((resolve) => {
    httpServer.close(() => {
      resolve();
    });
  });
}
