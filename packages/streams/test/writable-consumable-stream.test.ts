import { WritableConsumableStream } from '@socketcluster-ts/streams';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { consume } from './consume.js';
import { microtask, turn } from './turn.js';

let stream: WritableConsumableStream<unknown>;

beforeEach(() => {
  stream = new WritableConsumableStream();
});

describe('WritableConsumableStream: what a consumer sees', () => {
  it('gives every value to every loop, in order, also when the loop awaits', async () => {
    const slow = consume(stream, turn);
    const quick = consume(stream);
    for (let i = 0; i < 20; i++) stream.write(i);
    stream.close();
    await Promise.all([slow.ended, quick.ended]);
    expect(slow.values).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(quick.values).toEqual(slow.values);
  });

  it('drops what is written before anybody listens', async () => {
    stream.write('dropped');
    const loop = consume(stream);
    stream.write('kept');
    stream.close();
    await loop.ended;
    expect(loop.values).toEqual(['kept']);
  });

  it('gives a consumer what was written between its creation and its loop', async () => {
    const consumer = stream.createConsumer();
    stream.write(1);
    const loop = consume(consumer);
    stream.write(2);
    stream.close();
    await loop.ended;
    expect(loop.values).toEqual([1, 2]);
  });

  it('hears what is written in the same tick in which an async function starts its loop', async () => {
    const loop = consume(stream);
    stream.write('same tick');
    await turn();
    expect(loop.values).toEqual(['same tick']);
  });

  it('gives a promise or an undefined like any other value', async () => {
    const promise = Promise.resolve('inner');
    const consumer = stream.createConsumer();
    stream.write(promise);
    stream.write(undefined);
    const first = await consumer.next();
    expect(first.value).toBe(promise);
    expect(await consumer.next()).toEqual({ value: undefined, done: false });
  });

  it('wakes a waiting loop two microtasks after the write, and never inside it', async () => {
    const loop = consume(stream);
    await turn();
    stream.write('value');
    expect(loop.values).toEqual([]);
    await microtask();
    await microtask();
    expect(loop.values).toEqual(['value']);
  });

  it('is not disturbed by a loop that throws', async () => {
    const broken = consume(stream, () => {
      throw new Error('broken');
    });
    const sound = consume(stream);
    stream.write(1);
    stream.write(2);
    await expect(broken.ended).rejects.toThrow('broken');
    await turn();
    expect(sound.values).toEqual([1, 2]);
    expect(stream.getConsumerCount()).toBe(1);
  });
});

describe('WritableConsumableStream: close and kill', () => {
  it('`close()` lets a loop finish its backlog first', async () => {
    const loop = consume(stream, turn);
    for (let i = 0; i < 5; i++) stream.write(i);
    stream.close();
    await loop.ended;
    expect(loop.values).toEqual([0, 1, 2, 3, 4]);
  });

  it('`close()` counts as backpressure until it is read', async () => {
    const seen: number[] = [];
    const loop = consume(stream, () => {
      seen.push(stream.getBackpressure());
    });
    for (let i = 0; i < 20; i++) stream.write(i);
    stream.close();
    expect(stream.getBackpressure()).toBe(21);
    await loop.ended;
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => 20 - i));
    expect(stream.getBackpressure()).toBe(0);
  });

  it('`close()` does not end consumers that are created afterwards', async () => {
    const before = stream.createConsumer();
    stream.close('end');
    const after = stream.createConsumer();
    stream.write('later');
    expect(await before.next()).toEqual({ value: 'end', done: true });
    expect(await after.next()).toEqual({ value: 'later', done: false });
  });

  it('`kill()` drops the backlog at once, also what a waiting loop was about to get', async () => {
    const waiting = consume(stream);
    const idle = stream.createConsumer();
    for (let i = 0; i < 10; i++) stream.write(i);
    stream.kill('killed');
    expect(stream.getBackpressure()).toBe(0);
    expect(stream.getConsumerCount()).toBe(0);
    expect(idle.isAlive).toBe(false);
    await waiting.ended;
    expect(waiting.values).toEqual([]);
    expect(await idle.next()).toEqual({ value: 'killed', done: true });
  });

  it('`kill()` ends a loop after the iteration it is in', async () => {
    const loop = consume(stream, (value) => value === 3 && stream.kill());
    for (let i = 0; i < 10; i++) stream.write(i);
    await loop.ended;
    expect(loop.values).toEqual([0, 1, 2, 3]);
  });

  it.each(['close', 'kill'] as const)('after `%s()` the stream serves new loops', async (end) => {
    const first = consume(stream);
    stream[end]();
    await first.ended;
    const second = consume(stream);
    stream.write('later');
    await turn();
    expect(second.values).toEqual(['later']);
  });

  it('`killConsumer()` ends one consumer and ignores unknown ids', async () => {
    const [a, b] = [stream.createConsumer(), stream.createConsumer()];
    stream.write(1);
    stream.killConsumer(a.id, 'only a');
    stream.killConsumer(99);
    expect(await a.next()).toEqual({ value: 'only a', done: true });
    expect(await b.next()).toEqual({ value: 1, done: false });
  });

  it('`writeToConsumer()` reaches one consumer, and counts for the others until they pass it', async () => {
    const [a, b] = [stream.createConsumer(), stream.createConsumer()];
    stream.writeToConsumer(a.id, 'for a');
    stream.write('for all');
    expect([a.getBackpressure(), b.getBackpressure()]).toEqual([2, 2]);
    expect(await b.next()).toEqual({ value: 'for all', done: false });
    expect(b.getBackpressure()).toBe(0);
    expect(await a.next()).toEqual({ value: 'for a', done: false });
    expect(await a.next()).toEqual({ value: 'for all', done: false });
  });

  it('`closeConsumer()` ends one consumer after its backlog, and counts for the others', async () => {
    const [a, b] = [stream.createConsumer(), stream.createConsumer()];
    stream.write(1);
    stream.closeConsumer(a.id, 'only a');
    expect([a.getBackpressure(), b.getBackpressure()]).toEqual([2, 2]);
    expect(await a.next()).toEqual({ value: 1, done: false });
    expect(await a.next()).toEqual({ value: 'only a', done: true });
    expect(await b.next()).toEqual({ value: 1, done: false });
    const next = b.next();
    stream.write(2);
    expect(await next).toEqual({ value: 2, done: false });
  });
});

