import type { StreamConsumer } from './stream-consumer.js';

/** Called with each value of a stream; a promise is waited for. */
export type EachHandler<T> = (value: T) => unknown;

/** Called with what a handler threw, or what its promise was rejected with, and the value it was called with. */
export type EachErrorHandler<T> = (error: unknown, value: T) => void;

/** How a function is called with the values of a stream. */
export interface EachOptions<T> {
  /**
   * How many values may be in work at once; a whole number from 1, or `Infinity`. Values that wait for an earlier one
   * of the same key count.
   * @default 1, in order; with `key` 16
   */
  readonly concurrency?: number | undefined;
  /**
   * Values with the same key are handled one after the other, in order.
   * @default every value may be handled beside every other one
   */
  readonly key?: ((value: T) => unknown) | undefined;
  /**
   * What happens with an error of the function; the stream goes on.
   * @default what the owner of the stream does with it; for a stream without an owner, `each()` ends and rejects
   */
  readonly onError?: EachErrorHandler<T> | undefined;
}

const CONCURRENCY_WITH_KEY = 16;

/** What is in work of one `each()`. */
interface Work<T> {
  readonly handler: EachHandler<T>;
  readonly onError: EachErrorHandler<T> | undefined;
  readonly limit: number;
  readonly key: ((value: T) => unknown) | undefined;
}

/**
 * Calls a function with each value that a consumer reads; resolves when the consumer has ended and nothing is in work.
 *
 * A value is taken only when it can be put to work: what has to wait stays in the stream, where its backpressure shows.
 * @throws {TypeError} when the handler, the key or `onError` is no function; {RangeError} for another concurrency
 */
export function runEach<T>(
  createConsumer: () => StreamConsumer<T>,
  handler: EachHandler<T>,
  options: EachOptions<T>,
): Promise<void> {
  const { key, onError, concurrency } = options;
  for (const [what, given] of Object.entries({ key, onError, handler })) {
    if (typeof given === 'function' || (given === undefined && what !== 'handler')) continue;
    throw new TypeError(
      `The ${what} of each() must be a function - Got ${given === null ? 'null' : typeof given}`,
    );
  }
  const limit = concurrency ?? (key ? CONCURRENCY_WITH_KEY : 1);
  if (!(limit === Infinity || (Number.isInteger(limit) && limit >= 1))) {
    throw new RangeError(
      `The concurrency of each() must be a whole number from 1, or Infinity - Got ${String(limit)}`,
    );
  }
  // Before anything is waited for: what is written after the call must be seen.
  const consumer = createConsumer();
  return work(consumer, { handler, onError, limit, key });
}

async function work<T>(
  consumer: StreamConsumer<T>,
  { handler, onError, limit, key }: Work<T>,
): Promise<void> {
  /** Of each key, the last value in work. Its promise never rejects. */
  const lastOfKey = new Map<unknown, Promise<void>>();
  let inWork = 0;
  /** The first error that nobody took. */
  let failure: { readonly error: unknown } | undefined;
  let onChange: (() => void) | undefined;
  /** Resolves when something in work is done. */
  const change = (): Promise<void> => new Promise((resolve) => (onChange = resolve));

  function fail(error: unknown, value: T): void {
    try {
      if (!onError) throw error;
      onError(error, value);
    } catch (unhandled) {
      failure ??= { error: unhandled };
      // Ends the loop also while it waits for a value.
      void consumer.return();
    }
  }

  async function finish(running: PromiseLike<unknown>, value: T): Promise<void> {
    inWork += 1;
    try {
      await running;
    } catch (error) {
      fail(error, value);
    }
    inWork -= 1;
    onChange?.();
  }

  /** Gives a promise only when the handler did. */
  function start(value: T): Promise<void> | undefined {
    try {
      const result = handler(value);
      return isThenable(result) ? finish(result, value) : undefined;
    } catch (error) {
      fail(error, value);
      return undefined;
    }
  }

  function startInTurn(value: T, name: unknown): void {
    const before = lastOfKey.get(name);
    const turn = before?.then(() => (failure ? undefined : handler(value)));
    const finished = turn ? finish(turn, value) : start(value);
    if (!finished) return;
    lastOfKey.set(name, finished);
    void finished.then(() => {
      if (lastOfKey.get(name) === finished) lastOfKey.delete(name);
    });
  }

  try {
    for await (const value of consumer) {
      if (!key) {
        const running = start(value);
        if (limit === 1 && running) await running;
      } else startInTurn(value, key(value));
      // oxlint-disable-next-line no-unmodified-loop-condition -- what is in work changes it
      while (inWork >= limit && !failure) await change();
      if (failure) break;
    }
  } finally {
    // oxlint-disable-next-line no-unmodified-loop-condition -- what is in work changes it
    while (inWork > 0) await change();
  }
  if (failure) throw failure.error;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
