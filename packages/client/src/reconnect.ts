import { backoff, backoffV20 } from './backoff.js';
import type { ClientContext } from './client-context.js';
import { Timer } from './timer.js';

/** The longest delay that a server may ask for. */
const MAX_HINT_MS = 600_000;

/** Owns when the client connects again: the number of attempts, the timer, and what the server said about it. */
export class Reconnect {
  /** The delay of the attempt that is scheduled, in milliseconds; null when none is. */
  pendingReconnectTimeout: number | null = null;
  /** How many attempts were made since there was a connection that lasted, or since one has just begun. */
  connectAttempts = 0;
  /** How long the server wants to be left alone, in milliseconds. */
  hintMs: number | undefined;
  /** Whether the server has said when the scheduled attempt shall be. */
  #isHinted = false;
  readonly #context: ClientContext;
  readonly #timer: Timer;

  constructor(context: ClientContext, connect: () => void) {
    this.#context = context;
    this.#timer = new Timer(context.environment, connect);
  }

  /** Whether an attempt is scheduled. */
  get pendingReconnect(): boolean {
    return this.#timer.isRunning;
  }

  /** Whether an attempt is scheduled after one that failed already, or when the server has said: nothing but time shall bring it on. */
  get isBackingOff(): boolean {
    return this.pendingReconnect && (this.connectAttempts > 1 || this.#isHinted);
  }

  /** Whether the client connects again by itself after this close code. */
  follows(code: number): boolean {
    return this.#context.settings.autoReconnect && code !== 1000 && code < 4500;
  }

  /** Schedules the next attempt. */
  schedule(code: number): void {
    const delay = this.#nextDelay(code);
    this.pendingReconnectTimeout = delay;
    this.#timer.start(delay);
  }

  cancel(): void {
    this.pendingReconnectTimeout = null;
    this.#timer.stop();
  }

  #nextDelay(code: number): number {
    const { settings, environment } = this.#context;
    const { hintMs } = this;
    const attempt = this.connectAttempts++;
    const random = environment.random();
    this.hintMs = undefined;
    this.#isHinted = hintMs !== undefined;
    // A tenth more at random, so that all the clients of a server do not come back in one moment.
    if (hintMs !== undefined) return Math.round(Math.min(hintMs, MAX_HINT_MS) * (1 + random / 10));
    if (settings.compat === null) return backoff(attempt, settings.autoReconnectOptions, random);
    // compat: after a connection that was silent, or closed without a code, the first attempt is made at once.
    if (attempt === 0 && [4000, 4001, 1005].includes(code)) return 0;
    return backoffV20(attempt, settings.autoReconnectOptions, random);
  }
}
