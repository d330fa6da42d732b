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
}

/** What can be done with the consumers of one stream, whether there are any or not. */
export type StreamManager<T> = Pick<
  WritableConsumableStream<T>,
  | 'close'
  | 'kill'
  | 'killConsumer'
  | 'getBackpressure'
  | 'getConsumerBackpressure'
  | 'getConsumerCount'
  | 'getConsumerStats'
  | 'getConsumerStatsList'
  | 'hasConsumer'
  | 'isFollowed'
>;

/** One stream of a demux: stands in the demux's map while it has consumers. */
class NamedStream<T> extends WritableConsumableStream<T> {
  readonly key: string;
  readonly name: string;
  readonly #streams: Map<string, NamedStream<T>>;

  constructor(key: string, name: string, streams: Map<string, NamedStream<T>>, options: StreamDemuxOptions) {
    super(options);
    this.key = key;
    this.name = name;
    this.#streams = streams;
  }

  override setConsumer(consumerId: number, consumer: StreamConsumer<T>): void {
    // A consumer that comes back may find its stream gone from the demux, or another one in its stead.
    // differs: upstream lets it wait at the stream that is gone, where nobody will write.
    const current = this.#streams.get(this.key);
    if (!current) this.#streams.set(this.key, this);
    if (!current || current === this) super.setConsumer(consumerId, consumer);
    else current.setConsumer(consumerId, consumer);
  }

  override removeConsumer(consumerId: number): void {
    super.removeConsumer(consumerId);
    if (this.getConsumerCount() === 0 && this.#streams.get(this.key) === this) this.#streams.delete(this.key);
  }

  override getConsumerStats(consumerId: number): NamedConsumerStats | undefined {
    const stats = super.getConsumerStats(consumerId);
    return stats && { ...stats, stream: this.name };
  }

  override getConsumerStatsList(): NamedConsumerStats[] {
    return super.getConsumerStatsList().map((stats) => ({ ...stats, stream: this.name }));
  }
}

/** What is asked about a stream that nobody consumes is asked of this one. */
const NOBODY = new NamedStream<unknown>('', '', new Map(), {});

/**
 * Owns many streams by name, and the one sequence of ids of all their consumers.
 *
 * A stream exists from its first consumer to its last: writing to a name that nobody consumes is one look-up and leaves
 * nothing behind. Any string is a name.
 */
export class StreamDemux<T = unknown> implements ConsumerSource<T> {
  readonly #options: StreamDemuxOptions;
  #lastConsumerId = 0;
  /** By name; the streams of scopes too, with what tells the scope before the name. */
  #streams: Map<string, NamedStream<T>> | undefined;
  #keyPrefix = '';
  #namePrefix = '';

  constructor(options: StreamDemuxOptions = {}) {
    this.#options = { generateConsumerId: () => ++this.#lastConsumerId, ...options };
  }

