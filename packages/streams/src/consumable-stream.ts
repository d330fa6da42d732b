import { type EachHandler, type EachOptions, runEach } from './each.js';
import type { StreamConsumer } from './stream-consumer.js';
import { TimeoutError } from './timeout-error.js';

/**
 * Owns nothing: the read side that all streams have in common, built on `createConsumer()`.
 *
 * A stream is not a buffer. Each loop over it gets a consumer of its own, which sees what is written after the consumer
 * was created; what is written while there is no consumer is gone.
 */
export abstract class ConsumableStream<T> implements AsyncIterable<T, unknown, undefined> {
  /**
   * Gives a new consumer, registered at once: it sees every value written from now on.
   *
   * @param _timeout The longest wait for one value in milliseconds; no limit when left out.
   * @param _isTemporary Whether it serves one call of `next()`, and then leaves. @default false
   * @throws {TypeError} when the class of the stream does not define it.
   */
  createConsumer(_timeout?: number, _isTemporary?: boolean): StreamConsumer<T> {
    throw new TypeError('Method must be overriden by subclass');
  }

  /**
   * Gives the first value written after the call, or `{ value, done: true }` when the stream is closed or killed first.
   *
   * @param timeout Milliseconds; no limit when left out.
   * @throws {TimeoutError} when nothing came in time.
   */
  async next(timeout?: number): Promise<IteratorResult<T, unknown>> {
    const consumer = this.createConsumer(timeout, true);
    const result = await consumer.next();
    void consumer.return();
    return result;
  }

  /**
   * Gives the first value written after the call.
   *
   * Without a timeout the promise stays pending for ever when the stream ends first.
   * @param timeout Milliseconds; no limit when left out.
   * @throws {TimeoutError} when nothing came in time, or when the stream ended first and a timeout was given.
   */
  async once(timeout?: number): Promise<T> {
    const result = await this.next(timeout);
    if (result.done !== true) return result.value;
    // compat: a loop that awaits an event which can no longer come must not run on with nothing in its hands.
    if (timeout === undefined) return new Promise<never>(() => {});
    throw new TimeoutError('Stream consumer operation timed out early because stream ended');
  }

  /**
   * Calls a function with each value from now on, one after the other or, with `concurrency`, several at once. Resolves
   * when the stream was closed or killed and nothing is in work any more.
   *
   * Only what is in work is taken out of the stream: what waits counts as its backpressure, as it does for a loop. What
   * happens when the function throws says `onError`.
   *
   * @example
   * ```ts
   * import { WritableConsumableStream } from '@socketcluster-ts/streams';
   *
   * const orders = new WritableConsumableStream<{ customer: string }>();
   * const done = orders.each(async (order) => console.log(order), {
   *   concurrency: 8,
   *   key: (order) => order.customer,
   *   onError: (error) => console.error(error),
   * });
   * orders.write({ customer: 'Ada' });
   * orders.close();
   * await done;
   * ```
   * @throws {TypeError} when something that has to be a function is none; {RangeError} for an impossible concurrency
   */
  each(handler: EachHandler<T>, options: EachOptions<T> = {}): Promise<void> {
    return runEach(() => this.createConsumer(), handler, options);
  }

  /** A new consumer for one `for await` loop. */
  [Symbol.asyncIterator](): StreamConsumer<T> {
    return this.createConsumer();
  }
}
