/** What the client uses of a WebSocket; the native one of browsers and that of `ws` have it in common. */
export interface RawWebSocket {
  /** How binary messages are handed over. */
  binaryType: string;
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** Calls the listener at each `open`, `message`, `error` or `close`. */
  addEventListener(type: string, listener: (event: WebSocketEvent) => void): void;
  /** Sends one frame: a text for a string, a binary one for bytes. */
  send(data: string | ArrayBuffer | Uint8Array): void;
  /** Begins the closing handshake. */
  close(code?: number, reason?: string): void;
  /** Ends the connection at once; `ws` only. */
  terminate?(): void;
  /** Sends a ping frame; `ws` only. */
  ping?(): void;
  /** Registers for what is no event of the DOM; `ws` only. */
  on?(event: 'pong', listener: () => void): unknown;
}

/** The fields of the events of a WebSocket that the client reads. */
export interface WebSocketEvent {
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
  /** Why a connection failed; `ws` only. */
  readonly error?: unknown;
}

/** A class of WebSockets. The third argument holds the options of `ws`; browsers ignore it. */
export type WebSocketClass = new (uri: string, protocols: undefined, options?: object) => RawWebSocket;
