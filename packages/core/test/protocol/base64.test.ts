import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { bytesToBase64 } from '../../src/protocol/base64.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

const expected = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** Also views that begin in the middle of their memory. */
const views = fc
  .tuple(fc.uint8Array({ maxLength: 300 }), fc.nat(5))
  .map(([bytes, start]) => bytes.subarray(Math.min(start, bytes.length)));

test('`bytesToBase64()` writes standard base64 with padding', () => {
  fc.assert(
    fc.property(views, (bytes) => {
      expect(bytesToBase64(bytes)).toBe(expected(bytes));
    }),
  );
});

test('`bytesToBase64()` writes the same in a browser, which has no Buffer', () => {
  fc.assert(
    fc.property(views, (bytes) => {
      const base64 = expected(bytes);
      vi.stubGlobal('Buffer', undefined);
      const written = bytesToBase64(bytes);
      vi.unstubAllGlobals();
      expect(written).toBe(base64);
    }),
  );
});
