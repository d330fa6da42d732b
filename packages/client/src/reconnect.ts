import { Deadline } from '@socketcluster-ts/core';
import { backoff, backoffV20 } from './backoff.js';
import type { ClientContext } from './client-context.js';

/** The longest delay that a server may ask for. */
const MAX_HINT_MS = 600_000;

/** Owns when the client connects again: the number of attempts, the timer, and what the server said about it. */
export class Reconnect {
  /** Whether an attempt is scheduled. */
  isPending = false;
  /** The delay of the attempt that is scheduled, or was last, in milliseconds. */
  delayMs = 0;
  #attempts = 0;
  #hintMs: number | undefined;
  /** Whether the server has said when the scheduled attempt shall be. */
  #isHinted = false;
  readonly #context: ClientContext;
  readonly #deadline: Deadline<Reconnect>;

  constructor(context: ClientContext, connect: () => void) {
    this.#context = context;
    this.#deadline = new Deadline((reconnect: Reconnect) => {
      reconnect.isPending = false;
      connect();
    }, this);
  }

  /** How many attempts were made since there was a connection that lasted. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Whether an attempt is scheduled after one that failed already, or when the server has said: nothing but time shall bring it on. */
  get isBackingOff(): boolean {
    return this.isPending && (this.#attempts > 1 || this.#isHinted);
  }

  /** A connection has lasted long enough, or just begun: the next delays begin anew. */
  reset(): void {
    this.#attempts = 0;
  }

  /** The server wants to be left alone for so long. */
  takeHint(delayMs: number): void {
    this.#hintMs = Math.min(delayMs, MAX_HINT_MS);
  }

  /** Whether the client connects again by itself after this close code. */
  follows(code: number): boolean {
    return this.#context.settings.autoReconnect && code !== 1000 && code < 4500;
  }

  /** Schedules the next attempt. */
  schedule(code: number): void {
    this.cancel();
    this.delayMs = this.#nextDelay(code);
    this.isPending = true;
    this.#context.timers.schedule(this.#deadline, this.delayMs);
  }

  /** Connects now, if an attempt is scheduled. */
  hurry(): void {
    if (!this.isPending) return;
    this.#context.timers.cancel(this.#deadline);
    this.#deadline.fire();
  }

  cancel(): void {
    this.isPending = false;
    this.#context.timers.cancel(this.#deadline);
  }

  #nextDelay(code: number): number {
    const { settings, environment } = this.#context;
    const hintMs = this.#hintMs;
    this.#hintMs = undefined;
    this.#isHinted = hintMs !== undefined;
    const attempt = this.#attempts++;
    const random = environment.random();
    // A tenth more at random, so that all the clients of a server do not come back in one moment.
    if (hintMs !== undefined) return Math.round(hintMs * (1 + random / 10));
    if (settings.compat !== 'v20') return backoff(attempt, settings.autoReconnectOptions, random);
    // compat: after a connection that was silent, or closed without a code, the first attempt is made at once.
    if (attempt === 0 && (code === 4000 || code === 4001 || code === 1005)) return 0;
    return backoffV20(attempt, settings.autoReconnectOptions, random);
  }
}
