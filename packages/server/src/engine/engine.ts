import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Server as HttpsServer } from 'node:https';

/** The HTTP or HTTPS server that carries the upgrade requests. */
export type UpgradeServer = HttpServer | HttpsServer;

/** What an upgrade request is judged by, in the form `ws` hands it to `verifyClient`. */
export interface UpgradeInfo {
  /** The `Origin` header as sent; absent from clients that are no browsers. */
  readonly origin: string | undefined;
  /** Whether the request came over TLS. */
  readonly secure: boolean;
  readonly req: IncomingMessage;
}

/** Answers an upgrade request: `true`, or `false` with the HTTP status, body and headers of the refusal. */
export type UpgradeVerdict = (
  accepted: boolean,
  status?: number,
  message?: string,
  headers?: Record<string, string>,
) => void;

/** What the server asks of the object that a WebSocket library hands out per connection (`socket.socket`). */
export interface RawWebSocket {
  /** Registers a listener, as an `EventEmitter` does. */
  on(event: string, listener: (...args: never[]) => void): unknown;
  /** Sends one message; the callback gets an error when it could not be written. */
  send(data: string | Uint8Array, options?: object, callback?: (error?: Error | null) => void): void;
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void;
  /** Ends the connection at once. */
  terminate(): void;
  /** 1 while messages can be sent. A library without it is taken to be open until it says `close`. */
  readonly readyState?: number;
  /** The negotiated extensions, as in the response header. */
  readonly extensions?: string;
  readonly bufferedAmount?: number;
  /** Stops reading from the network, where the library can. Called with `resume()` only. */
  pause?(): void;
  /** Goes on reading. */
  resume?(): void;
  /** The upgrade request, where the library offers it here. */
  readonly upgradeReq?: IncomingMessage;
}

/** One message for many connections: encoded once, framed once. */
export interface SharedMessage {
  /** What the codec made of it. */
  readonly payload: string | Uint8Array;
  /** The complete unmasked WebSocket frame of the payload. Never written to. */
  readonly frame: Buffer;
}

/** Told what happens on a connection. No call comes before {@link EngineSocket.start}, none after `onClose`. */
export interface EngineSocketHandlers {
  /** One message: a string for a text frame, a Buffer for a binary one. */
  onMessage(data: string | Buffer): void;
  /** A ping or pong frame, which has been seen to. */
  onControl(): void;
  onError(error: Error): void;
  /** A message could not be handed to the connection; it is lost. */
  onSendError(error: Error): void;
  /**
   * Messages wait for the network, or some of them do so no more: called with every write that the network did not take
   * at once, and when what waited then has left, `unsentBytes` having the rest.
   */
  onUnsent(): void;
  onClose(code: number, reason: string): void;
}

/**
 * One connection, as the rest of the server sees it.
 *
 * Messages leave in the order of the calls, whichever of the send methods is used; they may be held back until
 * the end of the event-loop turn. `close()` and `flush()` let everything handed over before go first.
 */
export interface EngineSocket {
  /** The object of the WebSocket library. */
  readonly raw: RawWebSocket;
  /** The upgrade request the connection began with. The same object at each access only once it is held. */
  readonly request: IncomingMessage;
  /** Payload bytes received so far. */
  readonly bytesReceived: number;
  /** Messages handed over whose bytes have not left this process yet. */
  readonly unsentMessages: number;
  /** Bytes handed over that have not left this process yet. */
  readonly unsentBytes: number;
  /** Of the `unsentMessages`, those held back until the end of the event-loop turn. */
  readonly heldMessages: number;
  /** Their bytes. */
  readonly heldBytes: number;
  /** When the oldest message that waits for the network was handed over, as {@link turnMs}; `undefined` for none. */
  readonly unsentSince: number | undefined;
  /** Another value each time the network has taken something. */
  readonly progress: string;
  /**
   * Counts reads from the network; messages that came with one read are reported in one go, without a microtask in
   * between, and show the same number. `undefined` when the engine cannot tell.
   */
  readonly reads: number | undefined;
  /** Whether a message handed over now can still be sent. */
  readonly isOpen: boolean;
  /** Begins to report to the handlers. Called once, before anything can arrive. */
  start(handlers: EngineSocketHandlers): void;
  /** Somebody else has seen the request: it stays as it is, with what they may put on it. */
  holdRequest(): void;
  /** Nobody may need the request any more: it can be kept in another form, unless it is held. */
  releaseRequest(): void;
  /** Sends an encoded payload: text for a string, binary for bytes. */
  send(payload: string | Uint8Array): void;
  /** Sends a message that goes to other connections too. */
  sendShared(message: SharedMessage): void;
  /** Hands the data to the library's own `send` with its options, behind everything sent before. */
  sendRaw(data: string | Uint8Array, options: object | undefined): void;
  /** Writes what is held back. */
  flush(): void;
  /** Starts the closing handshake, behind everything sent before. */
  close(code: number, reason: string): void;
  /**
   * Stops taking from the network, so that the client has to wait: what it has sent fills the buffers on the way, and
   * then its own. Messages that were read before may still be reported.
   */
  pause(): void;
  /** Goes on taking. */
  resume(): void;
  /** Ends the connection at once. */
  terminate(): void;
  /** As `terminate()`, and what has not arrived at the client yet is dropped too: nothing of the connection is left. */
  reset(): void;
}

/** What the server tells its engine when it creates it. */
export interface EngineOptions {
  readonly httpServer: UpgradeServer;
  /** Options for the library's `Server`, complete but for `server` and `verifyClient`. */
  readonly serverOptions: Readonly<Record<string, unknown>>;
  /** Called once per upgrade request that is well-formed and meant for us; answered exactly once. */
  readonly verifyClient: (info: UpgradeInfo, verdict: UpgradeVerdict) => void;
  /** Called with each accepted connection, before anything of it is read. */
  readonly onConnection: (socket: EngineSocket) => void;
  readonly onError: (error: unknown) => void;
}

/** A running WebSocket engine, attached to the HTTP server. */
export interface EngineServer {
  /** The library's own server object (`server.wsServer`). */
  readonly raw: unknown;
  /**
   * Takes the engine off the HTTP server: further upgrade requests are not answered here. Open connections
   * stay. The callback is called once that is done, with an error when it had been done before.
   */
  close(callback: (error?: Error) => void): void;
}
