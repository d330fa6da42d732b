import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { AsyncStreamEmitter, StreamDemux, WritableConsumableStream } from '../src/index.js';
import { turn } from './turn.js';

interface Gate {
  readonly promise: Promise<void>;
  open(): void;
  fail(error: unknown): void;
}

function gate(): Gate {
  let open!: () => void;
  let fail!: (error: unknown) => void;
  const promise = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

test('each() sees what is written right after the call, in order, and resolves when the stream is closed', async () => {
  const stream = new WritableConsumableStream<number>();
  const seen: number[] = [];
  const done = stream.each(async (value) => {
    await turn();
    seen.push(value);
  });
  for (const value of [1, 2, 3]) stream.write(value);
  stream.close();
  await done;
  expect(seen).toEqual([1, 2, 3]);
});

test('each() takes one value at a time unless it is told otherwise, and the others count as backpressure', async () => {
  const stream = new WritableConsumableStream<number>();
  const gates = [gate(), gate(), gate(), gate()];
  const started: number[] = [];
  const done = stream.each((value) => {
    started.push(value);
    return gates[value]?.promise;
  });
  for (const value of [0, 1, 2, 3]) stream.write(value);
  await turn();
  expect(started).toEqual([0]);
  expect(stream.getBackpressure()).toBe(3);
  for (const each of gates) each.open();
  stream.close();
  await done;
  expect(started).toEqual([0, 1, 2, 3]);
  expect(stream.getBackpressure()).toBe(0);
});

test('each() with a concurrency has so many values in work and leaves the others in the stream', async () => {
  const stream = new WritableConsumableStream<number>();
  const gates = [gate(), gate(), gate(), gate()];
  const started: number[] = [];
  const done = stream.each(
    (value) => {
      started.push(value);
      return gates[value]?.promise;
    },
    { concurrency: 2 },
  );
  for (const value of [0, 1, 2, 3]) stream.write(value);
  await turn();
  expect(started).toEqual([0, 1]);
  expect(stream.getBackpressure()).toBe(2);
  gates[1]?.open();
  await turn();
  expect(started).toEqual([0, 1, 2]);
  for (const each of gates) each.open();
  stream.close();
  await done;
  expect(started).toEqual([0, 1, 2, 3]);
});

test('each() resolves only when everything in work is done, also after a kill', async () => {
  const stream = new WritableConsumableStream<number>();
  const held = gate();
  let isDone = false;
  const done = stream.each(() => held.promise, { concurrency: 2 }).then(() => (isDone = true));
  stream.write(1);
  await turn();
  stream.kill();
  await turn();
  expect(isDone).toBe(false);
  held.open();
  await done;
  expect(isDone).toBe(true);
});

test('without anybody to take it an error ends each(), at once, and no further value is handled', async () => {
  for (const concurrency of [1, 3]) {
    const stream = new WritableConsumableStream<number>();
    const seen: number[] = [];
    const done = stream.each(
      async (value) => {
        seen.push(value);
        await turn();
        if (value === 1) throw new Error('one');
      },
      { concurrency },
    );
    stream.write(0);
    stream.write(1);
    await expect(done).rejects.toThrow('one');
    stream.write(2);
    await turn();
    expect(seen).toEqual([0, 1]);
    expect(stream.getConsumerCount()).toBe(0);
  }
});

test('onError takes what the function throws or rejects with, and the stream goes on', async () => {
  for (const concurrency of [1, 3]) {
    const stream = new WritableConsumableStream<number>();
    const failed: [unknown, number][] = [];
    const done = stream.each(
      (value) => {
        if (value === 1) throw new Error('thrown');
        return value === 2 ? Promise.reject(new Error('rejected')) : undefined;
      },
      { concurrency, onError: (error, value) => failed.push([error, value]) },
    );
    for (const value of [1, 2, 3]) stream.write(value);
    stream.close();
    await done;
    expect(failed).toEqual([
      [new Error('thrown'), 1],
      [new Error('rejected'), 2],
    ]);
  }
});

test('the owner of a demux says what becomes of errors, and onError goes before it', async () => {
  const demux = new StreamDemux<number>();
  const owner: unknown[] = [];
  const own: unknown[] = [];
  const throws = (value: number): void => {
    throw new Error(String(value));
  };
  const done = [
    demux.stream('a', (error) => owner.push(error)).each(throws),
    demux.stream('a', (error) => owner.push(error)).each(throws, { onError: (error) => own.push(error) }),
  ];
  demux.write('a', 1);
  demux.close('a');
  await Promise.all(done);
  expect(owner).toEqual([new Error('1')]);
  expect(own).toEqual([new Error('1')]);
});

test('an emitter emits the errors of its listeners, but not those of its error listeners', async () => {
  const emitter = new AsyncStreamEmitter<{ open: number; error: { error: unknown } }>();
  const error = emitter.listener('error').once();
  void emitter.listener('open').each(() => {
    throw new Error('open');
  });
  emitter.emit('open', 1);
  expect(await error).toEqual({ error: new Error('open') });
  const broken = emitter.listener('error').each(() => {
    throw new Error('broken listener');
  });
  emitter.emit('error', { error: 1 });
  await expect(broken).rejects.toThrow('broken listener');
});

test('each() refuses what it cannot work with and says what is allowed', () => {
  const stream = new WritableConsumableStream<number>();
  expect(() => stream.each(5 as never)).toThrow(
    new TypeError('The handler of each() must be a function - Got number'),
  );
  expect(() => stream.each(() => {}, { key: 'id' as never })).toThrow('The key of each() must be a function');
  expect(() => stream.each(() => {}, { onError: null as never })).toThrow(
    'The onError of each() must be a function',
  );
  for (const concurrency of [0, -1, 1.5, Number.NaN, '2' as never]) {
    expect(() => stream.each(() => {}, { concurrency })).toThrow(RangeError);
  }
  expect(stream.getConsumerCount()).toBe(0);
});

test('a key that cannot be told is an error like any other', async () => {
  const stream = new WritableConsumableStream<{ id: string } | null>();
  const done = stream.each(() => {}, { key: (value) => (value as { id: string }).id });
  stream.write(null);
  await expect(done).rejects.toThrow(TypeError);
});

property.prop([
  fc.array(fc.record({ key: fc.nat(3), takes: fc.nat(3), fails: fc.boolean() }), { maxLength: 30 }),
  fc.integer({ min: 1, max: 6 }),
])(
  'values of one key are handled in order, never two at once, and never more than the concurrency',
  async (values, concurrency) => {
    const stream = new WritableConsumableStream<{
      index: number;
      key: number;
      takes: number;
      fails: boolean;
    }>();
    const finished: number[] = [];
    const failed: number[] = [];
    const busy = new Set<number>();
    let most = 0;
    const done = stream.each(
      async ({ index, key, takes, fails }) => {
        expect(busy.has(key)).toBe(false);
        busy.add(key);
        most = Math.max(most, busy.size);
        for (let left = takes; left > 0; left -= 1) await Promise.resolve();
        busy.delete(key);
        finished.push(index);
        if (fails) throw new Error('fails');
      },
      { concurrency, key: ({ key }) => key, onError: (_error, { index }) => failed.push(index) },
    );
    values.forEach((value, index) => stream.write({ ...value, index }));
    stream.close();
    await done;
    expect(most).toBeLessThanOrEqual(concurrency);
    for (const key of [0, 1, 2, 3]) {
      const ofKey = (indexes: number[]): number[] => indexes.filter((index) => values[index]?.key === key);
      expect(ofKey(finished)).toEqual(ofKey(values.map((_, index) => index)));
    }
    expect(failed.toSorted((a, b) => a - b)).toEqual(
      values.flatMap(({ fails }, index) => (fails ? [index] : [])),
    );
    expect(finished).toHaveLength(values.length);
  },
);
