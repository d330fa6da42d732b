import type { IncomingMessage } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import { CLOSE_CODES } from '@socketcluster-ts/core';
import type { WebSocket } from 'ws';
import type { ConnectionAdopter } from './adopt-connection.js';
import { type Close, closeAnswer, parseClose } from './close-frame.js';
import { compactRequest, restoreRequest } from './compact-request.js';
import { canWriteDirectly, writeDirectly } from './direct-write.js';
import type { EngineSocket, EngineSocketHandlers, RawWebSocket, SharedMessage } from './engine.js';
import { flushAtEndOfTurn } from './flush-turn.js';
import { frameMessage, frameText } from './frame.js';
import { FrameReader, type FrameSink } from './frame-reader.js';
import { joinFrames } from './join-frames.js';
import { networkProgress } from './network-progress.js';
import { notOpenError } from './not-open-error.js';
import { resetConnection } from './reset-connection.js';
import { type ConnectionOwner, listenTo, readFrom, stopReading } from './shared-listeners.js';
import { UnsentWrites } from './unsent-writes.js';

/** Held-back bytes at which a connection is flushed without waiting for the end of the turn. */
const EARLY_FLUSH_BYTES = 256 * 1024;
/** Frames of at least this many bytes on average are written side by side instead of being copied together. */
const JOIN_LIMIT_BYTES = 4 * 1024;
/** Texts up to this length are held back as text: longer ones are better off as bytes from the start. */
const LONGEST_HELD_TEXT = 4 * 1024;

/** How a connection ended that just broke. */
const HUNG_UP: Close = { code: CLOSE_CODES.HUNG_UP, reason: '' };

/** What all connections of an engine have in common. */
export interface FramedSocketSettings {
  readonly adopter: ConnectionAdopter;
  /** In bytes; larger messages are for `ws` to refuse. */
  readonly maxPayload: number;
}

/**
 * Owns a connection on which no extension was negotiated: frames are built here (or shared with other connections) and
 * written to the TCP or TLS socket directly, at most one write per event-loop turn. What clients send in one frame is
 * read here too.
 *
 * Everything else about the protocol, such as control frames, fragments, violations and the closing handshake, is left
 * to `ws`, whose object is made when the first of these comes up or somebody asks for it: it is a quarter of what a
 * connection holds, and most never need it. Both sides write whole frames to the same stream, so they never mix.
 */
export class FramedSocket implements EngineSocket, FrameSink, ConnectionOwner {
  handlers: EngineSocketHandlers | undefined;
  bytesReceived = 0;
  reads = 0;
  readonly #net: NetSocket;
  readonly #adopter: ConnectionAdopter;
  #ws: WebSocket | undefined;
  /** Without `ws`: nothing can be sent any more. */
  #isOver = false;
  /** Without `ws`: what the peer said when it closed. */
  #close: Close | undefined;
  /** The request, or its text once nobody is expected to look at it. */
  #request: IncomingMessage | string;
  #isRequestHeld = false;
  readonly #reader: FrameReader;
  /** The listener by which `ws` reads. */
  #passOn: ((chunk: Buffer) => void) | undefined;
  /** Frames that are held back, in order; behind them the `#text`. */
  #first: Buffer | undefined;
  #rest: Buffer[] | undefined;
  /** Frames whose bytes are the characters of this text. */
  #text = '';
  heldBytes = 0;
  heldMessages = 0;
  /** Whether every frame held back goes to other connections too. */
  #areAllShared = true;
  #unsent: UnsentWrites | undefined;
  /** Whether the queue of the stream is known to be empty, and nobody else writes to it. */
  #isClear = false;
  #isPaused = false;
  /** Whether another piece of what has been read follows without a pause. */
  #isMoreBuffered = false;

  /** `ws` is its object of the library, if that has opened the connection. */
  constructor(
    net: NetSocket,
    request: IncomingMessage,
    { adopter, maxPayload }: FramedSocketSettings,
    ws: WebSocket | undefined,
  ) {
    this.#net = net;
    this.#request = request;
    this.#adopter = adopter;
    this.#reader = new FrameReader(this, maxPayload);
    if (ws !== undefined) this.#use(ws);
  }

  get raw(): RawWebSocket {
    return this.#library() ?? (this.#ws = this.#adopter.closed());
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
    return this.#ws === undefined ? !this.#isOver : this.#ws.readyState === this.#ws.OPEN;
  }

  get unsentBytes(): number {
    return this.heldBytes + this.#writtenBytes;
  }

  get unsentSince(): number | undefined {
    return this.#unsent?.since(this.#goneBytes);
  }

