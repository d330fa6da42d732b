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
   * @throws {TypeError} when the class of the stream does not define it.
   */
  createConsumer(_timeout?: number): StreamConsumer<T> {
    throw new TypeError('Method must be overriden by subclass');
  }

  /**
   * Gives the first value written after the call, or `{ value, done: true }` when the stream is closed or killed first.
   *
   * @param timeout Milliseconds; no limit when left out.
   * @throws {TimeoutError} when nothing came in time.
   */
  async next(timeout?: number): Promise<IteratorResult<T, unknown>> {
    const consumer = this.createConsumer(timeout);
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

  /** A new consumer for one `for await` loop. */
  [Symbol.asyncIterator](): StreamConsumer<T> {
    return this.createConsumer();
  }
}
