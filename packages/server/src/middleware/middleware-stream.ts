import { SilentMiddlewareBlockedError } from '@socketcluster-ts/core';
import { type StreamConsumer, WritableConsumableStream } from '@socketcluster-ts/streams';
import type { AGAction, MiddlewareType } from './action.js';

/**
 * A middleware function: called once per stream, expected to loop over its actions and to call `allow()` or
 * `block()` on each. When it throws, rejects or stops looping, the actions it left without a verdict and all
 * later ones of this stream are blocked.
 */
export type MiddlewareFunction<A = AGAction> = (stream: MiddlewareStream<A>) => void | Promise<void>;

/** The part of an action the stream itself looks at. */
interface Decidable {
  readonly type: string | undefined;
  readonly outcome: 'allowed' | 'blocked' | null;
  readonly promise: Promise<unknown>;
  readonly block: (error?: unknown) => void;
}

/**
 * Owns the actions of one socket (or of one upgrade request) that wait for the verdict of one middleware
 * function, and the state of that function.
 */
export class MiddlewareStream<A = AGAction> extends WritableConsumableStream<A> {
  readonly type: MiddlewareType;
  /** The function that was started on this stream. */
  middleware: MiddlewareFunction<never> | undefined;
  #ended = false;
  /** Written before the function began to consume; it may have something to await first. */
  #early: A[] | undefined;
  #undecided: Set<A> | undefined;

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

  /**
   * Asks the middleware for its verdict: resolves with the packet given to `allow()`, rejects with what was
   * given to `block()`.
   */
  async judge(action: A & Decidable): Promise<unknown> {
    const { promise } = action;
    if (this.getConsumerCount() > 0) this.write(action);
    else if (this.#ended) action.block(this.#goneError(action));
    else (this.#early ??= []).push(action);
    const undecided = (this.#undecided ??= new Set());
    undecided.add(action);
    try {
      return await promise;
    } finally {
      undecided.delete(action);
    }
  }

  #end(): void {
    this.#ended = true;
    // A function may return while loops it started go on; they still hold the stream.
    if (this.getConsumerCount() > 0) return;
    for (const action of this.#undecided ?? []) {
      const waiting = action as A & Decidable;
      if (waiting.outcome === null) waiting.block(this.#goneError(waiting));
    }
  }

  #goneError(action: Decidable): SilentMiddlewareBlockedError {
    return new SilentMiddlewareBlockedError(
      `The ${action.type ?? ''} AGAction was blocked because the ${this.type} middleware function has ended`,
      this.type,
    );
  }
}
