import type { Deadline, DeadlineScheduler } from '@socketcluster-ts/core';
import type { Environment } from './environment.js';

/** A timer with a longer delay fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Owns the timers of one client: one for each deadline that is scheduled. Nothing is left when none is. */
export class Timers implements DeadlineScheduler {
  readonly #environment: Environment;
  readonly #timers = new Map<object, unknown>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** How many deadlines are scheduled. */
  get size(): number {
    return this.#timers.size;
  }

  /** Whether the deadline is scheduled. */
  has<O>(deadline: Deadline<O>): boolean {
    return this.#timers.has(deadline);
  }

  schedule<O>(deadline: Deadline<O>, delayMs: number): void {
    this.cancel(deadline);
    const timer = this.#environment.setTimeout(
      () => {
        if (delayMs > MAX_TIMER_MS) {
          this.schedule(deadline, delayMs - MAX_TIMER_MS);
          return;
        }
        this.#timers.delete(deadline);
        deadline.fire();
      },
      Math.min(delayMs, MAX_TIMER_MS),
    );
    this.#timers.set(deadline, timer);
  }

  cancel<O>(deadline: Deadline<O>): void {
    this.#environment.clearTimeout(this.#timers.get(deadline));
    this.#timers.delete(deadline);
  }
}