describe('WritableConsumableStream: what it tells about itself', () => {
  it('counts writes as backpressure at once, even for a loop that waits', async () => {
    const loop = consume(stream);
    await turn();
    stream.write(1);
    stream.write(2);
    expect(stream.getBackpressure()).toBe(2);
    await turn();
    expect(loop.values).toEqual([1, 2]);
    expect(stream.getBackpressure()).toBe(0);
  });

  it('gives the highest backpressure of any consumer, and 0 without consumers', async () => {
    expect(stream.getBackpressure()).toBe(0);
    const slow = stream.createConsumer();
    stream.write(1);
    const late = stream.createConsumer();
    stream.write(2);
    expect(stream.getBackpressure()).toBe(2);
    await slow.return();
    expect(stream.getBackpressure()).toBe(1);
    expect(stream.getConsumerBackpressure(late.id)).toBe(1);
    expect(stream.getConsumerBackpressure(slow.id)).toBe(0);
  });

  it('counts ids from 1 and lists consumers in order of registration', () => {
    const [a, b] = [stream.createConsumer(), stream.createConsumer(50)];
    stream.write('value');
    expect(stream.getConsumerStatsList()).toEqual([
      { id: 1, backpressure: 1 },
      { id: 2, backpressure: 1, timeout: 50 },
    ]);
    expect(stream.getConsumerStats(2)).toEqual({ id: 2, backpressure: 1, timeout: 50 });
    expect(stream.getConsumerStats(3)).toBeUndefined();
    expect(stream.getConsumerList()).toEqual([a, b]);
    expect([stream.hasConsumer(1), stream.hasConsumer(3)]).toEqual([true, false]);
    expect(stream.getConsumerCount()).toBe(2);
  });

  it('asks `generateConsumerId` for ids', () => {
    let id = 100;
    const custom = new WritableConsumableStream({ generateConsumerId: () => id++ });
    expect([custom.createConsumer().id, custom.createConsumer().id]).toEqual([100, 101]);
  });

  it('tells `removeConsumerCallback` who left, and says so again when the id was gone already', async () => {
    const removed: number[] = [];
    const custom = new WritableConsumableStream({ removeConsumerCallback: (id) => removed.push(id) });
    const consumer = custom.createConsumer();
    await consumer.return();
    await consumer.return();
    expect(removed).toEqual([1]);
    custom.removeConsumer(1);
    expect(removed).toEqual([1, 1]);
  });

  it('goes on serving others when `removeConsumerCallback` throws', async () => {
    const reported = vi.fn();
    vi.stubGlobal('queueMicrotask', reported);
    try {
      const custom = new WritableConsumableStream({
        removeConsumerCallback: () => {
          throw new Error('callback');
        },
      });
      const loops = [consume(custom), consume(custom)];
      custom.write(1);
      custom.close();
      await Promise.all(loops.map((loop) => loop.ended));
      expect(loops.map((loop) => loop.values)).toEqual([[1], [1]]);
      expect(reported).toHaveBeenCalledTimes(2);
      expect(() => reported.mock.calls[0]?.[0]()).toThrow('callback');
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('`kill()` spares consumers that `removeConsumerCallback` creates', () => {
    const custom: WritableConsumableStream<unknown> = new WritableConsumableStream({
      removeConsumerCallback: () => custom.createConsumer(),
    });
    const consumers = [custom.createConsumer(), custom.createConsumer()];
    custom.kill();
    expect(consumers.map((consumer) => consumer.isAlive)).toEqual([false, false]);
    expect(custom.getConsumerList().map((consumer) => consumer.id)).toEqual([3, 4]);
  });
});
