import type { Environment } from './environment.js';

/** A timer of the platform with a longer delay fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Owns one timer of a client, with any delay. */
export class Timer {
  readonly #environment: Environment;
  readonly #onDue: () => void;
  #timer: unknown;

  constructor(environment: Environment, onDue: () => void) {
    this.#environment = environment;
    this.#onDue = onDue;
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  /** Calls `onDue` in so many milliseconds, and not when it was to be called before. */
  start(ms: number): void {
    this.stop();
    this.#timer = this.#environment.setTimeout(
      () => {
        this.#timer = undefined;
        if (ms > MAX_TIMER_MS) this.start(ms - MAX_TIMER_MS);
        else this.#onDue();
      },
      Math.min(ms, MAX_TIMER_MS),
    );
  }

  stop(): void {
    this.#environment.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
