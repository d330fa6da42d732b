import { Refusal } from './refusal.js';

/** Owns the allowance of one socket: `capacity` at once, `perSecond` in the long run. */
export class TokenBucket {
  readonly #capacity: number;
  readonly #perSecond: number;
  #tokens: number;
  #filledAt: number = performance.now();

  constructor(capacity: number, perSecond: number) {
    this.#capacity = capacity;
    this.#perSecond = perSecond;
    this.#tokens = capacity;
  }

  /**
   * Takes one from the allowance.
   *
   * @throws {Refusal} `TooManyRequestsError` when it is used up.
   */
  take(): void {
    const now = performance.now();
    this.#tokens = Math.min(this.#capacity, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond);
    this.#filledAt = now;
    if (this.#tokens < 1) throw new Refusal('TooManyRequestsError', 'That was too fast.');
    this.#tokens -= 1;
  }
}
