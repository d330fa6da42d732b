import type { IncomingMessage } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import type { WebSocket } from 'ws';
import { compactRequest, restoreRequest } from './compact-request.js';
import type { EngineSocket, EngineSocketHandlers, RawWebSocket, SharedMessage } from './engine.js';
import { flushAtEndOfTurn } from './flush-turn.js';
import { frameMessage } from './frame.js';
import { joinFrames } from './join-frames.js';
import { withoutStack } from './without-stack.js';

/** Held-back bytes at which a connection is flushed without waiting for the end of the turn. */
const EARLY_FLUSH_BYTES = 256 * 1024;
/** Frames of at least this many bytes on average are written side by side instead of being copied together. */
const JOIN_LIMIT_BYTES = 4 * 1024;

const OWNER: unique symbol = Symbol('FramedSocket');
type Owned<T> = T & { [OWNER]?: FramedSocket };

/** How far the stream of bytes had come when a write could not leave at once. */
interface WriteMark {
  readonly endsAt: number;
  readonly messages: number;
}

// The listeners are shared by all connections and find theirs by a symbol: no closure per connection.
function onRead(this: Owned<NetSocket>): void {
  const owner = this[OWNER];
  if (owner !== undefined) owner.reads += 1;
}
function onMessage(this: Owned<WebSocket>, data: Buffer, isBinary: boolean): void {
  this[OWNER]?.receive(data, isBinary);
}
function onError(this: Owned<WebSocket>, error: Error): void {
  this[OWNER]?.handlers?.onError(error);
}
function onClose(this: Owned<WebSocket>, code: number, reason: Buffer): void {
  this[OWNER]?.handlers?.onClose(code, reason.length === 0 ? '' : reason.toString());
}

/**
 * Owns a connection of `ws` on which no extension was negotiated: frames are built here (or shared with other
 * connections) and written to the TCP or TLS socket directly, at most one write per event-loop turn.
 *
 * Reading, control frames and the closing handshake stay with `ws`. Both sides write whole frames to the same
 * stream, so they never mix.
 */
export class FramedSocket implements EngineSocket {
  handlers: EngineSocketHandlers | undefined;
  bytesReceived = 0;
  reads = 0;
  readonly #ws: WebSocket;
  readonly #net: NetSocket;
  /** The request, or its text once nobody is expected to look at it. */
  #request: IncomingMessage | string;
  #isRequestHeld = false;
  #first: Buffer | undefined;
  #rest: Buffer[] | undefined;
  #heldBytes = 0;
  /** Whether every frame held back goes to other connections too. */
  #areAllShared = true;
  #marks: WriteMark[] | undefined;

  constructor(ws: WebSocket, net: NetSocket, request: IncomingMessage) {
    this.#ws = ws;
    this.#net = net;
    this.#request = request;
  }

  get raw(): RawWebSocket {
    return this.#ws;
  }

  get request(): IncomingMessage {
    if (typeof this.#request === 'string') this.#request = restoreRequest(this.#request, this.#net);
    return this.#request;
  }

  holdRequest(): void {
    this.#isRequestHeld = true;
  }

  releaseRequest(): void {
    if (this.#isRequestHeld || typeof this.#request === 'string') return;
    this.#request = compactRequest(this.#request) ?? this.#request;
  }

  get isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  get unsentBytes(): number {
    return this.#heldBytes + this.#net.writableLength;
  }

  get unsentMessages(): number {
    let messages = this.#first === undefined ? 0 : 1 + (this.#rest?.length ?? 0);
    this.#dropPassedMarks();
    if (this.#marks !== undefined) for (const mark of this.#marks) messages += mark.messages;
    return messages;
  }

  start(handlers: EngineSocketHandlers): void {
    this.handlers = handlers;
    const ws: Owned<WebSocket> = this.#ws;
    const net: Owned<NetSocket> = this.#net;
    ws[OWNER] = this;
    net[OWNER] = this;
    net.prependListener('data', onRead);
    ws.on('error', onError);
    ws.on('close', onClose);
    ws.on('message', onMessage);
  }

  receive(data: Buffer, isBinary: boolean): void {
    this.bytesReceived += data.length;
    this.handlers?.onMessage(isBinary ? data : data.toString());
  }

  send(payload: string | Uint8Array): void {
    this.#areAllShared = false;
    this.#hold(frameMessage(payload));
  }

  sendShared(message: SharedMessage): void {
    this.#hold(message.frame);
  }

  sendRaw(data: string | Uint8Array, options: object | undefined): void {
    if (options === undefined) {
      this.send(data);
      return;
    }
    this.flush();
    this.#ws.send(data, options, (error) => {
      if (error) this.handlers?.onSendError(error);
    });
  }

  #hold(frame: Buffer): void {
    if (!this.isOpen) {
      this.#refuse();
      return;
    }
    if (this.#first === undefined) {
      this.#first = frame;
      flushAtEndOfTurn(this);
    } else if (this.#rest === undefined) this.#rest = [frame];
    else this.#rest.push(frame);
    this.#heldBytes += frame.length;
    if (this.#heldBytes >= EARLY_FLUSH_BYTES) this.flush();
  }

  flush(): void {
    const first = this.#first;
    if (first === undefined) return;
    const rest = this.#rest;
    const bytes = this.#heldBytes;
    this.#first = undefined;
    this.#rest = undefined;
    this.#heldBytes = 0;
    // The peer began to close, or the connection broke, while the frames were held: `close` tells the rest.
    if (!this.isOpen) return;
    const net = this.#net;
    if (rest === undefined) net.write(first);
    else {
      rest.unshift(first);
      // Large frames of its own go side by side; copying pays when they are small, or when others need the same.
      if (this.#areAllShared || bytes < rest.length * JOIN_LIMIT_BYTES) net.write(joinFrames(rest, bytes));
      else {
        net.cork();
        for (const frame of rest) net.write(frame);
        net.uncork();
      }
    }
    this.#areAllShared = true;
    if (net.writableLength > 0) this.#mark(rest?.length ?? 1);
  }

  close(code: number, reason: string): void {
    this.flush();
    this.#ws.close(code, reason);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  /** Notes a write that the kernel did not take at once, so that the number of waiting messages stays true. */
  #mark(messages: number): void {
    this.#dropPassedMarks();
    (this.#marks ??= []).push({ endsAt: this.#net.bytesWritten, messages });
  }

  #dropPassedMarks(): void {
    const marks = this.#marks;
    if (marks === undefined) return;
    const gone = this.#net.bytesWritten - this.#net.writableLength;
    const kept = marks.findIndex((mark) => mark.endsAt > gone);
    if (kept === -1) this.#marks = undefined;
    else if (kept > 0) marks.splice(0, kept);
  }

  #refuse(): void {
    // The text of `ws` for the same case: applications match it.
    const states = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];
    const { readyState } = this.#ws;
    const message = `WebSocket is not open: readyState ${readyState} (${states[readyState] ?? ''})`;
    const error = withoutStack(() => new Error(message));
    queueMicrotask(() => this.handlers?.onSendError(error));
  }
}
