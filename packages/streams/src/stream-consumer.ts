import type { ConsumerProgress } from './consumer-registry.js';
import type { StreamNode, StreamQueue, Waiter } from './stream-queue.js';
import { TimeoutError } from './timeout-error.js';

/** What a consumer needs of the stream it reads. */
export interface ConsumerStream<T> {
  /** True while that consumer is registered. */
  hasConsumer(id: number): boolean;
  /** Registers a consumer; calls its `attachTo()` first if the consumer came from another stream. */
  setConsumer(id: number, consumer: StreamConsumer<T>): void;
  /** Unregisters a consumer. */
  removeConsumer(id: number): void;
}

/** What a consumer tells about itself. */
export interface ConsumerStats {
  /** The id that the `…Consumer(id)` methods take. */
  id: number;
  /** How many entries were written since the place where the consumer stands. */
  backpressure: number;
  /** The longest wait for one value in milliseconds; absent when there is no limit. */
  timeout?: number;
}

/** What a new consumer is told by its stream. */
export interface StreamConsumerOptions {
  /** Unique among the consumers of the stream. */
  readonly id: number;
  /**
   * The longest wait for one value, in milliseconds. `Infinity`, or more than a timer can count (2^31 - 1), is no limit.
   * @default undefined (no limit)
   */
  readonly timeout?: number | undefined;
  /**
   * True for a consumer made for one call of `next()`, which leaves the stream as soon as that call is settled.
   * @default false
   */
  readonly isTemporary?: boolean | undefined;
}

type Result<T> = IteratorResult<T, unknown>;

const MAX_TIMER_MS = 2 ** 31 - 1;

let serve: <T>(consumer: StreamConsumer<T>, waiter: PendingNext<T>) => boolean;

/** One call of `next()` that waits; used again for the next such call once it was served. */
class PendingNext<T> implements Waiter {
  readonly consumer: StreamConsumer<T>;
  // Undefined between two calls: they lead to the promise, and so to the value that was given last.
  resolve: ((result: Result<T>) => void) | undefined = undefined;
  reject: ((error: TimeoutError) => void) | undefined = undefined;
  timer: ReturnType<typeof setTimeout> | undefined = undefined;

  constructor(consumer: StreamConsumer<T>) {
    this.consumer = consumer;
  }

  serve(): boolean {
    return serve(this.consumer, this);
  }
}

/**
 * Owns one reader's place in a stream, how many calls of `next()` wait there, and whether the reader has ended.
 *
 * It is the iterator of one `for await` loop and iterable itself, so a consumer made ahead of the loop misses nothing:
 * it sees every value written since it was created. Several loops on one consumer share its values; concurrent calls
 * of `next()` are served in the order of the calls.
 *
 * An end (`close()`, `kill()`, a timeout, leaving the loop) unregisters the consumer. Iterating it again registers it
 * again: after `close()` or a timeout it goes on where it stood, after `kill()` with what was written since the kill,
 * after `return()` with what is written from then on. A consumer that has ended and is still referred to keeps its place,
 * and so what is written after it, until `return()`; one that nobody refers to keeps nothing.
 */
export class StreamConsumer<T> implements AsyncIterableIterator<T, unknown, undefined> {
  static {
    // Lets PendingNext, and nobody else, into the private part.
    serve = (consumer, waiter) => consumer.#serve(waiter);
  }

  /** Names this consumer in the `…Consumer(id)` methods of its stream. */
  readonly id: number;
  /** The longest wait for one value in milliseconds; undefined is no limit. */
  readonly timeout: number | undefined;
  /** True when the consumer serves one call of `next()` of its stream. */
  readonly isTemporary: boolean;
  /** How many entries of the stream lie behind this consumer; for streams, to tell the backpressure from. */
  readonly progress: ConsumerProgress;

  #stream: ConsumerStream<T>;
  #queue: StreamQueue;
  #node: StreamNode | undefined;
  #isAlive = true;
  #pending = 0;
  // A loop waits with one call at a time: what that call needs is made once, not for every value.
  #spare: PendingNext<T> | undefined;
  // Set by an end that some call of next() has still to report.
  #end: { readonly value: unknown } | undefined;

  constructor(stream: ConsumerStream<T>, queue: StreamQueue, options: StreamConsumerOptions) {
    this.id = options.id;
    this.timeout = options.timeout;
    this.isTemporary = options.isTemporary ?? false;
    this.#stream = stream;
    this.#queue = queue;
    this.#node = queue.tail;
    queue.readers++;
    this.progress = { read: queue.written };
  }

  /** The stream that is read. Consumers of a demux may move to its newer stream of the same name. */
  get stream(): ConsumerStream<T> {
    return this.#stream;
  }

  /** The place that the next `next()` reads; undefined after `return()`. */
  get currentNode(): StreamNode | undefined {
    this.#queue.showNodes();
    return this.#node;
  }

  /** True until the consumer ends for the first time. */
  get isAlive(): boolean {
    // compat: stays false when the consumer is iterated again.
    return this.#isAlive;
  }

