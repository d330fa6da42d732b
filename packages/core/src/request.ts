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
}

/** Answers a request with a result; `options` go to `sendObject()`. */
export type EndRequest = (data?: unknown, options?: unknown) => void;

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
 */
export class AGRequest<S = unknown, T = unknown> {
  /** The socket that the call came from. */
  readonly socket: S & RequestTarget;
  /** The `cid` of the call, which the answer carries as its `rid`. */
  readonly id: number;
  /** The name of the procedure that was called. */
  readonly procedure: string;
  /** What the peer gave as argument. Not checked by the library: its type is what the application says it is. */
  data: T;
  /** Whether the answer was given. */
  sent = false;
  #end: EndRequest | undefined;
  #error: FailRequest | undefined;

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
  get end(): EndRequest {
    return (this.#end ??= (data, options) => this.#respond(responsePacket(this.id, data), options));
  }

  set end(end: EndRequest) {
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

  #respond(packet: object, options: unknown): void {
    if (this.sent) throw new InvalidActionError(`Response to request ${this.id} has already been sent`);
    this.sent = true;
    this.socket.sendObject(packet, options);
  }
}
