import { DEFAULT_DEADLINE_MS, withDeadline } from './deadline.js';

/**
 * Resolves with the next `count` values of `stream`, in order; fewer if the stream ends before.
 *
 * The consumer exists from the call on, so what is written in the same tick is seen. It is given back when
 * the promise settles. Rejects when `deadlineMs` passes first, telling how many values had come.
 */
export function take<T>(
  stream: AsyncIterable<T>,
  count: number,
  deadlineMs: number = DEFAULT_DEADLINE_MS,
): Promise<T[]> {
  const iterator = stream[Symbol.asyncIterator]();
  return collect(iterator, count, deadlineMs);
}

/** Resolves with the next value of `stream`; rejects when the stream ends or `deadlineMs` passes first. */
export async function nextValue<T>(
  stream: AsyncIterable<T>,
  deadlineMs: number = DEFAULT_DEADLINE_MS,
): Promise<T> {
  for (const value of await take(stream, 1, deadlineMs)) return value;
  throw new Error('The stream ended without a value');
}

async function collect<T>(iterator: AsyncIterator<T>, count: number, deadlineMs: number): Promise<T[]> {
  const values: T[] = [];
  const giveUpAt = performance.now() + deadlineMs;
  try {
    while (values.length < count) {
      const left = Math.max(1, Math.ceil(giveUpAt - performance.now()));
      const step = await withDeadline(iterator.next(), `value ${values.length + 1} of ${count}`, left);
      if (step.done === true) break;
      values.push(step.value);
    }
  } finally {
    await iterator.return?.();
  }
  return values;
}