  /**
   * Gives the next value, or waits for it.
   *
   * Resolves to `{ value, done: true }` when the stream was closed or killed, `value` being what was passed there.
   * @throws {TimeoutError} when one wait takes longer than `timeout`; the consumer is then unregistered.
   */
  next(): Promise<IteratorResult<T, unknown>> {
    // differs: upstream wakes only the last of several calls.
    if (this.#pending > 0) return this.#wait();
    const end = this.#end;
    if (end) {
      this.#end = undefined;
      return Promise.resolve({ value: end.value, done: true });
    }
    if (!this.#stream.hasConsumer(this.id)) this.#register();
    const result = this.#take();
    return result ? Promise.resolve(result) : this.#wait();
  }

  /** Leaves the stream at once and gives up the place in it; calls of `next()` that wait are told `done`. */
  return(): Promise<IteratorReturnResult<undefined>> {
    this.#end = undefined;
    if (this.#node) this.#queue.readers--;
    this.#node = undefined;
    this.#leave();
    if (this.#pending > 0) this.#endPending(undefined);
    // differs: upstream gives `{}`, which says that there is more.
    return Promise.resolve({ value: undefined, done: true });
  }

  /** Ends the consumer without its backlog: the next, or waiting, `next()` gives `{ value, done: true }`. */
  kill(value?: unknown): void {
    // differs: upstream gives the backlog after all to a consumer that is iterated again.
    this.#skipBacklog();
    this.#leave();
    this.#endPending(value);
  }

  /** How many entries were written since the place where the consumer stands; 0 when it is not registered. */
  getBackpressure(): number {
    return this.#stream.hasConsumer(this.id) ? this.#queue.written - this.progress.read : 0;
  }

  /** The id, the backpressure, and the timeout if there is one. */
  getStats(): ConsumerStats {
    const stats: ConsumerStats = { id: this.id, backpressure: this.getBackpressure() };
    if (this.timeout !== undefined) stats.timeout = this.timeout;
    return stats;
  }

  /** The consumer itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * Moves an unregistered consumer, with what it has not read yet, to another stream.
   *
   * For streams only: called from `setConsumer()` when the stream this consumer came from was replaced meanwhile.
   */
  attachTo(stream: ConsumerStream<T>, queue: StreamQueue): void {
    if (this.#node) {
      const unread: StreamNode[] = [];
      for (let node = this.#node; node.next; node = node.next) unread.push(node);
      // Copied, not relinked: other consumers may stand in front of the same nodes.
      this.#node = unread.reduceRight<StreamNode>(
        (next, { value, mark }) => ({ value, mark, next }),
        queue.tail,
      );
      this.progress.read = queue.written - unread.length;
      this.#queue.readers--;
      queue.readers++;
    }
    this.#stream = stream;
    this.#queue = queue;
  }

  #register(): void {
    this.#stream.setConsumer(this.id, this);
    if (!this.#node) this.#skipBacklog();
  }

  #leave(): void {
    this.#isAlive = false;
    if (this.#stream.hasConsumer(this.id)) this.#stream.removeConsumer(this.id);
  }

  #skipBacklog(): void {
    if (!this.#node) this.#queue.readers++;
    this.#node = this.#queue.tail;
    this.progress.read = this.#queue.written;
  }

  #endPending(value: unknown): void {
    this.#end = { value };
    this.#queue.wakeSoon();
  }

  #take(): Result<T> | undefined {
    for (let node = this.#node; node?.next !== undefined; node = this.#node) {
      this.#node = node.next;
      this.progress.read++;
      const { mark, value } = node;
      this.#queue.vacate(node);
      if (mark) {
        if (mark.consumerId !== undefined && mark.consumerId !== this.id) continue;
        if (mark.isEnd) {
          this.#leave();
          return { value, done: true };
        }
      }
      return { value: value as T, done: false };
    }
    return undefined;
  }

  #wait(): Promise<Result<T>> {
    const waiter = this.#spare ?? new PendingNext<T>(this);
    this.#spare = undefined;
    const promise = new Promise<Result<T>>((resolve, reject) => {
      waiter.resolve = resolve;
      // Nothing but a timeout rejects; let go, the function is not copied by the garbage collector.
      if (this.timeout !== undefined) waiter.reject = reject;
    });
    if (this.timeout !== undefined) this.#startTimer(waiter, this.timeout);
    this.#pending++;
    this.#queue.wait(waiter);
    return promise;
  }

  #serve(waiter: PendingNext<T>): boolean {
    const position = this.progress.read;
    const result: Result<T> | undefined = this.#end ? { value: this.#end.value, done: true } : this.#take();
    if (waiter.timer && (result || this.progress.read !== position)) {
      clearTimeout(waiter.timer);
      // compat: an entry addressed to somebody else starts the wait anew.
      if (!result && this.timeout !== undefined) this.#startTimer(waiter, this.timeout);
    }
    if (!result) return false;
    this.#pending--;
    // One end is the end of every call that waits: with the consumer unregistered no other would ever be settled.
    if (this.#pending === 0) this.#end = undefined;
    else if (result.done === true) this.#end ??= { value: result.value };
    waiter.resolve?.(result);
    this.#retire(waiter);
    return true;
  }

  #retire(waiter: PendingNext<T>): void {
    waiter.resolve = undefined;
    waiter.reject = undefined;
    waiter.timer = undefined;
    this.#spare = waiter;
  }

  #startTimer(waiter: PendingNext<T>, timeout: number): void {
    if (timeout <= MAX_TIMER_MS) waiter.timer = setTimeout(() => this.#expire(waiter), timeout);
  }

  #expire(waiter: PendingNext<T>): void {
    // The value came first and is on its way; a clock that fires several timers in a row leaves no microtask between.
    if (this.#end || this.#node?.next !== undefined) return;
    this.#queue.forget(waiter);
    this.#pending--;
    if (this.#pending === 0) this.#leave();
    waiter.reject?.(new TimeoutError('Stream consumer iteration timed out'));
    this.#retire(waiter);
  }
}
