import type { IncomingMessage } from 'node:http';
import type { EngineSocket, EngineSocketHandlers, RawWebSocket, SharedMessage } from './engine.js';
import { networkProgress } from './network-progress.js';
import { resetConnection } from './reset-connection.js';
import { turnMs } from './turn-clock.js';

const OPEN = 1;

/**
 * Owns a connection of a WebSocket library that is only known by its public methods: any module given as
 * `wsEngine`, and connections that negotiated an extension (compressed bytes must go through the library, or
 * they would be overtaken by ours).
 */
export class PlainSocket implements EngineSocket {
  readonly raw: RawWebSocket;
  readonly request: IncomingMessage;
  readonly reads = undefined;
  readonly heldMessages = 0;
  readonly heldBytes = 0;
  bytesReceived = 0;
  unsentMessages = 0;
  unsentSince: number | undefined;
  /** Bytes of the `unsentMessages`, for a library that does not count them. */
  #pendingBytes = 0;
  /** Messages that the library has said to be sent. */
  #sent = 0;
  /** Whether something was waiting for the network when that was reported last. */
  #isBehind = false;
  #handlers: EngineSocketHandlers | undefined;
  #closed = false;

  constructor(raw: RawWebSocket, request: IncomingMessage) {
    this.raw = raw;
    this.request = request;
  }

  get unsentBytes(): number {
    return this.raw.bufferedAmount ?? this.#pendingBytes;
  }

  get progress(): string {
    return `${this.#sent} ${networkProgress(this.request?.socket)}`;
  }

  get isOpen(): boolean {
    return !this.#closed && (this.raw.readyState ?? OPEN) === OPEN;
  }

  start(handlers: EngineSocketHandlers): void {
    this.#handlers = handlers;
    const on = this.raw.on.bind(this.raw) as (event: string, listener: (...args: unknown[]) => void) => void;
    on('error', (error) => handlers.onError(error as Error));
    on('close', (code, reason) => {
      if (this.#closed) return;
      this.#closed = true;
      handlers.onClose(typeof code === 'number' ? code : 1006, reason === undefined ? '' : String(reason));
    });
    // The library answers by itself, and a client may send them without reading.
    on('ping', () => {
      this.#reportUnsent();
      handlers.onControl();
    });
    on('pong', () => handlers.onControl());
    on('message', (data, isBinary) => {
      if (this.#closed) return;
      const message = toMessage(data, isBinary === true);
      this.bytesReceived += typeof message === 'string' ? Buffer.byteLength(message) : message.length;
      handlers.onMessage(message);
    });
  }

  holdRequest(): void {}

  releaseRequest(): void {}

  send(payload: string | Uint8Array): void {
    this.sendRaw(payload, undefined);
  }

  sendShared(message: SharedMessage): void {
    this.sendRaw(message.payload, undefined);
  }

  sendRaw(data: string | Uint8Array, options: object | undefined): void {
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
    const settle = (): void => {
      this.unsentMessages -= 1;
      this.#pendingBytes -= bytes;
      this.#sent += 1;
      // Those before the message are gone, and those behind it came later; more is not remembered.
      this.unsentSince = this.unsentMessages === 0 ? undefined : since;
    };
    const since = turnMs();
    this.unsentMessages += 1;
    this.#pendingBytes += bytes;
    this.unsentSince ??= since;
    try {
      this.raw.send(data, options, (error) => {
        settle();
        if (error) this.#handlers?.onSendError(error);
        else if (this.#isBehind) this.#reportUnsent();
      });
      if (this.unsentMessages > 0) this.#reportUnsent();
    } catch (error) {
      settle();
      // Some libraries throw where others call back; either way the caller goes on and hears of it later.
      queueMicrotask(() => this.#handlers?.onSendError(error as Error));
    }
  }

  flush(): void {}

  close(code: number, reason: string): void {
    this.raw.close(code, reason);
  }

  pause(): void {
    if (this.#canPause) this.raw.pause?.();
  }

  resume(): void {
    if (this.#canPause) this.raw.resume?.();
  }

  get #canPause(): boolean {
    return typeof this.raw.pause === 'function' && typeof this.raw.resume === 'function';
  }

  terminate(): void {
    this.raw.terminate();
  }

  reset(): void {
    resetConnection(this.request?.socket);
    this.raw.terminate();
  }

  #reportUnsent(): void {
    const isBehind = this.unsentBytes > 0;
    if (this.#closed || (!isBehind && !this.#isBehind)) return;
    this.#isBehind = isBehind;
    this.#handlers?.onUnsent();
  }
}

/** A frame as the rest of the server knows it, from what `ws` and its look-alikes hand out. */
function toMessage(data: unknown, isBinary: boolean): string | Buffer {
  if (typeof data === 'string') return data;
  let bytes: Buffer;
  if (Buffer.isBuffer(data)) bytes = data;
  else if (data instanceof ArrayBuffer) bytes = Buffer.from(data);
  else if (ArrayBuffer.isView(data)) bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  else if (Array.isArray(data)) bytes = Buffer.concat(data as Uint8Array[]);
  else return String(data);
  return isBinary ? bytes : bytes.toString();
}
