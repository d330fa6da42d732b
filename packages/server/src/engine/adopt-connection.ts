import type { IncomingMessage } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

/** What `ws` looks at in an upgrade request; the one that a connection really began with was judged before. */
const REQUEST = {
  method: 'GET',
  url: '/',
  headers: {
    upgrade: 'websocket',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-version': '13',
  },
} as unknown as IncomingMessage;

/** The default of `ws`. */
const CLOSE_TIMEOUT_MS = 30_000;

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Owns a server of the library `ws` that makes its objects for connections which were opened without it, with the
 * options of the engine.
 */
export class ConnectionAdopter {
  /** How long a connection that is closing may take before it is cut, in ms. */
  readonly closeTimeoutMs: number;
  readonly #server: WebSocketServer;

  constructor(options: WebSocketServer['options']) {
    const { closeTimeout = CLOSE_TIMEOUT_MS } = options as { closeTimeout?: number };
    this.closeTimeoutMs = closeTimeout;
    this.#server = new WebSocketServer({
      ...options,
      noServer: true,
      server: undefined as never,
      verifyClient: undefined as never,
      handleProtocols: undefined as never,
      path: undefined as never,
      perMessageDeflate: false,
    });
  }

  /**
   * The object of `ws` for an open connection; from now on it listens to it. `undefined` when the connection has ended
   * meanwhile. Nothing is written: the client has had its answer.
   */
  adopt(net: NetSocket): WebSocket | undefined {
    let adopted: WebSocket | undefined;
    // The public door of `ws` answers the request. Shadowing the method for the call keeps the answer back. It is put
    // back rather than deleted: an object that lost a property is slow in all it does.
    const { write } = net; // oxlint-disable-line typescript/unbound-method -- put back as it was, not called
    net.write = () => true;
    try {
      this.#server.handleUpgrade(REQUEST, net, NOTHING, (ws) => (adopted = ws));
    } finally {
      net.write = write;
    }
    return adopted;
  }

  /** An object of `ws` that is being closed, and closed in the next turn. */
  closed(): WebSocket {
    let adopted: WebSocket | undefined;
    const nowhere = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    this.#server.handleUpgrade(REQUEST, nowhere, NOTHING, (ws) => (adopted = ws));
    const ws = adopted as unknown as WebSocket;
    ws.terminate();
    return ws;
  }
}
