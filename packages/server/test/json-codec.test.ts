import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonCodec } from '../src/index.js';

test('the JSON codec of a server gives what `JSON.stringify()` gives, for anything that looks like an answer', () => {
  const key = fc.constantFrom('rid', 'data', 'error', 'toJSON', '__proto__');
  const content = fc.oneof(
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
