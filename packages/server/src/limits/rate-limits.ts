import { BucketTable } from './bucket-table.js';
import type { RateAction, RateKind, RateScope, ResolvedRates, ScopeRates } from './rates.js';
import { ScopeBuckets } from './scope-buckets.js';

/** Who sends: the parts of {@link RateLimits} that count it. */
export interface Sender {
  /** The buckets of the socket itself, which it keeps. */
  readonly own: ScopeBuckets | undefined;
  readonly address: string | undefined;
  readonly user: string | undefined;
}

/** Owns how fast the addresses and users of a server may still send. */
export class RateLimits {
  /** What happens to a client that is too fast. */
  readonly action: RateAction;
  readonly #rates: ResolvedRates;
  readonly #addresses: BucketTable<ScopeBuckets> | undefined;
  readonly #users: BucketTable<ScopeBuckets> | undefined;

  constructor(rates: ResolvedRates, action: RateAction) {
    this.#rates = rates;
    this.action = action;
    if (rates.address !== undefined) this.#addresses = bucketTable(rates.address);
    if (rates.user !== undefined) this.#users = bucketTable(rates.user);
  }

  /** The buckets of a new socket, for it to keep. */
  bucketsOfSocket(nowMs: number): ScopeBuckets | undefined {
    return this.#rates.socket === undefined ? undefined : new ScopeBuckets(this.#rates.socket, nowMs);
  }

  /** Whose rate does not allow so much at this moment; `undefined` when all do. */
  exceeded(sender: Sender, kind: RateKind, amount: number, nowMs: number): RateScope | undefined {
    for (const [scope, buckets] of this.#scopes(sender, nowMs)) {
      if (buckets?.of(kind)?.has(amount, nowMs) === false) return scope;
    }
    return undefined;
  }

  /** Takes so much from all of them, whether they have it or not. Gives in how many ms nobody will owe anything. */
  charge(sender: Sender, kind: RateKind, amount: number, nowMs: number): number {
    let debtMs = 0;
    for (const [, buckets] of this.#scopes(sender, nowMs)) {
      const bucket = buckets?.of(kind);
      if (bucket === undefined) continue;
      bucket.take(amount, nowMs);
      debtMs = Math.max(debtMs, bucket.waitMs(0, nowMs));
    }
    return debtMs;
  }

  #scopes(
    { own, address, user }: Sender,
    nowMs: number,
  ): readonly (readonly [RateScope, ScopeBuckets | undefined])[] {
    return [
      ['socket', own],
      ['address', address === undefined ? undefined : this.#addresses?.of(address, nowMs)],
      ['user', user === undefined ? undefined : this.#users?.of(user, nowMs)],
    ];
  }
}

function bucketTable(rates: ScopeRates): BucketTable<ScopeBuckets> {
  return new BucketTable((nowMs) => new ScopeBuckets(rates, nowMs));
}

/** The limits of a server; `undefined` when no rate is limited. */
export function rateLimits({
  rates,
  onRateLimit,
}: {
  readonly rates: ResolvedRates;
  readonly onRateLimit: RateAction;
}): RateLimits | undefined {
  return Object.keys(rates).length === 0 ? undefined : new RateLimits(rates, onRateLimit);
}
