import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BucketTable } from '../../src/limits/bucket-table.js';
import { ScopeBuckets } from '../../src/limits/scope-buckets.js';
import { TokenBucket } from '../../src/limits/token-bucket.js';

/** What is a rounding error of a double here. */
const CLOSE = 1e-6;

const rates = fc.record({
  perSecond: fc.constantFrom(0.5, 1, 3, 10, 1000, 4 * 1024 * 1024),
  burst: fc.constantFrom(1, 2, 7, 100, 4 * 1024 * 1024),
});
const steps = fc.array(
  fc.record({
    afterMs: fc.constantFrom(0, 0.1, 1, 20, 333, 5000, 100_000),
    share: fc.double({ min: 0, max: 1.5, noNaN: true }),
  }),
  { maxLength: 60 },
);

describe('a token bucket', () => {
  test('in no stretch of time gives more than a burst and what comes back in it, and never less', () => {
    fc.assert(
      fc.property(rates, steps, ({ perSecond, burst }, taken) => {
        const bucket = new TokenBucket({ perSecond, burst }, 0);
        const history: { at: number; amount: number }[] = [];
        let now = 0;
        for (const { afterMs, share } of taken) {
          now += afterMs;
          const amount = Math.min(share * burst, burst);
          /** What the takes of any stretch that ends now leave of it. */
          let left = burst;
          let sum = 0;
          for (const { at, amount: before } of history.toReversed()) {
            sum += before;
            left = Math.min(left, burst + ((now - at) / 1000) * perSecond - sum);
          }
          const margin = CLOSE * Math.max(burst, 1);
          if (Math.abs(left - amount) > margin) expect(bucket.has(amount, now)).toBe(left > amount);
          if (bucket.has(amount, now)) {
            bucket.take(amount, now);
            history.push({ at: now, amount });
          }
        }
      }),
    );
  });

  test('that owes is free of debt when it said it would be, whatever was asked meanwhile', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 1, max: 20 }), fc.nat({ max: 10 }), (rate, bursts, asks) => {
        const bucket = new TokenBucket(rate, 0);
        bucket.take(rate.burst * (bursts + 1), 0);
        const debtMs = bucket.waitMs(0, 0);
        expect(debtMs).toBeCloseTo(((rate.burst * bursts) / rate.perSecond) * 1000, 3);
        for (let n = 1; n <= asks; n += 1) bucket.has(1, (debtMs * n) / (asks + 1));
        expect(bucket.waitMs(0, debtMs * 0.99)).toBeGreaterThan(0);
        expect(bucket.waitMs(0, debtMs + 1)).toBe(0);
        const gained = rate.perSecond / 1000;
        // What is a burst but for rounding may be one or not.
        if (Math.abs(gained - rate.burst) > rate.burst * 1e-6)
          expect(bucket.isFull(debtMs + 1)).toBe(gained > rate.burst);
        expect(bucket.isFull(debtMs + (rate.burst / rate.perSecond) * 1000 + 1)).toBe(true);
      }),
    );
  });

  test('lets through what is larger than a burst when it is full', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, 0);
    expect(bucket.has(50, 0)).toBe(true);
    bucket.take(50, 0);
    expect(bucket.waitMs(0, 0)).toBe(4500);
    expect(bucket.has(1, 4550)).toBe(false);
    expect(bucket.has(1, 4600)).toBe(true);
  });
});

describe('the buckets of addresses and users', () => {
  const RATES = { messages: { perSecond: 1000, burst: 10 } };

  test('are one for each name, and forgotten when they are full again', () => {
    const table = new BucketTable((now) => new ScopeBuckets(RATES, now));
    table.of('a', 0).of('messages')?.take(10, 0);
    expect(table.of('a', 0).of('messages')?.has(1, 0)).toBe(false);
    expect(table.of('b', 0).of('messages')?.has(1, 0)).toBe(true);
    for (let n = 0; n < 100_000; n += 1)
      table
        .of(`name ${n}`, n * 10)
        .of('messages')
        ?.take(1, n * 10);
    expect(table.size).toBeLessThan(2050);
  });

  test('are bounded in number, whoever comes', () => {
    const table = new BucketTable((now) => new ScopeBuckets(RATES, now));
    for (let n = 0; n < 150_000; n += 1) table.of(`name ${n}`, 0).of('messages')?.take(10, 0);
    expect(table.size).toBeLessThanOrEqual(65_536);
    // Who came last is still known.
    expect(table.of('name 149999', 0).of('messages')?.has(1, 0)).toBe(false);
  });
});
