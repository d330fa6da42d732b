import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { AddressRates } from '../../src/admission/address-rates.js';

describe('the rate of an address', () => {
  test('is a burst first, then so many in a second; others are not affected', () => {
    const rates = new AddressRates(50, 200);
    let taken = 0;
    for (let count = 0; count < 300; count += 1) if (rates.take('a', 0) === 0) taken += 1;
    expect(taken).toBe(200);
    expect(rates.take('b', 0)).toBe(0);
    expect(rates.take('a', 0)).toBe(20);
    expect(rates.take('a', 20)).toBe(0);
    expect(rates.take('a', 20)).toBe(20);
  });

  const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat(500)), { maxLength: 200 });
  property.prop([fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 10 }), steps])(
    'never gives more than burst and rate, and says when the next one is due',
    (perSecond, burst, sequence) => {
      const rates = new AddressRates(perSecond, burst);
      const takenAt = { a: [] as number[], b: [] as number[] };
      let now = 0;
      for (const [address, pause] of sequence) {
        now += pause;
        const waitMs = rates.take(address, now);
        const times = takenAt[address];
        if (waitMs === 0) {
          times.push(now);
          for (const since of times) {
            const within = times.filter((time) => time >= since).length;
            expect(within).toBeLessThanOrEqual(burst + ((now - since) * perSecond) / 1000 + 1e-6);
          }
        } else {
          now += Math.ceil(waitMs);
          expect(rates.take(address, now)).toBe(0);
          times.push(now);
        }
      }
    },
  );

  test('is forgotten when it is idle, and the memory for it has an end', () => {
    const rates = new AddressRates(50, 200);
    for (let count = 0; count < 1500; count += 1) rates.take(`early ${count}`, 0);
    // One second later all of them are full again.
    for (let count = 0; count < 3000; count += 1) rates.take(`later ${count}`, 1000);
    expect(rates.size).toBeLessThan(4000);
    for (let count = 0; count < 200_000; count += 1) rates.take(`flood ${count}`, 1000);
    expect(rates.size).toBeLessThanOrEqual(65_536);
  });
});
