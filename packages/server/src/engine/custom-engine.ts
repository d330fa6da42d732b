import type { IncomingMessage } from 'node:http';
import type { EngineOptions, EngineServer, RawWebSocket } from './engine.js';
import { PlainSocket } from './plain-socket.js';

/** What the server asks of the `Server` of a WebSocket module given as `wsEngine`. */
export interface CustomWebSocketServer {
  /** Called with each accepted connection and its upgrade request. */
  on(event: 'connection', listener: (socket: RawWebSocket, request: IncomingMessage) => void): unknown;
  /** Called with what goes wrong in the server as a whole. */
  on(event: 'error', listener: (error: unknown) => void): unknown;
  /** Stops taking connections; calls back when done. */
  close(callback?: (error?: Error) => void): void;
}

/**
 * A module that can take the place of `ws` (option `wsEngine`).
 *
 * Its server is created with `{server, verifyClient, path, perMessageDeflate, handleProtocols, maxPayload,
 * clientTracking}`; it listens to the `upgrade` event of `server`, calls `verifyClient(info, verdict)` with the
 * same request that it passes to `connection`, and emits `connection(socket, request)` per accepted connection.
 * Sockets emit `message(data, isBinary)`, `close(code, reason)` and `error(error)`.
 */
export interface WebSocketModule {
  readonly Server: new (options: Record<string, unknown>) => CustomWebSocketServer;
}

/** Owns a WebSocket server made by a module other than `ws`; every message goes through the library's `send`. */
export class CustomEngine implements EngineServer {
  readonly raw: CustomWebSocketServer;

  constructor(module: WebSocketModule, options: EngineOptions) {
    this.raw = new module.Server({
      ...options.serverOptions,
      server: options.httpServer,
      verifyClient: options.verifyClient,
    });
    this.raw.on('error', options.onError);
    this.raw.on('connection', (socket, request) => {
      options.onConnection(new PlainSocket(socket, request ?? socket.upgradeReq));
    });
  }

  close(callback: (error?: Error) => void): void {
    this.raw.close(callback);
  }
}
