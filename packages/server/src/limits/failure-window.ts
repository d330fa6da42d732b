/** Owns when the last failures were, of which so many are allowed within a stretch of time. */
export class FailureWindow {
  readonly #allowed: number;
  readonly #windowMs: number;
  /** In ms, the oldest first; never more than are allowed. */
  readonly #times: number[] = [];

  constructor(allowed: number, windowMs: number) {
    this.#allowed = allowed;
    this.#windowMs = windowMs;
  }

  /** Notes a failure; `true` when it is one too many. `nowMs` must not run backwards. */
  exceedsWith(nowMs: number): boolean {
    const times = this.#times;
    while (times.length > 0 && nowMs - (times[0] as number) >= this.#windowMs) times.shift();
    if (times.length >= this.#allowed) return true;
    times.push(nowMs);
    return false;
  }
}
