import { describe, expect, it } from 'vitest';
import { StreamQueue, type Waiter } from '../src/stream-queue.js';
import { microtask } from './turn.js';

/** A waiter that is satisfied at the given attempt, and notes each of them. */
function waiter(name: string, log: string[], attempts = 1): Waiter {
  let attempt = 0;
  return {
    serve() {
      log.push(name);
      return ++attempt >= attempts;
    },
  };
}

describe('StreamQueue', () => {
  it('fills the empty place at its end and opens a new one', () => {
    const queue = new StreamQueue();
    const place = queue.tail;
    expect(place.next).toBeUndefined();
    queue.append('value');
    expect(place).toMatchObject({ value: 'value', mark: undefined });
    expect(place.next).toBe(queue.tail);
    expect(queue.written).toBe(1);
  });

  it('serves the waiters once, in order, however much was appended before', async () => {
    const queue = new StreamQueue();
    const log: string[] = [];
    queue.wait(waiter('a', log));
    queue.wait(waiter('b', log));
    queue.append(1);
    queue.append(2);
    expect(log).toEqual([]);
    await microtask();
    expect(log).toEqual(['a', 'b']);
    queue.append(3);
    await microtask();
    expect(log).toEqual(['a', 'b']);
  });

  it('keeps a waiter that could not be served', async () => {
    const queue = new StreamQueue();
    const log: string[] = [];
    queue.wait(waiter('patient', log, 2));
    queue.wait(waiter('quick', log));
    queue.append(1);
    await microtask();
    queue.append(2);
    await microtask();
    expect(log).toEqual(['patient', 'quick', 'patient']);
  });

  it('does not serve a waiter that was forgotten', async () => {
    const queue = new StreamQueue();
    const log: string[] = [];
    const forgotten = waiter('forgotten', log);
    queue.wait(forgotten);
    queue.wait(waiter('other', log));
    queue.append(1);
    queue.forget(forgotten);
    queue.forget(forgotten);
    await microtask();
    expect(log).toEqual(['other']);
  });
});
