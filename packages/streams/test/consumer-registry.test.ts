import { beforeEach, describe, expect, it } from 'vitest';
import { ConsumerRegistry } from '../src/consumer-registry.js';
import { collectUntil } from './collection.js';

class Reader {
  readonly isTemporary: boolean;
  readonly progress = { read: 0 };
  constructor(isTemporary = false) {
    this.isTemporary = isTemporary;
  }
}

let lost: number[];
let registry: ConsumerRegistry<Reader>;
// Held here for the whole test: the registry does not keep its owner alive.
let owner: { removeConsumer(id: number): void };

beforeEach(() => {
  lost = [];
  owner = { removeConsumer: (id) => lost.push(id) };
  registry = new ConsumerRegistry<Reader>(owner);
});

describe('ConsumerRegistry', () => {
  it('lists consumers in order of registration, also after the first has left and come back', () => {
    const [a, b, c] = [new Reader(), new Reader(), new Reader()];
    registry.add(1, a);
    registry.add(2, b);
    registry.add(3, c);
    expect(registry.list).toEqual([a, b, c]);
    registry.delete(1);
    expect(registry.list).toEqual([b, c]);
    registry.add(1, a);
    expect(registry.list).toEqual([b, c, a]);
    expect(registry.size).toBe(3);
  });

  it('finds consumers by id', () => {
    const [a, b] = [new Reader(), new Reader()];
    registry.add(7, a);
    registry.add(8, b);
    expect(registry.get(7)).toBe(a);
    expect(registry.get(8)).toBe(b);
    expect(registry.get(9)).toBeUndefined();
    expect([registry.has(7), registry.has(8), registry.has(9)]).toEqual([true, true, false]);
  });

  it('tells how far the slowest consumer has come', () => {
    const readers = [3, 1, 2].map((read, id) => {
      const reader = new Reader();
      reader.progress.read = read;
      registry.add(id, reader);
      return reader;
    });
    expect(registry.backpressure(5)).toBe(4);
    registry.delete(1);
    expect(registry.backpressure(5)).toBe(3);
    registry.delete(0);
    expect(registry.backpressure(5)).toBe(3);
    registry.delete(2);
    expect(registry.backpressure(5)).toBe(0);
    expect(readers).toHaveLength(3);
  });

  it('keeps the place of a consumer that is added again, and gives up that of one that is replaced', () => {
    const [a, b, other] = [new Reader(), new Reader(), new Reader()];
    registry.add(1, a);
    registry.add(2, b);
    registry.add(1, a);
    expect(registry.list).toEqual([a, b]);
    registry.add(1, other);
    expect(registry.list).toEqual([b, other]);
  });

  it('tells its owner of a consumer that was collected', async () => {
    const kept = new Reader();
    registry.add(1, kept);
    (() => registry.add(2, new Reader()))();
    expect(await collectUntil(() => lost.length > 0)).toBe(true);
    expect(lost).toEqual([2]);
    expect(registry.get(1)).toBe(kept);
  });

  it('says nothing of a collected consumer that had left', async () => {
    (() => {
      registry.add(1, new Reader());
      registry.delete(1);
      registry.add(2, new Reader());
    })();
    expect(await collectUntil(() => lost.length > 0)).toBe(true);
    expect(lost).toEqual([2]);
  });

  it('holds a temporary consumer', async () => {
    (() => {
      registry.add(1, new Reader(true));
      registry.add(2, new Reader());
    })();
    expect(await collectUntil(() => lost.length > 0)).toBe(true);
    expect(lost).toEqual([2]);
    expect(registry.get(1)).toBeInstanceOf(Reader);
  });
});
