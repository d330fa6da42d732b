import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lane } from '../../src/socket/lane.js';

/** What waits, as simply as it can be said. */
interface Entry {
  readonly n: number;
  readonly bytes: number;
  readonly key: string | undefined;
  readonly mayBeDropped: boolean;
}

const mayDrop = ({ mayBeDropped }: Entry): boolean => mayBeDropped;
const bytesOf = (entries: readonly Entry[]): number => entries.reduce((sum, { bytes }) => sum + bytes, 0);

/** Many of the same in a row, so that the lane is copied together on the way. */
const anyStep = fc.record({
  kind: fc.constantFrom('push', 'push', 'push', 'take', 'dropOldest', 'dropNewest', 'supersede', 'remove'),
  times: fc.integer({ min: 1, max: 400 }),
  bytes: fc.integer({ min: 0, max: 1000 }),
  keys: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 20 }) },
  ),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  mayBeDropped: fc.boolean(),
});

test('a lane does what a simple list does, whatever is added, taken, dropped and replaced', () => {
  let longest = 0;
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 10, maxLength: 40, size: 'max' }), (steps) => {
      const lane = new Lane<Entry>();
      let model: Entry[] = [];
      let n = 0;
      for (const { kind, times, bytes, keys, share, mayBeDropped } of steps) {
        const downTo = Math.floor(bytesOf(model) * share);
        if (kind === 'push') {
          for (let time = 0; time < times; time += 1) {
            const key = keys === 0 ? undefined : String(n % keys);
            const entry = { n, bytes, key, mayBeDropped };
            n += 1;
            const older = key === undefined ? undefined : lane.supersede(key);
            expect(older).toBe(model.findLast((each) => key !== undefined && each.key === key));
            model = model.filter((each) => each !== older);
            lane.push(entry, bytes, n, key);
            model.push(entry);
          }
        } else if (kind === 'take') {
          for (let time = 0; time < times; time += 1) expect(lane.take()).toBe(model.shift());
        } else if (kind === 'supersede') {
          const older = lane.supersede(String(keys));
          expect(older).toBe(model.findLast(({ key }) => key === String(keys)));
          model = model.filter((each) => each !== older);
        } else if (kind === 'remove') {
          const isGone = (entry: Entry): boolean => entry.n % 7 === keys % 7;
          lane.remove(isGone);
          model = model.filter((entry) => !isGone(entry));
        } else {
          const isOldest = kind === 'dropOldest';
          const dropped: Entry[] = [];
          let left = bytesOf(model);
          for (const entry of isOldest ? model : model.toReversed()) {
            if (left <= downTo) break;
            if (!entry.mayBeDropped) continue;
            left -= entry.bytes;
            dropped.push(entry);
          }
          expect([...lane[kind === 'dropOldest' ? 'dropOldest' : 'dropNewest'](downTo, mayDrop)]).toEqual(
            dropped,
          );
          model = model.filter((entry) => !dropped.includes(entry));
        }
        longest = Math.max(longest, model.length);
        expect({ count: lane.count, bytes: lane.bytes }).toEqual({
          count: model.length,
          bytes: bytesOf(model),
        });
      }
      expect(lane.since).toBe(model[0] === undefined ? undefined : model[0].n + 1);
      expect(lane.takeAll()).toEqual(model);
    }),
    { numRuns: 30 },
  );
  expect(longest).toBeGreaterThan(600);
});
