/** More names are never kept track of: those that came first are forgotten. */
const MAX_NAMES = 65_536;
/** Below this nobody is looked for who can be forgotten. */
const FIRST_SWEEP = 1024;

/** What a table holds for each name. */
interface Refilling {
  /** Whether it is as if nothing had been taken. */
  isFull(nowMs: number): boolean;
}

/**
 * Owns the buckets of all addresses, or of all users. Those that are full again are forgotten, so memory goes by who
 * sent something in the last seconds.
 */
export class BucketTable<B extends Refilling> {
  readonly #make: (nowMs: number) => B;
  readonly #buckets = new Map<string, B>();
  #sweepAt = FIRST_SWEEP;

  constructor(make: (nowMs: number) => B) {
    this.#make = make;
  }

  /** How many are kept track of. */
  get size(): number {
    return this.#buckets.size;
  }

  /** What belongs to a name. Not to be kept: it may be forgotten, and another takes its place. */
  of(name: string, nowMs: number): B {
    const known = this.#buckets.get(name);
    if (known !== undefined) return known;
    if (this.#buckets.size >= this.#sweepAt) this.#sweep(nowMs);
    const buckets = this.#make(nowMs);
    this.#buckets.set(name, buckets);
    return buckets;
  }

  #sweep(nowMs: number): void {
    for (const [name, buckets] of this.#buckets) {
      if (buckets.isFull(nowMs)) this.#buckets.delete(name);
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
