import type { IncomingMessage } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { acceptUpgrade, type PlainUpgrade, readPlainUpgrade, refuseUpgrade } from './accept-upgrade.js';
import { ConnectionAdopter } from './adopt-connection.js';
import type { EngineOptions, EngineServer } from './engine.js';
import { FramedSocket, type FramedSocketSettings } from './framed-socket.js';
import { PlainSocket } from './plain-socket.js';

const UNAUTHORIZED = 401;
const SERVICE_UNAVAILABLE = 503;

/**
 * Owns the `ws` server and its listeners on the HTTP server.
 *
 * An upgrade request that asks for nothing special, and that nobody else may want to see, is answered here: its
 * connection has no object of `ws` until one is needed, which halves what an idle connection holds. All others go to
 * `ws`: compression, subprotocols, malformed requests, and servers whose owner listens to the events of `ws`.
 */
export class WsEngine implements EngineServer {
  readonly raw: WebSocketServer;
  readonly #options: EngineOptions;
  readonly #settings: FramedSocketSettings;
  /** Whether the options leave nothing for `ws` to do with each connection. */
  readonly #mayServeAlone: boolean;
  #closed = false;
  /** The objects of `ws` that have a socket. */
  readonly #claimed = new WeakSet<WebSocket>();

  constructor(options: EngineOptions) {
    const { httpServer, serverOptions, verifyClient, onError } = options;
    this.#options = options;
    this.raw = new WebSocketServer({
      ...serverOptions,
      server: undefined as never,
      noServer: true,
      verifyClient: verifyClient as never,
    });
    const { clientTracking, maxPayload, WebSocket: Class } = this.raw.options;
    // In `ws` no limit is 0.
    this.#settings = { adopter: new ConnectionAdopter(this.raw.options), maxPayload: maxPayload || Infinity };
    this.#mayServeAlone = clientTracking === false && (Class as unknown) === WebSocket;
    this.raw.on('error', onError);
    this.raw.on('connection', this.#onConnection);
    httpServer.on('upgrade', this.#onUpgrade);
    httpServer.on('error', this.#onHttpError);
    httpServer.on('listening', this.#onListening);
  }

  #onUpgrade = (request: IncomingMessage, duplex: Duplex, head: Buffer): void => {
    const net = duplex as NetSocket;
    const upgrade = this.#mustUseLibrary()
      ? undefined
      : readPlainUpgrade(request, Boolean(this.raw.options.perMessageDeflate));
    if (upgrade === undefined || !this.raw.shouldHandle(request)) this.#passToLibrary(request, net, head);
    else this.#judge(upgrade, request, net, head);
  };

  /** Whether somebody may see the objects of `ws`, or has replaced how they are made. */
  #mustUseLibrary(): boolean {
    const { raw } = this;
    return (
      !this.#mayServeAlone ||
      this.#isSeenByOthers ||
      raw.listenerCount('headers') > 0 ||
      this.#options.httpServer.listenerCount('upgrade') > 1 ||
      raw.handleUpgrade !== WebSocketServer.prototype.handleUpgrade
    );
  }

  #passToLibrary(request: IncomingMessage, net: NetSocket, head: Buffer): void {
    this.raw.handleUpgrade(request, net, head, (ws) => {
      const serve = this.#claim(ws, request);
      try {
        this.raw.emit('connection', ws, request);
      } finally {
        serve?.();
      }
    });
  }

  /** compat: an application that has `ws` answer an upgrade by itself emits the event for it. */
  #onConnection = (ws: WebSocket, request: IncomingMessage): void => {
    // It may have closed before.
    if (ws.readyState === ws.OPEN) this.#claim(ws, request)?.();
  };

  /** What makes a socket of an object of `ws`; `undefined` when that has been done. */
  #claim(ws: WebSocket, request: IncomingMessage): (() => void) | undefined {
    if (this.#claimed.has(ws)) return undefined;
    this.#claimed.add(ws);
    const socket = this.#socketOf(ws, request);
    return () => this.#options.onConnection(socket);
  }

  /** Whether somebody else listens to the connections of `ws`. */
  get #isSeenByOthers(): boolean {
    return this.raw.listenerCount('connection') > 1;
  }

  #socketOf(ws: WebSocket, request: IncomingMessage): FramedSocket | PlainSocket {
    const isCompressed = ws.extensions !== '';
    const socket = isCompressed
      ? new PlainSocket(ws, request)
      : new FramedSocket(request.socket, request, this.#settings, ws);
    if (this.#isSeenByOthers || this.#options.httpServer.listenerCount('upgrade') > 1) socket.holdRequest();
    return socket;
  }

  #judge({ key, origin }: PlainUpgrade, request: IncomingMessage, net: NetSocket, head: Buffer): void {
    // From here on, whoever comes after: a connection that fails while nobody listens would end the process.
    net.on('error', destroy);
    const info = { origin, secure: 'encrypted' in net, req: request };
    this.#options.verifyClient(info, (isAccepted, status = UNAUTHORIZED, message, headers) => {
      if (!isAccepted) refuseUpgrade(net, status, message, headers);
      else if (this.#closed) refuseUpgrade(net, SERVICE_UNAVAILABLE);
      else if (!net.readable || !net.writable) net.destroy();
      else {
        acceptUpgrade(net, key, head);
        this.#options.onConnection(new FramedSocket(net, request, this.#settings, undefined));
      }
    });
  }

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
}

function destroy(this: NetSocket): void {
  this.destroy();
}