  /**
   * Gives a part of the demux, whose streams have names of their own: `x` of the scope `a/b` is another stream than `b/x`
   * of the scope `a`, although both are called `a/b/x` in statistics. What is asked of the demux itself, by id or about
   * all, holds for the streams of all its scopes. A demux with scopes has no other streams.
   */
  scope(name: string): StreamDemux<T> {
    const scope = new StreamDemux<T>(this.#options);
    scope.#streams = this.#streams ??= new Map();
    // With the length before it no name can be taken for another one and a part of the next.
    scope.#keyPrefix = `${this.#keyPrefix}${name.length}:${name}/`;
    scope.#namePrefix = `${this.#namePrefix}${name}/`;
    return scope;
  }

  /**
   * Gives the read side of one stream. Costs nothing until it is consumed. `onError` is what becomes of the errors of
   * functions given to its `each()`.
   */
  stream(name: string, onError?: (error: unknown) => void): DemuxedConsumableStream<T> {
    return new DemuxedConsumableStream(this, name, onError);
  }

  /** What a stream is called in statistics: its name, with that of its scope before it. */
  fullName(name: string): string {
    return this.#namePrefix + name;
  }

  /** Gives a new consumer of one stream, registered at once; `timeout` limits each wait, in milliseconds. */
  createConsumer(name: string, timeout?: number, isTemporary?: boolean): StreamConsumer<T> {
    const key = this.#keyPrefix + name;
    this.#streams ??= new Map();
    const stream =
      this.#streams.get(key) ?? new NamedStream(key, this.fullName(name), this.#streams, this.#options);
    return stream.createConsumer(timeout, isTemporary);
  }

  /** The consumers of one stream, to look at and to end: one look-up for several questions. */
  at(name: string): StreamManager<T> {
    return this.#at(name);
  }

  /** True while somebody consumes the stream with that name; one look-up. */
  hasStream(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  /** True while somebody consumes the stream with that name, and nobody leaves it with the next value as `next()` does. */
  isFollowed(name: string): boolean {
    return this.at(name).isFollowed;
  }

  /** The names of the streams that somebody consumes, in order of their creation. */
  names(): IterableIterator<string> {
    return this.#all()
      .map(({ name }) => name)
      .values();
  }

  /** Appends a value to one stream; does nothing when nobody consumes it. */
  write(name: string, value: T): void {
    this.#find(name)?.write(value);
  }

  /** Ends the consumers of one stream once they have read what was written before. */
  close(name: string, value?: unknown): void {
    this.#find(name)?.close(value);
  }

  /** Like `close()`, for all streams. */
  closeAll(value?: unknown): void {
    for (const stream of this.#all()) stream.close(value);
  }

  /** Ends the consumers of one stream at once, without what they have not read. */
  kill(name: string, value?: unknown): void {
    this.#find(name)?.kill(value);
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
    this.close(name);
    this.#streams?.delete(this.#keyPrefix + name);
  }

  /** Appends a value that one consumer sees; unknown ids are ignored. */
  writeToConsumer(consumerId: number, value: T): void {
    this.#streamOf(consumerId).writeToConsumer(consumerId, value);
  }

  /** Ends one consumer once it has read what was written before; unknown ids are ignored. */
  closeConsumer(consumerId: number, value?: unknown): void {
    this.#streamOf(consumerId).closeConsumer(consumerId, value);
  }

  /** Ends one consumer at once, without what it has not read; unknown ids are ignored. */
  killConsumer(consumerId: number, value?: unknown): void {
    this.#streamOf(consumerId).killConsumer(consumerId, value);
  }

  /** The stats of one consumer; undefined for unknown ids. */
  getConsumerStats(consumerId: number): NamedConsumerStats | undefined {
    return this.#streamOf(consumerId).getConsumerStats(consumerId);
  }

  /** The stats of the consumers of one stream, in order of registration. */
  getConsumerStatsList(name: string): NamedConsumerStats[] {
    return this.#at(name).getConsumerStatsList();
  }

  /** The stats of all consumers, by stream in order of creation. */
  getConsumerStatsListAll(): NamedConsumerStats[] {
    return this.#all().flatMap((stream) => stream.getConsumerStatsList());
  }

  /** The highest backpressure of the consumers of one stream; 0 when nobody consumes it. */
  getBackpressure(name: string): number {
    return this.at(name).getBackpressure();
  }

  /** The highest backpressure of all consumers; 0 without consumers. */
  getBackpressureAll(): number {
    return this.#all().reduce((highest, stream) => Math.max(highest, stream.getBackpressure()), 0);
  }

  /** The backpressure of one consumer; 0 for unknown ids. */
  getConsumerBackpressure(consumerId: number): number {
    return this.#streamOf(consumerId).getConsumerBackpressure(consumerId);
  }

  /** True while that consumer is registered with the stream of that name. */
  hasConsumer(name: string, consumerId: number): boolean {
    return this.at(name).hasConsumer(consumerId);
  }

  /** True while that consumer is registered with any stream. */
  hasConsumerAll(consumerId: number): boolean {
    return this.#all().some((stream) => stream.hasConsumer(consumerId));
  }

  /** How many consumers one stream has. */
  getConsumerCount(name: string): number {
    return this.at(name).getConsumerCount();
  }

  /** How many consumers all streams have together. */
  getConsumerCountAll(): number {
    return this.#all().reduce((count, stream) => count + stream.getConsumerCount(), 0);
  }

  #find(name: string): NamedStream<T> | undefined {
    return this.#streams?.get(this.#keyPrefix + name);
  }

  #at(name: string): NamedStream<T> {
    return this.#find(name) ?? (NOBODY as NamedStream<T>);
  }

  #all(): NamedStream<T>[] {
    return [...(this.#streams?.values() ?? [])].filter(({ key }) => key.startsWith(this.#keyPrefix));
  }

  #streamOf(consumerId: number): NamedStream<T> {
    return this.#all().find((stream) => stream.hasConsumer(consumerId)) ?? (NOBODY as NamedStream<T>);
  }
}
