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
  mustBeFunction('handler', handler);
  if (key !== undefined) mustBeFunction('key', key);
  if (onError !== undefined) mustBeFunction('onError', onError);
  const limit = concurrency ?? (key === undefined ? 1 : CONCURRENCY_WITH_KEY);
  if (!(limit === Infinity || (Number.isInteger(limit) && limit >= 1))) {
    throw new RangeError(
      `The concurrency of each() must be a whole number from 1, or Infinity - Got ${String(limit)}`,
    );
  }
  // Before anything is waited for: what is written after the call must be seen.
  const consumer = createConsumer();
  const work: Work<T> = { handler, onError, limit, key };
  return limit === 1 ? inOrder(consumer, work) : sideBySide(consumer, work);
}

async function inOrder<T>(consumer: StreamConsumer<T>, work: Work<T>): Promise<void> {
  for await (const value of consumer) {
    const running = handle(work, value);
    if (running !== undefined) await running;
  }
}

async function sideBySide<T>(consumer: StreamConsumer<T>, work: Work<T>): Promise<void> {
  // A failure that nobody takes ends the loop, also while it waits for a value.
  const bench = new Workbench(work, () => void consumer.return());
  try {
    for await (const value of consumer) {
      bench.start(value);
      while (bench.isFull) await bench.change();
      if (bench.failure !== undefined) break;
    }
  } finally {
    while (bench.inWork > 0) await bench.change();
  }
  if (bench.failure !== undefined) throw bench.failure.error;
}

/** Owns the values that are in work side by side, and the first error that nobody took. */
class Workbench<T> {
  inWork = 0;
  failure: { readonly error: unknown } | undefined;
  readonly #work: Work<T>;
  /** Of each key, the last value in work. Its promise never rejects. */
  readonly #lastOfKey = new Map<unknown, Promise<void>>();
  readonly #onFailure: () => void;
  #onChange: (() => void) | undefined;

  constructor(work: Work<T>, onFailure: () => void) {
    this.#work = work;
    this.#onFailure = onFailure;
  }

  get isFull(): boolean {
    return this.inWork >= this.#work.limit && this.failure === undefined;
  }

  /** Resolves when something has left the bench. */
  change(): Promise<void> {
    return new Promise((resolve) => (this.#onChange = resolve));
  }

  start(value: T): void {
    const { key } = this.#work;
    if (key === undefined) {
      const running = handle(this.#work, value);
      if (running !== undefined) void this.#finish(running);
      return;
    }
    const name = key(value);
    const before = this.#lastOfKey.get(name);
    const running = before === undefined ? handle(this.#work, value) : this.#after(before, value);
    if (running === undefined) return;
    const finished = this.#finish(running);
    this.#lastOfKey.set(name, finished);
    void finished.then(() => {
      if (this.#lastOfKey.get(name) === finished) this.#lastOfKey.delete(name);
    });
  }

  async #after(before: Promise<void>, value: T): Promise<void> {
    await before;
    if (this.failure === undefined) await handle(this.#work, value);
  }

  /** Never rejects. */
  async #finish(running: Promise<void>): Promise<void> {
    this.inWork += 1;
    try {
      await running;
    } catch (error) {
      this.failure ??= { error };
      this.#onFailure();
    }
    this.inWork -= 1;
    this.#onChange?.();
  }
}

/** Calls the handler; gives a promise only when it did. Without `onError` an error is thrown, or rejects the promise. */
function handle<T>(work: Work<T>, value: T): Promise<void> | undefined {
  const { handler, onError } = work;
  try {
    const result = handler(value);
    return isThenable(result) ? settle(result, value, onError) : undefined;
  } catch (error) {
    if (onError === undefined) throw error;
    onError(error, value);
    return undefined;
  }
}

async function settle<T>(
  result: PromiseLike<unknown>,
  value: T,
  onError: EachErrorHandler<T> | undefined,
): Promise<void> {
  try {
    await result;
  } catch (error) {
    if (onError === undefined) throw error;
    onError(error, value);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

function mustBeFunction(what: string, value: unknown): void {
  if (typeof value !== 'function') {
    throw new TypeError(
      `The ${what} of each() must be a function - Got ${value === null ? 'null' : typeof value}`,
    );
  }
}
