import { ConsumableStream } from './consumable-stream.js';
import type { EachHandler, EachOptions } from './each.js';
import type { StreamConsumer } from './stream-consumer.js';

/** Where a named stream gets its consumers from. */
export interface ConsumerSource<T> {
  /** Gives a new, registered consumer of the stream with that name. */
  createConsumer(name: string, timeout?: number, isTemporary?: boolean): StreamConsumer<T>;
  /** What the stream with that name is called outside. */
  fullName(name: string): string;
}

/**
 * Owns nothing but a name: the read side of one stream of a `StreamDemux`.
 *
 * Holding it buffers nothing; the stream exists while it has consumers.
 */
export class DemuxedConsumableStream<T> extends ConsumableStream<T> {
  /** The name of the stream; one of a scope has the name of the scope before it. */
  readonly name: string;
  readonly #source: ConsumerSource<T>;
  readonly #name: string;
  readonly #onError: ((error: unknown) => void) | undefined;

  /** `onError` is what the owner of the stream does when a function given to `each()` fails. */
  constructor(source: ConsumerSource<T>, name: string, onError?: (error: unknown) => void) {
    super();
    this.#source = source;
    this.#name = name;
    this.name = source.fullName(name);
    this.#onError = onError;
  }

  override each(handler: EachHandler<T>, options: EachOptions<T> = {}): Promise<void> {
    return super.each(handler, { ...options, onError: options.onError ?? this.#onError });
  }

  override createConsumer(timeout?: number, isTemporary?: boolean): StreamConsumer<T> {
    return this.#source.createConsumer(this.#name, timeout, isTemporary);
  }
}
