import { type ConsumerSource, DemuxedConsumableStream } from './demuxed-consumable-stream.js';
import type { ConsumerStats, StreamConsumer } from './stream-consumer.js';
import { WritableConsumableStream } from './writable-consumable-stream.js';

/** What a consumer of a demux tells about itself. */
export interface NamedConsumerStats extends ConsumerStats {
  /** The name of the stream that is consumed. */
  stream: string;
}

/** Settings of a `StreamDemux`. */
export interface StreamDemuxOptions {
  /**
   * Gives the id of each new consumer; must not repeat itself. Demuxes that share one function share one sequence.
   * @default 1, 2, 3 and so on, for all streams of the demux together
   */
  generateConsumerId?: (() => number) | undefined;
  /**
   * What stands before the name of a stream in statistics.
   * @default nothing
   */
  statsPrefix?: string | undefined;
}

/** One stream of a demux: stands in the demux's map while it has consumers. */
class NamedStream<T> extends WritableConsumableStream<T> {
  readonly name: string;
  readonly #streams: Map<string, NamedStream<T>>;
  readonly #statsPrefix: string;

  constructor(name: string, streams: Map<string, NamedStream<T>>, options: StreamDemuxOptions) {
    super(options);
    this.name = name;
    this.#streams = streams;
    this.#statsPrefix = options.statsPrefix ?? '';
  }

  override setConsumer(consumerId: number, consumer: StreamConsumer<T>): void {
    // A consumer that comes back may find its stream gone from the demux, or another one in its stead.
    // differs: upstream lets it wait at the stream that is gone, where nobody will write.
    const current = this.#streams.get(this.name);
    if (current === undefined) this.#streams.set(this.name, this);
    if (current === undefined || current === this) super.setConsumer(consumerId, consumer);
    else current.setConsumer(consumerId, consumer);
  }