  get progress(): string {
    return networkProgress(this.#net, this.#goneBytes);
  }

  get unsentMessages(): number {
    return this.heldMessages + (this.#unsent?.messages(this.#goneBytes) ?? 0);
  }

  get #goneBytes(): number {
    return this.#net.bytesWritten - this.#writtenBytes;
  }

  /** Bytes that were written and have not left. */
  get #writtenBytes(): number {
    return this.#net.writableLength + (this.#unsent?.directBytes ?? 0);
  }

  start(handlers: EngineSocketHandlers): void {
    this.handlers = handlers;
    readFrom(this.#net, this, this.#ws === undefined);
  }

  /** The object of `ws`, made now if there is none; `undefined` when the connection has ended without one. */
  #library(): WebSocket | undefined {
    if (this.#ws === undefined && !this.#isOver) {
      const ws = this.#adopter.adopt(this.#net);
      if (ws !== undefined) this.#use(ws);
    }
    return this.#ws;
  }

  /** Has an object of `ws` see to everything but what the reader takes. */
  #use(ws: WebSocket): void {
    const net = this.#net;
    this.#ws = ws;
    this.#isClear = false;
    // The one it has just added.
    this.#passOn = net.listeners('data').at(-1) as (chunk: Buffer) => void;
    net.off('data', this.#passOn);
    listenTo(ws, net, this);
    // It would go on reading by itself.
    if (this.#isPaused) ws.pause();
  }

  pause(): void {
    this.#isPaused = true;
    if (this.#ws === undefined) this.#net.pause();
    else this.#ws.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#ws === undefined) this.#net.resume();
    else this.#ws.resume();
  }

  /** Without `ws`: the peer has ended the stream, without a close frame. */
  endWithPeer(): void {
    this.#isOver = true;
    this.#net.end();
    this.#cutInTime();
  }

  /** Without `ws`: a peer that does not end the stream, or does not read to its end, must not hold the connection. */
  #cutInTime(): void {
    const net = this.#net;
    const timer = setTimeout(() => this.reset(), this.#adopter.closeTimeoutMs);
    net.once('close', () => clearTimeout(timer));
  }

  /** Without `ws`: the connection is gone. */
  endWithoutLibrary(): void {
    this.#isOver = true;
    const { code, reason } = this.#close ?? HUNG_UP;
    this.handlers?.onClose(code, reason);
  }

  onCloseFrame(payload: Buffer): boolean {
    const close = parseClose(payload);
    if (this.#ws !== undefined || close === undefined) return false;
    this.#close = close;
    this.#isOver = true;
    this.#net.end(closeAnswer(payload));
    this.#cutInTime();
    return true;
  }

  read(chunk: Buffer): void {
    // Nothing counts behind a close frame.
    if (this.#close !== undefined) return;
    // What piled up during a pause comes in several pieces, without a microtask in between.
    if (!this.#isMoreBuffered) this.reads += 1;
    this.#isMoreBuffered = this.#net.readableLength > 0;
    this.#reader.read(chunk);
  }

  passOn(bytes: Buffer): void {
    if (this.#library() !== undefined) this.#passOn?.call(this.#net, bytes);
    // The library answers pings by itself, and a client may send them without reading.
    if (this.#writtenBytes > 0) this.#reportUnsent(0);
  }

  handBack(): void {
    this.#library();
    stopReading(this.#net);
    if (this.#passOn !== undefined) this.#net.on('data', this.#passOn);
  }

  fail(error: Error): void {
    // What `ws` has refused, it does not read on; it waits for the end of the connection.
    stopReading(this.#net);
    this.handlers?.onError(error);
  }

  onFrame(message: string | Buffer, payloadBytes: number): void {
    const ws = this.#ws;
    if (ws === undefined || ws.listenerCount('message') === 1) this.report(message, payloadBytes);
    // An application listens on the object of the library too.
    else ws.emit('message', Buffer.from(message as string), typeof message !== 'string');
  }

  report(message: string | Buffer, payloadBytes: number): void {
    this.bytesReceived += payloadBytes;
    this.handlers?.onMessage(message);
  }

  send(payload: string | Uint8Array): void {
    this.#areAllShared = false;
    const isShortText = typeof payload === 'string' && payload.length <= LONGEST_HELD_TEXT;
    const text = isShortText ? frameText(payload) : undefined;
    if (text === undefined) this.#hold(frameMessage(payload));
    else if (this.#admit(text.length)) {
      this.#text = this.#text === '' ? text : this.#text + text;
      this.#flushIfFull();
    }
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
    const ws = this.#library();
    if (ws === undefined) {
      this.#refuse();
      return;
    }
    ws.send(data, options, (error) => {
      if (error) this.handlers?.onSendError(error);
    });
    if (this.#writtenBytes > 0) this.#reportUnsent(1);
  }

  #hold(frame: Buffer): void {
    if (!this.#admit(frame.length)) return;
    this.#textToFrame();
    this.#append(frame);
    this.#flushIfFull();
  }

  /** Makes room for a frame of this many bytes; `false` when it cannot be sent any more. */
  #admit(bytes: number): boolean {
    if (!this.isOpen) {
      this.#refuse();
      return false;
    }
    if (this.heldMessages === 0) flushAtEndOfTurn(this);
    this.heldMessages += 1;
    this.heldBytes += bytes;
    return true;
  }

  #append(frame: Buffer): void {
    if (this.#first === undefined) this.#first = frame;
    else if (this.#rest === undefined) this.#rest = [frame];
    else this.#rest.push(frame);
  }

  #textToFrame(): void {
    if (this.#text === '') return;
    this.#append(Buffer.from(this.#text, 'latin1'));
    this.#text = '';
  }

  #flushIfFull(): void {
    if (this.heldBytes >= EARLY_FLUSH_BYTES) this.flush();
  }

  flush(): void {
    const messages = this.heldMessages;
    if (messages === 0) return;
    // The peer began to close, or the connection broke, while the frames were held: `close` tells the rest.
    const isTaken = this.isOpen && this.#write();
    this.#first = undefined;
    this.#rest = undefined;
    this.#text = '';
    this.heldBytes = 0;
    this.heldMessages = 0;
    this.#areAllShared = true;
    if (!isTaken && this.#writtenBytes > 0) this.#reportUnsent(messages);
  }

  /** Writes what is held back; `true` when it is known that the network has taken all of it. */
  #write(): boolean {
    // A text goes to the kernel without becoming a Buffer before.
    if (this.#first === undefined) return this.#put(this.#text);
    this.#textToFrame();
    const first = this.#first;
    const rest = this.#rest;
    if (rest === undefined) return this.#put(first);
    rest.unshift(first);
    const bytes = this.heldBytes;
    // Large frames of its own go side by side; copying pays when they are small, or when others need the same.
    if (this.#areAllShared || bytes < rest.length * JOIN_LIMIT_BYTES)
      return this.#put(joinFrames(rest, bytes));
    const net = this.#net;
    this.#isClear = false;
    net.cork();
    for (const frame of rest) net.write(frame);
    net.uncork();
    return false;
  }

  /** Writes bytes, or a text of bytes; `true` when it is known that the network has taken all of it. */
  #put(data: Buffer | string): boolean {
    const net = this.#net;
    if (this.#isClear || this.#isNowClear()) {
      if (writeDirectly(net, data)) return true;
      this.#unsentWrites.directBytes = data.length;
    } else net.write(data, 'latin1');
    this.#isClear = false;
    return false;
  }

  /** Remembered, because what the stream knows of an idle client is out of the processor's caches. */
  #isNowClear(): boolean {
    const net = this.#net;
    // What follows an empty write would be taken for gone with that.
    const isEmpty = this.#unsent?.isWatched !== true && net.writableLength === 0;
    const isClear = isEmpty && canWriteDirectly(net);
    this.#isClear = isClear && this.#ws === undefined;
    return isClear;
  }

  get #unsentWrites(): UnsentWrites {
    return (this.#unsent ??= new UnsentWrites());
  }

  close(code: number, reason: string): void {
    this.flush();
    this.#library()?.close(code, reason);
  }

  terminate(): void {
    this.flush();
    this.#isOver = true;
    this.#ws?.terminate();
    this.#net.destroy();
  }

  reset(): void {
    this.#isOver = true;
    resetConnection(this.#net, this.#writtenBytes);
  }

  /** The kernel did not take everything at once: so many messages were written just now. */
  #reportUnsent(messages: number): void {
    const unsent = this.#unsentWrites;
    if (messages > 0) unsent.add(this.#net.bytesWritten, messages, this.#goneBytes);
    this.#watch(unsent);
    this.handlers?.onUnsent();
  }

  /** Reports again when what waits now has left. */
  #watch(unsent: UnsentWrites): void {
    const net = this.#net;
    if (unsent.isWatched || !net.writable) return;
    unsent.isWatched = true;
    // An empty write, because `drain` comes only after more than one high-water mark.
    net.write('', () => {
      unsent.directBytes = 0;
      unsent.isWatched = false;
      if (net.destroyed) return;
      if (net.writableLength > 0) this.#watch(unsent);
      this.handlers?.onUnsent();
    });
  }

  #refuse(): void {
    const error = notOpenError(this.#ws?.readyState ?? (this.#net.destroyed ? 3 : 2));
    queueMicrotask(() => this.handlers?.onSendError(error));
  }
}
