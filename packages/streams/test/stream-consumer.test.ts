import { type StreamConsumer, TimeoutError, WritableConsumableStream } from '@socketcluster-ts/streams';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { consume } from './consume.js';
import { microtask, turn } from './turn.js';

let stream: WritableConsumableStream<unknown>;
let consumer: StreamConsumer<unknown>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  stream = new WritableConsumableStream();
  consumer = stream.createConsumer();
});

afterEach(() => {
  vi.useRealTimers();
});

const timedOut = new TimeoutError('Stream consumer iteration timed out');

describe('StreamConsumer: next()', () => {
  it('lowers the backpressure when it takes from the backlog', async () => {
    stream.write(1);
    stream.write(2);
    expect(consumer.getBackpressure()).toBe(2);
    const next = consumer.next();
    expect(consumer.getBackpressure()).toBe(1);
    expect(await next).toEqual({ value: 1, done: false });
  });

  it('resolves in one microtask when there is a backlog', async () => {
    stream.write(1);
    const settled = vi.fn();
    void consumer.next().then(settled);
    await microtask();
    expect(settled).toHaveBeenCalledWith({ value: 1, done: false });
  });

  it('serves concurrent calls in the order of the calls', async () => {
    const calls = [consumer.next(), consumer.next(), consumer.next()];
    stream.write(1);
    stream.write(2);
    calls.push(consumer.next());
    stream.write(3);
    stream.write(4);
    const results = await Promise.all(calls);
    expect(results.map((result) => result.value)).toEqual([1, 2, 3, 4]);
  });

  it('lets several loops share the values of one consumer', async () => {
    const loops = [consume(consumer), consume(consumer)];
    for (let i = 0; i < 6; i++) {
      stream.write(i);
      await turn();
    }
    expect(loops.map((loop) => loop.values)).toEqual([
      [0, 2, 4],
      [1, 3, 5],
    ]);
  });

  it('tells one end to every call that waits', async () => {
    const calls = [consumer.next(), consumer.next(), consumer.next()];
    stream.write(1);
    stream.close('end');
    stream.write('after');
    const results = await Promise.all(calls);
    expect(results).toEqual([
      { value: 1, done: false },
      { value: 'end', done: true },
      { value: 'end', done: true },
    ]);
    expect(await consumer.next()).toEqual({ value: 'after', done: false });
  });

  it('is iterable itself', () => {
    expect(consumer[Symbol.asyncIterator]()).toBe(consumer);
    expect(consumer.stream).toBe(stream);
  });

  it('shows the place that is read next', async () => {
    const place = consumer.currentNode;
    stream.write('value');
    expect(place?.value).toBe('value');
    const next = place?.next;
    await consumer.next();
    expect(consumer.currentNode).toBe(next);
  });

  it('lets nothing lead from a place that every reader has passed to what came later', async () => {
    const place = consumer.currentNode;
    stream.write('value');
    expect(await consumer.next()).toEqual({ value: 'value', done: false });
    expect(place).toEqual({ value: undefined, mark: undefined, next: undefined });
  });

  it('keeps the places that another reader has before it, until that one has left', async () => {
    const slow = stream.createConsumer();
    const place = consumer.currentNode;
    stream.write('a');
    stream.write('b');
    await consumer.next();
    await consumer.next();
    expect(place?.value).toBe('a');
    expect(await slow.next()).toEqual({ value: 'a', done: false });
    expect(await slow.next()).toEqual({ value: 'b', done: false });
    await slow.return();
    const later = consumer.currentNode;
    stream.write('c');
    expect(await consumer.next()).toEqual({ value: 'c', done: false });
    expect(later?.next).toBeUndefined();
  });

  it('keeps the places before a reader that has ended and may go on', async () => {
    const ended = stream.createConsumer();
    stream.closeConsumer(ended.id);
    await ended.next();
    stream.write('after its end');
    expect(await consumer.next()).toEqual({ value: 'after its end', done: false });
    expect(await ended.next()).toEqual({ value: 'after its end', done: false });
  });
});

