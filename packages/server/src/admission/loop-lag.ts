/** How often it is looked whether the event loop is late. */
const CHECK_MS = 200;
/** So many checks in a row must be late for an overload: one alone is a garbage collection, or a process that was stopped. */
const LATE_CHECKS = 3;
/** So many in a row must be in time for its end. */
const TIMELY_CHECKS = 5;
/** Without a connection to decide about, nobody has to know. */
const WATCHED_MS = 30_000;

/**
 * Owns the measurement of how late the event loop is. It runs only while connections arrive.
 *
 * An overload begins when the loop was late by more than `maxLagMs` at three checks in a row, and ends when it was late
 * by less than half of that at five.
 */
export class LoopLag {
  isOverloaded = false;
  /** How late the last check was, in ms. */
  lagMs = 0;
  readonly #maxLagMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueAt = 0;
  #watchedUntil = 0;
  #checks = 0;

  /** @param maxLagMs `Infinity` for never */
  constructor(maxLagMs: number) {
    this.#maxLagMs = maxLagMs;
  }

  /** Somebody wants to know: goes on measuring for half a minute. */
  watch(): void {
    if (this.#maxLagMs === Infinity) return;
    const now = performance.now();
    this.#watchedUntil = now + WATCHED_MS;
    if (this.#timer === undefined) this.#arm(now);
  }

  /** Ends measuring. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#checks = 0;
    this.lagMs = 0;
    this.isOverloaded = false;
  }

  #arm(now: number): void {
    this.#dueAt = now + CHECK_MS;
    this.#timer = setTimeout(() => this.#check(), CHECK_MS);
    this.#timer.unref();
  }

  #check(): void {
    const now = performance.now();
    this.lagMs = Math.max(now - this.#dueAt, 0);
    const isTelling = this.isOverloaded ? this.lagMs < this.#maxLagMs / 2 : this.lagMs > this.#maxLagMs;
    this.#checks = isTelling ? this.#checks + 1 : 0;
    if (this.#checks >= (this.isOverloaded ? TIMELY_CHECKS : LATE_CHECKS)) {
      this.#checks = 0;
      this.isOverloaded = !this.isOverloaded;
    }
    if (now < this.#watchedUntil || this.isOverloaded) this.#arm(now);
    else this.stop();
  }
}
