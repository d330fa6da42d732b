import { BucketTable } from '../limits/bucket-table.js';
import { TokenBucket } from '../limits/token-bucket.js';

/**
 * Owns one token bucket for each address that came lately: each holds `burst` tokens and gets `perSecond` new ones in a
 * second. A bucket that is full again is forgotten, so memory goes by the addresses of the last seconds.
 */
export class AddressRates {
  readonly #buckets: BucketTable<TokenBucket>;

  constructor(perSecond: number, burst: number) {
    this.#buckets = new BucketTable((now) => new TokenBucket({ perSecond, burst }, now));
  }

  /** How many addresses are kept track of. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Takes a token: 0 when there was one, else the milliseconds until there is one.
   * @param now a monotonic clock, in ms
   */
  take(address: string, now: number): number {
    const bucket = this.#buckets.of(address, now);
    const waitMs = bucket.waitMs(1, now);
    if (waitMs === 0) bucket.take(1, now);
    return waitMs;
  }
}
