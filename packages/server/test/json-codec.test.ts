import { jsonCodec as plainCodec } from '@socketcluster-ts/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonCodec } from '../src/index.js';

test('the JSON codec of a server gives what `JSON.stringify()` gives, for anything that looks like an answer', () => {
  const key = fc.constantFrom('rid', 'data', 'error', 'toJSON', '__proto__');
  const content = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constantFrom(null, undefined, -0, 2 ** 53),
  );
  const answer = fc.array(fc.tuple(key, content), { maxLength: 3 });
  const prototype = fc.constantFrom({}, Object.prototype, null, { data: 'inherited' });
  fc.assert(
    fc.property(answer, prototype, fc.nat(3), (fields, parent, hidden) => {
      const value: unknown = Object.create(parent);
      for (const [place, [name, each]] of fields.entries()) {
        const enumerable = place !== hidden;
        Object.defineProperty(value, name, { value: each, enumerable, configurable: true });
      }
      expect(jsonCodec.encode(value)).toBe(JSON.stringify(value));
    }),
    { numRuns: 1000 },
  );
});

/** What an encoder gives, or the message of what it throws. */
function outcome(encode: (value: unknown) => unknown, value: unknown): unknown {
  try {
    return encode(value);
  } catch (error) {
    return `throws ${(error as Error).message}`;
  }
}

test('the JSON codec of a server gives what that of a client gives, for any value', () => {
  const binary = fc
    .uint8Array({ maxLength: 20 })
    .chain((content) =>
      fc.constantFrom<unknown>(
        Buffer.from(content),
        content.slice().buffer,
        content,
        { type: 'Buffer', data: [...content] },
        new Date(content.length),
        { toJSON: () => content.slice().buffer },
      ),
    );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.anything({ withDate: true, withBigInt: true }),
      fc.constantFrom('#1', '#2', null),
      binary,
      fc.array(tie('value')),
      fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('type', 'data', 'rid', '__proto__')), tie('value')),
    ),
  }));
  fc.assert(
    fc.property(value, (any) => {
      expect(outcome(jsonCodec.encode, any)).toBe(outcome(plainCodec.encode, any));
    }),
    { numRuns: 1000 },
  );
  const circular: unknown[] = [];
  circular.push({ circular });
  expect(outcome(jsonCodec.encode, circular)).toBe(outcome(plainCodec.encode, circular));
  expect(outcome(jsonCodec.encode, circular)).toMatch(/^throws .*circular/);
});
