/** How much of something is allowed: so much in a second, and `burst` at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Less is missing by rounding only: who comes when he was told to must not have to wait again. */
const ROUNDING = 1e-9;

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
    return this.waitMs(amount, nowMs) === 0;
  }

  /** Takes so much, whether it is there or not. */
  take(amount: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#tokens -= amount;
  }

  /** In how many ms so much can be taken without owing, 0 when it can now; with an amount of 0, when nothing is owed. */
  waitMs(amount: number, nowMs: number): number {
    this.#fill(nowMs);
    const missing = Math.min(amount, this.#rate.burst) - this.#tokens;
    return missing <= ROUNDING * this.#rate.burst ? 0 : (missing / this.#rate.perSecond) * 1000;
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
