/** How much of something is allowed: so much in a second, and `burst` at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * Owns how much of a {@link Rate} is left: it begins with the whole burst, what is taken comes back with time.
 *
 * More may be taken than there is; the bucket then owes it, and is empty for longer. Times are in ms, of a clock that
 * does not run backwards.
 */
export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #filledAt: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#filledAt = nowMs;
  }

  /** Whether so much can be taken without owing. What is more than a burst needs the whole burst. */
  has(amount: number, nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens >= Math.min(amount, this.#rate.burst);
  }

  /** Takes so much, whether it is there or not. */
  take(amount: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#tokens -= amount;
  }

  /** In how many ms nothing will be owed; 0 when that is so now. */
  debtMs(nowMs: number): number {
    this.#fill(nowMs);
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#rate.perSecond) * 1000;
  }

  /** Whether it is as if nothing had been taken. */
  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens >= this.#rate.burst;
  }

  #fill(nowMs: number): void {
    const { perSecond, burst } = this.#rate;
    const gained = ((nowMs - this.#filledAt) / 1000) * perSecond;
    this.#tokens = Math.min(this.#tokens + gained, burst);
    this.#filledAt = nowMs;
  }
}
