import { describe, expect, test, vi } from 'vitest';
import { type AuthToken, isTokenExpired } from '../src/index.js';

describe('`isTokenExpired()`', () => {
  test.each<[what: string, token: AuthToken | null | undefined, nowMs: number, expired: boolean]>([
    ['no token', null, 1, false],
    ['nothing', undefined, 1, false],
    ['a token without exp', { user: 'ann' }, 1, false],
    ['a token before its exp', { exp: 10 }, 9_999, false],
    ['a token at its exp', { exp: 10 }, 10_000, false],
    ['a token after its exp', { exp: 10 }, 10_001, true],
    ['an exp that is no number', { exp: '1' as never }, 10_000, false],
    ['an exp that is not a number at all', { exp: Number.NaN }, 10_000, false],
    ['an exp of 0', { exp: 0 }, 1, true],
  ])('of %s', (_, token, nowMs, expired) => {
    expect(isTokenExpired(token, nowMs)).toBe(expired);
  });

  test('asks the wall clock when no time is given', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 10_001 });
    try {
      expect(isTokenExpired({ exp: 10 })).toBe(true);
      expect(isTokenExpired({ exp: 11 })).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });
});
