import { TimeoutError } from '@socketcluster-ts/streams';
import { Deadline, type DeadlineScheduler } from './deadline.js';
import { type Delivery, markDelivery } from './delivery.js';
import { hydrateError } from './error-transfer.js';
import type { ResponsePacket } from './protocol/packet.js';

/** A call of ours that the peer has not answered yet. */
export interface PendingCall {
  /** The number under which the peer answers. */
  readonly cid: number;
  /** The name of the procedure that was called. */
  readonly event: string;
  /**
   * Settles once: with the answer, a timeout, or why it was given up. It goes to whoever made the call, and a
   * rejection that nobody handles is reported like any other.
   */
  readonly promise: Promise<unknown>;
}

/**
 * Owns the calls of one connection that wait for an answer, and the counter that numbers them: 1, 2, 3, …
 *
 * Time is kept by the scheduler that is handed in, which all connections may share. How many calls may be open at once
 * is for the caller to limit, by `size`. Every error carries in its field `delivery` what became of the call.
 */
export class CallTable {
  readonly #deadlines: DeadlineScheduler;
  readonly #calls = new Map<number, OpenCall>();
  #lastCid = 0;

  constructor(deadlines: DeadlineScheduler) {
    this.#deadlines = deadlines;
  }

  /** How many calls are open. */
  get size(): number {
    return this.#calls.size;
  }

  /** Opens a call under the next number. Its time does not run before `startTimer()`. */
  open(event: string): PendingCall {
    const call = new OpenCall(this, ++this.#lastCid, event);
    this.#calls.set(call.cid, call);
    return call;
  }

  /**
   * Lets the call fail with a {@link TimeoutError} after `timeoutMs` milliseconds; calling it again starts anew. Does
   * nothing once the call is settled.
   */
  startTimer(call: PendingCall, timeoutMs: number): void {
    const open = this.#calls.get(call.cid);
    if (open !== call) return;
    open.deadline ??= new Deadline(expireCall, open);
    this.#deadlines.schedule(open.deadline, timeoutMs);
  }

  /**
   * Settles the call that the packet answers.
   *
   * An error is hydrated. compat: one that is falsy (`null`, `''`, 0, `false`) counts as success.
   * @returns whether there was such a call; an unknown number changes nothing
   */
  settle(packet: ResponsePacket): boolean {
    const call = this.#calls.get(packet.rid);
    if (call === undefined) return false;
    this.#close(call);
    if (packet.error) {
      const error = hydrateError(packet.error);
      markDelivery(error, 'refused');
      call.reject(error);
    } else call.resolve(packet.data);
    return true;
  }

  /** Gives one call up. Does nothing once it is settled. */
  reject(call: PendingCall, error: unknown, delivery?: Delivery): void {
    if (this.#calls.get(call.cid) === call) this.rejectCid(call.cid, error, delivery);
  }

  /** Gives up the call with this number, if there is one. */
  rejectCid(cid: number, error: unknown, delivery: Delivery = 'unknown'): void {
    const call = this.#calls.get(cid);
    if (call === undefined) return;
    this.#close(call);
    markDelivery(error, delivery);
    call.reject(error);
  }

  /** Gives all calls up, in the order they were opened, each with an error made for its event. */
  abortAll(makeError: (event: string) => Error): void {
    // What makeError() does may open calls: those are not meant.
    const calls = Array.from(this.#calls.values());
    for (const call of calls) this.reject(call, makeError(call.event));
  }

  #close(call: OpenCall): void {
    this.#calls.delete(call.cid);
    if (call.deadline !== undefined) this.#deadlines.cancel(call.deadline);
  }
}

/** Owns how one call is settled. */
class OpenCall implements PendingCall {
  readonly table: CallTable;
  readonly cid: number;
  readonly event: string;
  readonly promise: Promise<unknown>;
  deadline: Deadline<OpenCall> | undefined = undefined;
  declare resolve: (value: unknown) => void;
  declare reject: (error: unknown) => void;

  constructor(table: CallTable, cid: number, event: string) {
    this.table = table;
    this.cid = cid;
    this.event = event;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

/** One function for all calls: a deadline hands its owner over, so no call needs a closure for its timeout. */
function expireCall(call: OpenCall): void {
  call.table.reject(call, new TimeoutError(`Event response for ${call.event} event timed out`));
}
