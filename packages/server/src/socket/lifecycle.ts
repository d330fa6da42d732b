import { CLOSE_CODES, Deadline, errorStatuses, sanitizeClose } from '@socketcluster-ts/core';
import type { EngineSocket, EngineSocketHandlers } from '../engine/engine.js';
import type { MiddlewareStream } from '../middleware/middleware-stream.js';
import { Connection, type SocketSettings } from './connection.js';
import { Farewell, type FarewellOptions, type FarewellOwner, type FarewellResult } from './farewell.js';
import { Inbound } from './inbound.js';
import type { SocketFace } from './socket-context.js';
import { teardown } from './teardown.js';

/** Owns the course of a connection, from its first byte to its end: what the engine reports goes in here, and every close of ours. */
export class Lifecycle extends Connection implements EngineSocketHandlers, FarewellOwner {
  readonly inbound: Inbound;
  /** Until when the client has to end a connection that was closed here. */
  #closeDeadline: Deadline<Lifecycle> | undefined;
  #farewell: Farewell | undefined;

  constructor(socket: SocketFace, engine: EngineSocket, settings: SocketSettings) {
    super(socket, engine, settings);
    this.inbound = new Inbound(this);
  }

  /**
   * Begins to read, starts the clocks, and calls the middleware functions that are set now. `handshakeLeftMs` is what
   * is left of the handshake timeout, `handshakeStream` where the handshake middleware has been running since the
   * upgrade request.
   */
  start(handshakeLeftMs: number, handshakeStream: MiddlewareStream | undefined): void {
    this.engine.start(this);
    this.startClocks(handshakeLeftMs, onHandshakeTimeout);
    this.startMiddleware(handshakeStream);
  }

  onMessage(data: string | Buffer): void {
    this.inbound.accept(data);
  }

  onUnsent(): void {
    this.outbound.onUnsent();
  }

  onControl(): void {
    this.inbound.noteControl();
  }

  onError(error: Error): void {
    this.socket.emitError(error);
  }

  onSendError(error: Error): void {
    const { socket, engine, state } = this;
    socket.emitError(error);
    // On a connection that is closing already the close event follows, with the real code.
    if (!engine.isOpen || state === 'closed') return;
    teardown(this, this.inbound, CLOSE_CODES.HUNG_UP, String(error));
    engine.terminate();
  }

  onClose(code: number, reason: string): void {
    if (this.#closeDeadline !== undefined) this.server.deadlines.cancel(this.#closeDeadline);
    this.outbound.gone();
    teardown(this, this.inbound, code, reason);
    this.#farewell?.end(code);
  }

  /** Whether something is under way: packets that wait, or calls of either side without an answer. */
  get isBusy(): boolean {
    return this.pendingCalls > 0 || this.inbound.isBusy || this.outbound.isBusy;
  }

  /** Ends the connection in good order; resolves when it is gone. The first call decides how. */
  leave(options: FarewellOptions): Promise<FarewellResult> {
    if (this.state === 'closed') return Promise.resolve({ isClosed: true, isInterrupted: false });
    this.#farewell ??= new Farewell(this, options);
    return this.#farewell.ended;
  }

  /** A token could not be signed: the client would go on without one, so it has to connect anew. */
  failToSign(error: unknown): void {
    this.socket.emitError(error);
    this.close(CLOSE_CODES.SIGN_FAILED, '', String(error));
  }

  override closeWith(code: number): void {
    this.close(code, '', undefined);
  }

  override dismiss(code: number): void {
    this.isDismissed = true;
    this.closeWith(code);
  }

  override cutOff(code: number, isUrgent: boolean): void {
    const { state, outbound, engine } = this;
    if (state === 'closed') return;
    outbound.discard();
    teardown(this, this.inbound, code, undefined);
    // With its text on the wire: published clients do not know all of these codes.
    engine.close(code, errorStatuses[code] ?? '');
    if (isUrgent) engine.reset();
    else this.#resetInTime();
  }

  /** Closes with a code and reason on the wire, and another reason in the events. What was sent before goes first. */
  close(code: number, wireReason: string, shownReason: string | undefined): void {
    const { state, outbound, engine } = this;
    if (state === 'closed') return;
    outbound.flushForClose();
    teardown(this, this.inbound, code, shownReason);
    engine.close(sanitizeClose(code, '').code, wireReason);
    this.#resetInTime();
  }

  /** A client that does not answer the close must not hold the connection. */
  #resetInTime(): void {
    const { deadlines, limits } = this.server;
    if (limits.closeTimeout === Infinity) return;
    this.#closeDeadline = new Deadline(onCloseTimeout, this);
    deadlines.schedule(this.#closeDeadline, limits.closeTimeout);
  }
}

function onCloseTimeout({ engine }: Lifecycle): void {
  engine.reset();
}

function onHandshakeTimeout(connection: Connection): void {
  connection.closeWith(CLOSE_CODES.HANDSHAKE_TIMEOUT);
}