  override removeConsumer(consumerId: number): void {
    super.removeConsumer(consumerId);
    if (this.getConsumerCount() === 0 && this.#streams.get(this.name) === this)
      this.#streams.delete(this.name);
  }

  override getConsumerStats(consumerId: number): NamedConsumerStats | undefined {
    const stats = super.getConsumerStats(consumerId);
    return stats && this.#named(stats);
  }

  override getConsumerStatsList(): NamedConsumerStats[] {
    return super.getConsumerStatsList().map((stats) => this.#named(stats));
  }

  #named(stats: ConsumerStats): NamedConsumerStats {
    return { ...stats, stream: this.#statsPrefix + this.name };
  }
}

/**
 * Owns many streams by name, and the one sequence of ids of all their consumers.
 *
 * A stream exists from its first consumer to its last: writing to a name that nobody consumes is one look-up and leaves
 * nothing behind. Any string is a name.
 */
export class StreamDemux<T = unknown> implements ConsumerSource<T> {
  readonly #options: StreamDemuxOptions;
  #lastConsumerId = 0;
  #streams: Map<string, NamedStream<T>> | undefined;

  constructor(options: StreamDemuxOptions = {}) {
    this.#options = { generateConsumerId: () => ++this.#lastConsumerId, ...options };
  }

  /**
   * Gives the read side of one stream. Costs nothing until it is consumed. `onError` is what becomes of the errors of
   * functions given to its `each()`.
   */
  stream(name: string, onError?: (error: unknown) => void): DemuxedConsumableStream<T> {
    return new DemuxedConsumableStream(this, name, onError);
  }

  /** Gives a new consumer of one stream, registered at once; `timeout` limits each wait, in milliseconds. */
  createConsumer(name: string, timeout?: number): StreamConsumer<T> {
    return this.#open(name).createConsumer(timeout);
  }

  /** Gives the first value written to one stream after the call; see `ConsumableStream.next()`. */
  next(name: string, timeout?: number): Promise<IteratorResult<T, unknown>> {
    return this.#open(name).next(timeout);
  }

  /** The stream of that name while somebody consumes it, with its statistics; one look-up. */
  at(name: string): WritableConsumableStream<T> | undefined {
    return this.#streams?.get(name);
  }

  /** True while somebody consumes the stream with that name; one look-up. */
  hasStream(name: string): boolean {
    return this.#streams?.has(name) ?? false;
  }

  /** True while somebody consumes the stream with that name, and nobody leaves it with the next value as `next()` does. */
  isFollowed(name: string): boolean {
    return this.#streams?.get(name)?.isFollowed ?? false;
  }

  /** The names of the streams that somebody consumes, in order of their creation. */
  names(): IterableIterator<string> {
    return (this.#streams ?? new Map<string, never>()).keys();
  }

  /** Appends a value to one stream; does nothing when nobody consumes it. */
  write(name: string, value: T): void {
    this.#streams?.get(name)?.write(value);
  }

  /** Ends the consumers of one stream once they have read what was written before. */
  close(name: string, value?: unknown): void {
    this.#streams?.get(name)?.close(value);
  }

  /** Like `close()`, for all streams. */
  closeAll(value?: unknown): void {
    for (const stream of this.#all()) stream.close(value);
  }

  /** Ends the consumers of one stream at once, without what they have not read. */
  kill(name: string, value?: unknown): void {
    this.#streams?.get(name)?.kill(value);
  }

  /** Like `kill()`, for all streams. */
  killAll(value?: unknown): void {
    for (const stream of this.#all()) stream.kill(value);
  }

  /**
   * Forgets one stream: its consumers are no longer counted, get nothing that is written later, and end once they have
   * read what was written before.
   */
  unstream(name: string): void {
    // differs: upstream leaves them waiting for ever.
    this.#streams?.get(name)?.close();
    this.#streams?.delete(name);
  }

  /** Appends a value that one consumer sees; unknown ids are ignored. */
  writeToConsumer(consumerId: number, value: T): void {
    this.#streamOf(consumerId)?.writeToConsumer(consumerId, value);
  }

  /** Ends one consumer once it has read what was written before; unknown ids are ignored. */
  closeConsumer(consumerId: number, value?: unknown): void {
    this.#streamOf(consumerId)?.closeConsumer(consumerId, value);
  }

  /** Ends one consumer at once, without what it has not read; unknown ids are ignored. */
  killConsumer(consumerId: number, value?: unknown): void {
    this.#streamOf(consumerId)?.killConsumer(consumerId, value);
  }

  /** The stats of one consumer; undefined for unknown ids. */
  getConsumerStats(consumerId: number): NamedConsumerStats | undefined {
    return this.#streamOf(consumerId)?.getConsumerStats(consumerId);
  }

  /** The stats of the consumers of one stream, in order of registration. */
  getConsumerStatsList(name: string): NamedConsumerStats[] {
    return this.#streams?.get(name)?.getConsumerStatsList() ?? [];
  }

  /** The stats of all consumers, by stream in order of creation. */
  getConsumerStatsListAll(): NamedConsumerStats[] {
    return Array.from(this.#all(), (stream) => stream.getConsumerStatsList()).flat();
  }

  /** The highest backpressure of the consumers of one stream; 0 when nobody consumes it. */
  getBackpressure(name: string): number {
    return this.#streams?.get(name)?.getBackpressure() ?? 0;
  }

  /** The highest backpressure of all consumers; 0 without consumers. */
  getBackpressureAll(): number {
    let highest = 0;
    for (const stream of this.#all()) highest = Math.max(highest, stream.getBackpressure());
    return highest;
  }

  /** The backpressure of one consumer; 0 for unknown ids. */
  getConsumerBackpressure(consumerId: number): number {
    return this.#streamOf(consumerId)?.getConsumerBackpressure(consumerId) ?? 0;
  }

  /** True while that consumer is registered with the stream of that name. */
  hasConsumer(name: string, consumerId: number): boolean {
    return this.#streams?.get(name)?.hasConsumer(consumerId) ?? false;
  }

  /** True while that consumer is registered with any stream. */
  hasConsumerAll(consumerId: number): boolean {
    return this.#streamOf(consumerId) !== undefined;
  }

  /** How many consumers one stream has. */
  getConsumerCount(name: string): number {
    return this.#streams?.get(name)?.getConsumerCount() ?? 0;
  }

  /** How many consumers all streams have together. */
  getConsumerCountAll(): number {
    let count = 0;
    for (const stream of this.#all()) count += stream.getConsumerCount();
    return count;
  }

  #open(name: string): NamedStream<T> {
    this.#streams ??= new Map();
    return this.#streams.get(name) ?? new NamedStream(name, this.#streams, this.#options);
  }

  #all(): Iterable<NamedStream<T>> {
    return this.#streams?.values() ?? [];
  }

  #streamOf(consumerId: number): NamedStream<T> | undefined {
    for (const stream of this.#all()) {
      if (stream.hasConsumer(consumerId)) return stream;
    }
    return undefined;
  }
}
