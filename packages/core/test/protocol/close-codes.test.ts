import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CLOSE_CODES,
  closeReason,
  errorStatuses,
  ignoreStatuses,
  isIgnoredStatus,
  sanitizeClose,
} from '../../src/index.js';

const encoder = new TextEncoder();
const byteLength = (text: string): number => encoder.encode(text).length;

describe('the tables', () => {
  test('are frozen and inherit nothing', () => {
    for (const table of [errorStatuses, ignoreStatuses]) {
      expect(Object.isFrozen(table)).toBe(true);
      expect(Object.getPrototypeOf(table)).toBeNull();
    }
  });

  test('have a text for every named code', () => {
    for (const code of Object.values(CLOSE_CODES)) {
      expect(errorStatuses[code] ?? ignoreStatuses[code]).toMatch(/\w/);
    }
  });

  test('share 1001 and differ in 1000', () => {
    expect(errorStatuses[1001]).toBe('Socket was disconnected');
    expect(ignoreStatuses[1001]).toBe('Socket was disconnected');
    expect(ignoreStatuses[1000]).toBe('Socket closed normally');
    expect(errorStatuses[1000]).toBeUndefined();
  });
});

describe('`closeReason()`', () => {
  test.each([
    [4001, 'mine', 'mine'],
    [4001, '', 'Client pong timed out'],
    [4001, undefined, 'Client pong timed out'],
    [4501, '', ''],
    [1000, '', ''],
  ])('of %d with %j is %j', (code, reason, expected) => {
    expect(closeReason(code, reason)).toBe(expected);
  });
});

test.each([
  [1000, true],
  [1001, true],
  [1002, false],
  [4500, false],
])('`isIgnoredStatus(%d)` is %s', (code, expected) => {
  expect(isIgnoredStatus(code)).toBe(expected);
});

describe('`sanitizeClose()`', () => {
  test.each([1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4000, 4501, 4999])(
    'keeps the code %d',
    (code) => {
      expect(sanitizeClose(code, 'r')).toEqual({ code, reason: 'r' });
    },
  );

  test.each([
    999,
    1004,
    1005,
    1006,
    1015,
    2000,
    2999,
    5000,
    1000.5,
    -1,
    Number.NaN,
    Infinity,
    '4000',
    null,
    undefined,
    {},
  ])('turns the code %s into 1000', (code) => {
    expect(sanitizeClose(code, '').code).toBe(1000);
  });

  test.each([[undefined], [null], [5], [{}], [Symbol('s')]])(
    'turns the reason %s into an empty one',
    (reason) => {
      expect(sanitizeClose(1000, reason).reason).toBe('');
    },
  );

  test.each<[what: string, reason: string, kept: string]>([
    ['123 bytes whole', 'x'.repeat(123), 'x'.repeat(123)],
    ['124 bytes to 123', 'x'.repeat(124), 'x'.repeat(123)],
    ['two-byte characters', `${'x'.repeat(122)}é`, 'x'.repeat(122)],
    ['three-byte characters', `${'x'.repeat(121)}€`, 'x'.repeat(121)],
    ['emoji', `${'x'.repeat(120)}😀`, 'x'.repeat(120)],
    ['an emoji that just fits', `${'x'.repeat(119)}😀z`, `${'x'.repeat(119)}😀`],
  ])('cuts %s on a character boundary', (_, reason, kept) => {
    expect(sanitizeClose(1000, reason).reason).toBe(kept);
  });

  test('keeps the longest beginning that fits into 123 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (reason) => {
        const kept = sanitizeClose(1000, reason).reason;
        expect(reason.startsWith(kept)).toBe(true);
        expect(byteLength(kept)).toBeLessThanOrEqual(123);
        const [next] = reason.slice(kept.length);
        if (next !== undefined) expect(byteLength(kept + next)).toBeGreaterThan(123);
      }),
    );
  });
});
