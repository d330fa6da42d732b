import type { IncomingMessage } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { EngineOptions, EngineServer, EngineSocket } from './engine.js';
import { FramedSocket } from './framed-socket.js';
import { PlainSocket } from './plain-socket.js';

/**
 * Owns the `ws` server and its listeners on the HTTP server.
 *
 * `ws` parses, validates and answers the upgrade; it runs without a server of its own because the TCP socket of
 * each connection, which frames are written to, is handed out only with the `upgrade` event.
 */
export class WsEngine implements EngineServer {
  readonly raw: WebSocketServer;
  readonly #options: EngineOptions;
  readonly #maxPayload: number;
  #closed = false;

  constructor(options: EngineOptions) {
    const { httpServer, serverOptions, verifyClient, onError } = options;
    this.#options = options;
    this.raw = new WebSocketServer({
      ...serverOptions,
      server: undefined as never,
      noServer: true,
      verifyClient: verifyClient as never,
    });
    // In `ws` none is 0.
    this.#maxPayload = this.raw.options.maxPayload || Infinity;
    this.raw.on('error', onError);
    httpServer.on('upgrade', this.#onUpgrade);
    httpServer.on('error', this.#onHttpError);
    httpServer.on('listening', this.#onListening);
  }

  #onUpgrade = (request: IncomingMessage, duplex: Duplex, head: Buffer): void => {
    const net = duplex as NetSocket;
    this.raw.handleUpgrade(request, duplex, head, (ws) => {
      const socket = this.#engineSocket(ws, net, request);
      const isSeenByOthers = this.raw.emit('connection', ws, request);
      if (isSeenByOthers || this.#options.httpServer.listenerCount('upgrade') > 1) socket.holdRequest();
      this.#options.onConnection(socket);
    });
  };

  // compat: errors of the HTTP server (a port in use, say) surface as errors of the WebSocket server.
  #onHttpError = (error: Error): void => {
    this.raw.emit('error', error);
  };

  #onListening = (): void => {
    this.raw.emit('listening');
  };

  close(callback: (error?: Error) => void): void {
    if (!this.#closed) {
      this.#closed = true;
      const { httpServer } = this.#options;
      httpServer.off('upgrade', this.#onUpgrade);
      httpServer.off('listening', this.#onListening);
      httpServer.off('error', this.#onHttpError);
    }
    this.raw.close(callback);
  }

  #engineSocket(ws: WebSocket, net: NetSocket, request: IncomingMessage): EngineSocket {
    if (ws.extensions !== '') return new PlainSocket(ws, request);
    return new FramedSocket(ws, net, request, this.#maxPayload);
  }
}