describe('StreamConsumer: timeout', () => {
  beforeEach(async () => {
    await consumer.return();
    consumer = stream.createConsumer(10);
  });

  it('limits each wait by itself', async () => {
    const loop = consume(consumer);
    for (let i = 0; i < 5; i++) {
      vi.advanceTimersByTime(9);
      stream.write(i);
      await turn();
    }
    vi.advanceTimersByTime(10);
    await expect(loop.ended).rejects.toEqual(timedOut);
    expect(loop.values).toEqual([0, 1, 2, 3, 4]);
    expect(stream.getConsumerCount()).toBe(0);
    expect(consumer.isAlive).toBe(false);
  });

  it('does not count the time that the body of the loop takes', async () => {
    stream.write(1);
    await consumer.next();
    vi.advanceTimersByTime(100);
    expect(vi.getTimerCount()).toBe(0);
    const next = consumer.next();
    stream.write(2);
    expect(await next).toEqual({ value: 2, done: false });
  });

  it('goes on where it stood when it is iterated again', async () => {
    const first = consumer.next();
    vi.advanceTimersByTime(10);
    await expect(first).rejects.toEqual(timedOut);
    stream.write('in the gap');
    expect(consumer.getBackpressure()).toBe(0);
    expect(await consumer.next()).toEqual({ value: 'in the gap', done: false });
    expect(stream.hasConsumer(consumer.id)).toBe(true);
    const next = consumer.next();
    stream.write('later');
    expect(await next).toEqual({ value: 'later', done: false });
  });

  it('is started anew by an entry for somebody else', async () => {
    const next = consumer.next();
    vi.advanceTimersByTime(9);
    stream.writeToConsumer(99, 'not yours');
    expect(consumer.getBackpressure()).toBe(1);
    await turn();
    expect(consumer.getBackpressure()).toBe(0);
    vi.advanceTimersByTime(9);
    stream.write('yours');
    expect(await next).toEqual({ value: 'yours', done: false });
  });

  it('lets a value that was written in time win', async () => {
    const next = consumer.next();
    stream.write('value');
    vi.advanceTimersByTime(10);
    expect(await next).toEqual({ value: 'value', done: false });
  });

  it('expires call by call when several wait', async () => {
    const early = consumer.next();
    vi.advanceTimersByTime(5);
    const late = consumer.next();
    vi.advanceTimersByTime(5);
    await expect(early).rejects.toEqual(timedOut);
    expect(stream.hasConsumer(consumer.id)).toBe(true);
    stream.write('value');
    expect(await late).toEqual({ value: 'value', done: false });
  });

  it('of 0 is a limit too', async () => {
    const next = stream.createConsumer(0).next();
    vi.advanceTimersByTime(1);
    await expect(next).rejects.toEqual(timedOut);
  });
});

describe('StreamConsumer: after its end', () => {
  it('misses nothing that is written after `close()` when it is iterated again', async () => {
    const got: unknown[] = [];
    const run = async (): Promise<void> => {
      for (const round of ['first', 'second']) {
        for await (const value of consumer) got.push(value);
        got.push(round);
      }
    };
    const ended = run();
    stream.write(1);
    stream.close();
    stream.write(2);
    await turn();
    stream.write(3);
    stream.close();
    await ended;
    expect(got).toEqual([1, 'first', 2, 3, 'second']);
  });

  it('is unregistered before the end is told', async () => {
    stream.close();
    const next = consumer.next();
    expect(stream.getConsumerCount()).toBe(0);
    expect(consumer.isAlive).toBe(false);
    expect(await next).toEqual({ value: undefined, done: true });
  });

  it('does not replay what it had not read when it was killed', async () => {
    stream.write('dropped');
    stream.kill('killed');
    stream.write('after the kill');
    expect(consumer.getBackpressure()).toBe(0);
    expect(await consumer.next()).toEqual({ value: 'killed', done: true });
    const next = consumer.next();
    expect(consumer.getBackpressure()).toBe(0);
    expect(await next).toEqual({ value: 'after the kill', done: false });
    expect(stream.hasConsumer(consumer.id)).toBe(true);
    expect(consumer.isAlive).toBe(false);
  });

  it('`kill()` ends this consumer alone, whether it waits or not', async () => {
    const other = stream.createConsumer();
    const pending = consumer.next();
    consumer.kill('mine');
    expect(stream.getConsumerList()).toEqual([other]);
    expect(await pending).toEqual({ value: 'mine', done: true });
    other.kill('idle');
    expect(await other.next()).toEqual({ value: 'idle', done: true });
  });

  it('tells a kill to every call that waits', async () => {
    const calls = [consumer.next(), consumer.next()];
    stream.write('dropped');
    stream.kill('killed');
    calls.push(consumer.next());
    expect(await Promise.all(calls)).toEqual(calls.map(() => ({ value: 'killed', done: true })));
    const next = consumer.next();
    stream.write('later');
    expect(await next).toEqual({ value: 'later', done: false });
  });

  it('`return()` leaves at once, and a later `next()` starts at the end of the stream', async () => {
    stream.write('dropped');
    const left = consumer.return();
    expect(stream.getConsumerCount()).toBe(0);
    expect(consumer.isAlive).toBe(false);
    expect(consumer.currentNode).toBeUndefined();
    expect(await left).toEqual({ value: undefined, done: true });
    stream.write('missed');
    const next = consumer.next();
    stream.write('seen');
    expect(await next).toEqual({ value: 'seen', done: false });
  });

  it('`return()` after a kill takes the end back', async () => {
    consumer.kill();
    await consumer.return();
    const next = consumer.next();
    stream.write('seen');
    expect(await next).toEqual({ value: 'seen', done: false });
  });

  it('`return()` ends the other loops over the same consumer', async () => {
    const pending = consumer.next();
    await consumer.return();
    expect(await pending).toEqual({ value: undefined, done: true });
  });

  it.each(['break', 'throw'])('a loop that ends by `%s` unregisters its consumer', async (how) => {
    const run = async (): Promise<void> => {
      for await (const _ of stream) {
        if (how === 'break') break;
        throw new Error('thrown');
      }
    };
    const ended = run();
    expect(stream.getConsumerCount()).toBe(2);
    stream.write(1);
    await ended.catch(() => {});
    expect(stream.getConsumerList()).toEqual([consumer]);
  });

  it('`getStats()` tells id, backpressure and the timeout if there is one', async () => {
    stream.write(1);
    expect(consumer.getStats()).toEqual({ id: 1, backpressure: 1 });
    expect(stream.createConsumer(20).getStats()).toEqual({ id: 2, backpressure: 0, timeout: 20 });
    consumer.kill();
    expect(consumer.getStats()).toEqual({ id: 1, backpressure: 0 });
  });
});
