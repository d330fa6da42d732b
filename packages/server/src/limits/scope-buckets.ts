import type { RateKind, ScopeRates } from './rates.js';
import { TokenBucket } from './token-bucket.js';

/** Owns the buckets of one socket, address or user, one for each rate that is limited. */
export class ScopeBuckets {
  readonly #buckets: { readonly [Kind in RateKind]?: TokenBucket };

  constructor(rates: ScopeRates, nowMs: number) {
    const buckets: { [Kind in RateKind]?: TokenBucket } = {};
    for (const [kind, rate] of Object.entries(rates))
      buckets[kind as RateKind] = new TokenBucket(rate, nowMs);
    this.#buckets = buckets;
  }

  /** The bucket of a rate; `undefined` for one that is not limited. */
  of(kind: RateKind): TokenBucket | undefined {
    return this.#buckets[kind];
  }

  /** Whether it is as if nothing had been taken. */
  isFull(nowMs: number): boolean {
    return Object.values(this.#buckets).every((bucket) => bucket.isFull(nowMs));
  }
}
