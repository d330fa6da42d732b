import { SilentMiddlewareBlockedError } from '@socketcluster-ts/core';
import { type StreamConsumer, WritableConsumableStream } from '@socketcluster-ts/streams';
import {
  type AGAction,
  giveUpAction,
  keepVerdict,
  type MiddlewareType,
  type VerdictKeeper,
} from './action.js';
import type { ActionAllowance, Verdict, VerdictReceiver } from './verdict.js';

/**
 * A middleware function: called once per stream, expected to loop over its actions and to call `allow()` or
 * `block()` on each. When it throws, rejects or stops looping, the actions it left without a verdict and all
 * later ones of this stream are blocked.
 */
export type MiddlewareFunction<A = AGAction> = (stream: MiddlewareStream<A>) => void | Promise<void>;

/**
 * Owns the actions of one socket (or of one upgrade request) that wait for the verdict of one middleware
 * function, and the state of that function.
 */
export class MiddlewareStream<A = AGAction> extends WritableConsumableStream<A> implements VerdictKeeper {
  readonly type: MiddlewareType;
  /** The function that was started on this stream. */
  middleware: MiddlewareFunction<never> | undefined;
  #ended = false;
  /** Written before the function began to consume; it may have something to await first. */
  #early: A[] | undefined;
  // Most lines have one action at a time before them: it needs no Set.
  #undecided: AGAction | undefined;
  #othersUndecided: Set<AGAction> | undefined;

  constructor(type: MiddlewareType) {
    super();
    this.type = type;
  }

  /** Runs the function on this stream. What it throws or rejects with goes to `onError`, and never further. */
  start(middleware: MiddlewareFunction<A>, onError: (error: unknown) => void): void {
    this.middleware = middleware as MiddlewareFunction<never>;
    const fail = (error: unknown): void => {
      this.#end();
      onError(error);
    };
    try {
      const result: unknown = middleware(this);
      if (result instanceof Promise) result.then(() => this.#end(), fail);
    } catch (error) {
      fail(error);
    }
  }

  /** A consumer of the actions; the first one gets those that came before it, too. */
  override createConsumer(timeout?: number): StreamConsumer<A> {
    const consumer = super.createConsumer(timeout);
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) for (const action of early) this.write(action);
    return consumer;
  }

  /** Asks the middleware for its verdict on an action, which the receiver is then told. */
  judge(action: A & AGAction, receiver: VerdictReceiver): void {
    keepVerdict(action, this, receiver);
    if (this.#undecided === undefined) this.#undecided = action;
    else (this.#othersUndecided ??= new Set()).add(action);
    if (this.getConsumerCount() > 0) this.write(action);
    else if (this.#ended) giveUpAction(action, this.#goneError(action));
    else (this.#early ??= []).push(action);
  }

  /** Called by an action of this stream that was decided. */
  settle(action: AGAction, packetOrError: unknown, receiver: VerdictReceiver): void {
    if (this.#undecided === action) this.#undecided = undefined;
    else this.#othersUndecided?.delete(action);
    try {
      receiver.onVerdict(
        action.outcome === 'allowed' ? allowed(action, packetOrError) : this.#blocked(action, packetOrError),
      );
    } catch (error) {
      // Other verdicts of the same burst are still to be told.
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #blocked(action: AGAction, cause: unknown): Verdict {
    const silent = (cause as { silent?: unknown } | null | undefined)?.silent;
    if (cause && !silent) return { allowed: false, error: cause, cause };
    const error = new SilentMiddlewareBlockedError(
      `The ${String(action.type)} AGAction was blocked by ${this.type} middleware`,
      this.type,
    );
    return { allowed: false, error, cause: cause || error };
  }

  #end(): void {
    this.#ended = true;
    // A function may return while loops it started go on; they still hold the stream.
    if (this.getConsumerCount() > 0) return;
    const waiting = [this.#undecided, ...(this.#othersUndecided ?? [])];
    for (const action of waiting) {
      if (action?.outcome === null) giveUpAction(action, this.#goneError(action));
    }
  }

  #goneError(action: AGAction): SilentMiddlewareBlockedError {
    return new SilentMiddlewareBlockedError(
      `The ${action.type ?? ''} AGAction was blocked because the ${this.type} middleware function has ended`,
      this.type,
    );
  }
}

function allowed(action: AGAction, packet: unknown): Verdict {
  const { data, options } = (packet ?? {}) as ActionAllowance;
  const replaced = data !== undefined;
  return { allowed: true, data: replaced ? data : action.data, replaced, options };
}
