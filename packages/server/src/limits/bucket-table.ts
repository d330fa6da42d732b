import type { RateKind, ScopeRates } from './rates.js';
import { TokenBucket } from './token-bucket.js';

/** More names are never kept track of: those that came first are forgotten. */
const MAX_NAMES = 65_536;
/** Below this nobody is looked for who can be forgotten. */
const FIRST_SWEEP = 1024;

/** The buckets of one socket, address or user. */
export type Buckets = { readonly [Kind in RateKind]?: TokenBucket };

/** A full bucket for each of the rates. */
export function fullBuckets(rates: ScopeRates, nowMs: number): Buckets {
  const buckets: { [Kind in RateKind]?: TokenBucket } = {};
  for (const [kind, rate] of Object.entries(rates)) buckets[kind as RateKind] = new TokenBucket(rate, nowMs);
  return buckets;
}

/**
 * Owns the buckets of all addresses, or of all users. Those that are full again are forgotten, so memory goes by who
 * sent something in the last seconds.
 */
export class BucketTable {
  readonly #rates: ScopeRates;
  readonly #buckets = new Map<string, Buckets>();
  #sweepAt = FIRST_SWEEP;

  constructor(rates: ScopeRates) {
    this.#rates = rates;
  }

  /** How many are kept track of. */
  get size(): number {
    return this.#buckets.size;
  }

  /** The buckets of a name. Not to be kept: they may be forgotten, and others take their place. */
  of(name: string, nowMs: number): Buckets {
    const known = this.#buckets.get(name);
    if (known !== undefined) return known;
    if (this.#buckets.size >= this.#sweepAt) this.#sweep(nowMs);
    const buckets = fullBuckets(this.#rates, nowMs);
    this.#buckets.set(name, buckets);
    return buckets;
  }

  #sweep(nowMs: number): void {
    for (const [name, buckets] of this.#buckets) {
      if (Object.values(buckets).every((bucket) => bucket.isFull(nowMs))) this.#buckets.delete(name);
    }
    // A quarter at once, so that not every further name is a reason to look through all of them.
    const most = this.#buckets.size < MAX_NAMES ? MAX_NAMES : MAX_NAMES * 0.75;
    for (const name of this.#buckets.keys()) {
      if (this.#buckets.size <= most) break;
      this.#buckets.delete(name);
    }
    this.#sweepAt = Math.min(Math.max(this.#buckets.size * 2, FIRST_SWEEP), MAX_NAMES);
  }
}
