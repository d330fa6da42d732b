import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exceedsDepth } from '../../src/index.js';

/** The JSON nesting of a value that came from JSON. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function nested(depth: number): unknown {
  let value: unknown = 'x';
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { value };
  return value;
}

function circular(): unknown[] {
  const value: unknown[] = [];
  value.push({ value });
  return value;
}

describe('`exceedsDepth()`', () => {
  test.each<[what: string, value: unknown, depth: number]>([
    ['a text', 'x', 0],
    ['null', null, 0],
    ['undefined', undefined, 0],
    ['an empty object', {}, 1],
    ['an empty array', [], 1],
    ['a flat object', { a: 1, b: 'x', c: null }, 1],
    ['an array of objects', [{}], 2],
    ['a date in an object', { at: new Date(0) }, 1],
    ['binary data in an object', { bytes: new Uint8Array(3), buffer: Buffer.alloc(3) }, 1],
    ['what toJSON() gives', { a: { toJSON: () => 'x', deep: nested(50) } }, 1],
    ['what toJSON() gives, if it is an object', { a: { toJSON: () => [[]] } }, 3],
    ['what toJSON() gives, whose own toJSON() JSON ignores', { toJSON: () => ({ toJSON: () => 'x' }) }, 1],
    ['inherited fields, which JSON ignores', Object.create({ a: [[]] }), 1],
    ['ten levels', nested(10), 10],
  ])('counts %s', (_, value, depth) => {
    if (depth > 1) expect(exceedsDepth(value, depth - 1)).toBe(true);
    if (depth > 0) expect(exceedsDepth(value, depth)).toBe(false);
    expect(exceedsDepth(value, depth + 1)).toBe(false);
  });

  test('a cycle exceeds every depth', () => {
    expect(exceedsDepth(circular(), 1)).toBe(true);
    expect(exceedsDepth(circular(), 10_000)).toBe(true);
  });

  test.each([[0], [Infinity]])('%d means no limit', (maxDepth) => {
    expect(exceedsDepth(nested(100), maxDepth)).toBe(false);
    expect(exceedsDepth(circular(), maxDepth)).toBe(false);
  });

  test('any nesting is judged without exhausting the stack', () => {
    const deep = nested(200_000);
    expect(exceedsDepth(deep, 64)).toBe(true);
    expect(exceedsDepth(deep, 200_000)).toBe(false);
  });

  test('objects that are shared many times over are looked at once for each level', () => {
    let value: unknown = {};
    for (let level = 0; level < 60; level++) value = [value, value];
    expect(exceedsDepth(value, 64)).toBe(false);
    expect(exceedsDepth(value, 60)).toBe(true);
  });

  test('a getter or toJSON() that throws is left for the codec to report', () => {
    const fail = (): never => {
      throw new Error('no');
    };
    expect(exceedsDepth(Object.defineProperty({}, 'a', { enumerable: true, get: fail }), 1)).toBe(false);
    expect(exceedsDepth({ a: { toJSON: fail } }, 1)).toBe(false);
  });

  test('agrees with the nesting of the text, for any JSON', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), fc.integer({ min: 1, max: 10 }), (json, maxDepth) => {
        const value: unknown = JSON.parse(json);
        expect(exceedsDepth(value, maxDepth)).toBe(depthOf(value) > maxDepth);
      }),
    );
  });
});
