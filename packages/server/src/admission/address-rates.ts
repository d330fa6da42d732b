/** More addresses are never kept track of: those that came first are forgotten. */
const MAX_ADDRESSES = 65_536;
/** Below this nobody is looked for who can be forgotten. */
const FIRST_SWEEP = 1024;

interface Bucket {
  tokens: number;
  /** Up to when it was filled, in monotonic ms. */
  filledAt: number;
}

/**
 * Owns one token bucket for each address that came lately: each holds `burst` tokens and gets `perSecond` new ones in a
 * second. A bucket that is full again is forgotten, so memory goes by the addresses of the last seconds.
 */
export class AddressRates {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, Bucket>();
  #sweepAt = FIRST_SWEEP;

  constructor(perSecond: number, burst: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
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
    const bucket = this.#buckets.get(address) ?? this.#add(address, now);
    bucket.tokens = this.#tokens(bucket, now);
    bucket.filledAt = now;
    if (bucket.tokens < 1) return (1 - bucket.tokens) / this.#perMs;
    bucket.tokens -= 1;
    return 0;
  }

  #tokens({ tokens, filledAt }: Bucket, now: number): number {
    return Math.min(tokens + Math.max(now - filledAt, 0) * this.#perMs, this.#burst);
  }

  #add(address: string, now: number): Bucket {
    if (this.#buckets.size >= this.#sweepAt) this.#sweep(now);
    const bucket = { tokens: this.#burst, filledAt: now };
    this.#buckets.set(address, bucket);
    return bucket;
  }

  #sweep(now: number): void {
    for (const [address, bucket] of this.#buckets) {
      if (this.#tokens(bucket, now) >= this.#burst) this.#buckets.delete(address);
    }
    // A quarter at once, so that not every further address is a reason to look through all of them.
    const most = this.#buckets.size < MAX_ADDRESSES ? MAX_ADDRESSES : MAX_ADDRESSES * 0.75;
    for (const address of this.#buckets.keys()) {
      if (this.#buckets.size <= most) break;
      this.#buckets.delete(address);
    }
    this.#sweepAt = Math.min(Math.max(this.#buckets.size * 2, FIRST_SWEEP), MAX_ADDRESSES);
  }
}
