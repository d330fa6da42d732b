/** The stream that a registry belongs to: told when a consumer was lost. */
export interface ConsumerHome {
  removeConsumer(id: number): void;
}

/** How far a consumer has come. */
export interface ConsumerProgress {
  /** The number of entries of its stream that it has read, or passed, or was not there for. */
  read: number;
}

/** What a registry needs to know of a consumer. */
export interface Registrable {
  /** Kept by the consumer; the registry holds it, so that it can look without following a weak reference. */
  readonly progress: Readonly<ConsumerProgress>;
  /** True when the consumer waits for as long as it is registered, so that holding it costs nothing. */
  readonly isTemporary: boolean;
}

interface Entry<C extends object> {
  readonly id: number;
  readonly consumer: Reference<C>;
  readonly progress: Readonly<ConsumerProgress>;
  /** Undefined for a temporary consumer. */
  readonly home: WeakRef<ConsumerHome> | undefined;
}

interface Reference<C> {
  deref(): C | undefined;
}

// `home` is weak because this registry outlives every stream: a strong one would keep a dropped stream alive through
// its own consumers.
const lostConsumers = new FinalizationRegistry<Entry<object>>((entry) => {
  entry.home?.deref()?.removeConsumer(entry.id);
});

/**
 * Owns the list of the consumers of one stream, in order of registration, without keeping them alive.
 *
 * Why weak: whoever means to call `next()` again can reach the consumer, so the stream need not hold it. If it did, a
 * consumer that was created and dropped, or whose loop is stuck for good in a promise that nobody can settle, would
 * collect every later value for ever. A consumer that waits for a value is a different case, nobody but the stream can
 * wake it: it is held by its entry in the list of waiters of `StreamQueue`.
 *
 * The price is about a microsecond for each consumer that registers. `write()` and `next()` never follow a weak
 * reference, and the consumer that serves one call of `stream.next()` gets a strong one.
 */
export class ConsumerRegistry<C extends Registrable> {
  readonly #owner: ConsumerHome;
  #home: WeakRef<ConsumerHome> | undefined;
  // Most streams have one consumer: it needs no Map. Whoever is in #others registered after #first.
  #first: Entry<C> | undefined;
  #others: Map<number, Entry<C>> | undefined;

  constructor(owner: ConsumerHome) {
    this.#owner = owner;
  }

  /** How many are registered; a collected consumer counts until its clean-up ran, soon after the collection. */
  get size(): number {
    return (this.#first ? 1 : 0) + (this.#others?.size ?? 0);
  }

  /** True when somebody is registered and nobody is temporary. */
  get areLasting(): boolean {
    if (!this.#others) return this.#first?.home !== undefined;
    return this.size > 0 && this.#entries().every(({ home }) => home);
  }

  /** The consumers, in order of registration. */
  get list(): C[] {
    return this.#entries().flatMap(({ consumer }) => consumer.deref() ?? []);
  }

  /** Registers a consumer under an id; a consumer registered under that id before is replaced. */
  add(id: number, consumer: C): void {
    const { isTemporary, progress } = consumer;
    if (this.get(id) === consumer) return;
    this.delete(id);
    const entry: Entry<C> = {
      id,
      progress,
      consumer: isTemporary ? { deref: () => consumer } : new WeakRef(consumer),
      home: isTemporary ? undefined : (this.#home ??= new WeakRef(this.#owner)),
    };
    if (!isTemporary) lostConsumers.register(consumer, entry, entry);
    if (this.size === 0) this.#first = entry;
    else (this.#others ??= new Map()).set(id, entry);
  }

  /** Unregisters; unknown ids are ignored. */
  delete(id: number): void {
    const entry = this.#find(id);
    if (!entry) return;
    if (entry.home) lostConsumers.unregister(entry);
    if (entry === this.#first) this.#first = undefined;
    else this.#others?.delete(id);
  }

  /** True while a consumer is registered under that id. */
  has(id: number): boolean {
    return this.#find(id) !== undefined;
  }

  /** Gives the consumer with that id while it is registered. */
  get(id: number): C | undefined {
    return this.#find(id)?.consumer.deref();
  }

  /** How far behind that many entries the slowest consumer is; 0 when nobody is registered. */
  backpressure(written: number): number {
    return this.#entries().reduce((most, { progress }) => Math.max(most, written - progress.read), 0);
  }

  #find(id: number): Entry<C> | undefined {
    return this.#first?.id === id ? this.#first : this.#others?.get(id);
  }

  #entries(): Entry<C>[] {
    return [...(this.#first ? [this.#first] : []), ...(this.#others?.values() ?? [])];
  }
}
