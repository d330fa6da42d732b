import { ConsumableStream } from './consumable-stream.js';
import { ConsumerRegistry } from './consumer-registry.js';
import { type ConsumerStats, type ConsumerStream, StreamConsumer } from './stream-consumer.js';
import { StreamQueue } from './stream-queue.js';

/** Settings of a `WritableConsumableStream`. */
export interface WritableConsumableStreamOptions {
  /**
   * Gives the id of each new consumer; must not repeat itself.
   * @default 1, 2, 3 and so on
   */
  generateConsumerId?: (() => number) | undefined;
  /**
   * Called with the id of each consumer that leaves the stream. What it throws is reported as an uncaught error.
   * @default nothing is called
   */
  removeConsumerCallback?: ((id: number) => void) | undefined;
}

/**
 * Owns one stream of values: its queue and the list of its consumers.
 *
 * Every consumer sees every value, in order, from the place where it stood when it was created. Writing never runs the
 * code of a consumer and never throws for its sake; a waiting loop goes on two microtasks later. The backpressure of a
 * consumer is the number of entries it has not read yet, with end markers and entries addressed to others.
 *
 * @example
 * ```ts
 * import { WritableConsumableStream } from '@socketcluster-ts/streams';
 *
 * const stream = new WritableConsumableStream<string>();
 * const consumer = stream.createConsumer();
 * stream.write('hello');
 * stream.close();
 * for await (const value of consumer) console.log(value);
 * ```
 */
export class WritableConsumableStream<T> extends ConsumableStream<T> implements ConsumerStream<T> {
  readonly #queue = new StreamQueue();
  readonly #consumers = new ConsumerRegistry<StreamConsumer<T>>(this);
  readonly #generateConsumerId: (() => number) | undefined;
  readonly #removeConsumerCallback: ((id: number) => void) | undefined;
  #lastConsumerId = 0;

  constructor(options: WritableConsumableStreamOptions = {}) {
    super();
    this.#generateConsumerId = options.generateConsumerId;
    this.#removeConsumerCallback = options.removeConsumerCallback;
  }

  /** Appends a value for all consumers. */
  write(value: T): void {
    this.#queue.append(value);
  }

  /**
   * Ends all consumers once they have read what was written before; `value` is the value of their `done` result.
   *
   * The stream stays usable: consumers that are created or iterated again later do not see this end.
   */
  close(value?: unknown): void {
    this.#queue.append(value, { consumerId: undefined, isEnd: true });
  }

  /** Ends all consumers at once, without what they have not read; `value` is the value of their `done` result. */
  kill(value?: unknown): void {
    // A snapshot: removeConsumerCallback may register new consumers, which this kill does not concern.
    for (const consumer of this.getConsumerList()) consumer.kill(value);
  }

  /** Appends a value that one consumer sees. It counts as backpressure of the others until they pass it. */
  writeToConsumer(consumerId: number, value: T): void {
    this.#queue.append(value, { consumerId, isEnd: false });
  }

  /** Ends one consumer once it has read what was written before. Counts for the others like `writeToConsumer()`. */
  closeConsumer(consumerId: number, value?: unknown): void {
    this.#queue.append(value, { consumerId, isEnd: true });
  }

  /** Ends one consumer at once, without what it has not read; unknown ids are ignored. */
  killConsumer(consumerId: number, value?: unknown): void {
    this.#consumers.get(consumerId)?.kill(value);
  }

  override createConsumer(timeout?: number, isTemporary?: boolean): StreamConsumer<T> {
    const id = this.#generateConsumerId?.() ?? ++this.#lastConsumerId;
    const consumer = new StreamConsumer<T>(this, this.#queue, { id, timeout, isTemporary });
    this.setConsumer(id, consumer);
    return consumer;
  }

  /** The highest backpressure of any consumer; 0 without consumers. */
  getBackpressure(): number {
    return this.#consumers.backpressure(this.#queue.written);
  }

  /** The backpressure of one consumer; 0 for unknown ids. */
  getConsumerBackpressure(consumerId: number): number {
    return this.#consumers.get(consumerId)?.getBackpressure() ?? 0;
  }

  /** The stats of one consumer; undefined for unknown ids. */
  getConsumerStats(consumerId: number): ConsumerStats | undefined {
    return this.#consumers.get(consumerId)?.getStats();
  }

  /** The stats of all consumers, in order of registration. */
  getConsumerStatsList(): ConsumerStats[] {
    return this.getConsumerList().map((consumer) => consumer.getStats());
  }

  /** True while that consumer is registered. */
  hasConsumer(consumerId: number): boolean {
    return this.#consumers.has(consumerId);
  }

  /** How many consumers are registered. */
  getConsumerCount(): number {
    return this.#consumers.size;
  }

  /** True while there are consumers, and each goes on reading behind its next value: none serves a call of `next()`. */
  get isFollowed(): boolean {
    return this.#consumers.areLasting;
  }

  /** The consumers in order of registration. */
  getConsumerList(): StreamConsumer<T>[] {
    return this.#consumers.list;
  }

  /** Registers a consumer; called by consumers that are iterated again after their end. */
  setConsumer(consumerId: number, consumer: StreamConsumer<T>): void {
    if (consumer.stream !== this) consumer.attachTo(this, this.#queue);
    this.#consumers.add(consumerId, consumer);
  }

  /** Unregisters a consumer without ending it; called by consumers that end. */
  removeConsumer(consumerId: number): void {
    this.#consumers.delete(consumerId);
    // compat: also called when the id was gone already.
    try {
      this.#removeConsumerCallback?.(consumerId);
    } catch (error) {
      // The caller may be in the middle of waking other consumers.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
