import type { CallSignal } from './call-signals.js';
import { dehydrateError } from './error-transfer.js';
import { InvalidActionError } from './errors.js';
import { errorPacket, responsePacket } from './protocol/packet.js';

/** What a request needs of the connection it came from: a way to send the answer. */
export interface RequestTarget {
  /**
   * Encodes and sends one packet. A connection that is gone, or a packet that cannot be encoded, is reported by the
   * connection itself: a request does not hear of it.
   */
  sendObject(object: unknown, options?: unknown): unknown;
  /** The signal of the call with this `cid`. Called at most once for a call, when somebody first asks for it. */
  openCallSignal?(cid: number): CallSignal;
  /** A call has got its answer, and was not given up before. */
  endCall?(): void;
}

/**
 * Answers a request with a result, which may be left out when it may be undefined; `options` go to `sendObject()`.
 *
 * @typeParam R - the result
 */
export type EndRequest<R = unknown> = undefined extends R ? Loose<R>['optional'] : Loose<R>['required'];

/** As methods, so that a request with a known result can be given to code that takes any request. */
interface Loose<R> {
  optional(data?: R, options?: unknown): void;
  required(data: R, options?: unknown): void;
}

/** Answers a request with an error; `options` go to `sendObject()`. */
export type FailRequest = (error?: unknown, options?: unknown) => void;

/**
 * Owns the one answer to one call of the peer: whether it was given (`sent`).
 *
 * `end` and `error` work detached (`const { end } = request`), and may be replaced by assignment. They are bound when
 * first read, because most requests use one of them and some neither. A call that is never answered times out at the
 * peer.
 *
 * @typeParam S - the socket
 * @typeParam T - the payload
 * @typeParam R - the result
 */
export class AGRequest<S = unknown, T = unknown, R = unknown> {
  /** The socket that the call came from. */
  readonly socket: S & RequestTarget;
  /** The `cid` of the call, which the answer carries as its `rid`. */
  readonly id: number;
  /** The name of the procedure that was called. */
  readonly procedure: string;
  /** What the peer gave as argument. Checked when a contract says what it is; else its type is what you say. */
  data: T;
  /** Whether the answer was given. */
  sent = false;
  #end: EndRequest<R> | undefined;
  #error: FailRequest | undefined;
  #signal: CallSignal | undefined;

  constructor(socket: S & RequestTarget, id: number, procedure: string, data: T) {
    this.socket = socket;
    this.id = id;
    this.procedure = procedure;
    this.data = data;
  }

  /**
   * Answers with a result (`undefined` sends none).
   * @throws {InvalidActionError} when the answer was already given
   */
  get end(): EndRequest<R> {
    return (this.#end ??= (data?: R, options?: unknown) =>
      this.#respond(responsePacket(this.id, data), options));
  }

  set end(end: EndRequest<R>) {
    this.#end = end;
  }

  /**
   * Answers with an error, of which name, message and own enumerable fields cross the wire.
   *
   * compat: `undefined` and `null` reach the peer as success without a result.
   * @throws {InvalidActionError} when the answer was already given
   */
  get error(): FailRequest {
    return (this.#error ??= (error, options) =>
      this.#respond(errorPacket(this.id, dehydrateError(error)), options));
  }

  set error(fail: FailRequest) {
    this.#error = fail;
  }

  /**
   * Aborted when the answer is not wanted any more: the caller gave the call up (a {@link AbortError}; only
   * clients that can say so), or the connection closed (a {@link BadConnectionError}). Not aborted once the call is
   * answered.
   */
  get signal(): AbortSignal {
    // Once it is answered nobody will close it, so it is not kept track of.
    this.#signal ??= (this.sent ? undefined : this.socket.openCallSignal?.(this.id)) ?? unwatchedSignal();
    return this.#signal.signal;
  }

  /** Whether somebody asked for the signal and it is aborted; does not make one. */
  get isAborted(): boolean {
    return this.#signal?.signal.aborted ?? false;
  }

  /** Sends the answer; for who sends it in another way. */
  protected send(packet: object, options: unknown): void {
    this.socket.sendObject(packet, options);
  }

  #respond(packet: object, options: unknown): void {
    if (this.sent) throw new InvalidActionError(`Response to request ${this.id} has already been sent`);
    this.sent = true;
    this.#signal?.close();
    // One that was given up has ended before.
    if (!this.isAborted) this.socket.endCall?.();
    this.send(packet, options);
  }
}

/** A signal that is never aborted. */
function unwatchedSignal(): CallSignal {
  return { signal: new AbortController().signal, close: () => {} };
}
