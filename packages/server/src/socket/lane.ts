/** An entry that waits, and what is known of it. */
interface Waiting<E> {
  /** `undefined` once it was taken out. */
  entry: E | undefined;
  readonly bytes: number;
  readonly since: number;
  readonly key: string | undefined;
}

/** Places without an entry before the lane is copied together: one copy of the rest for many entries. */
const COMPACT_AFTER = 256;

/**
 * Owns what waits in the ordered lane of a socket: entries leave in the order in which they came, and may be dropped from
 * either end, or because a newer one with the same key has come. All of it takes constant time, averaged over entries.
 */
export class Lane<E> {
  /** Whether nothing may leave: the network has to take other things first. */
  isHeld = false;
  /** Of the entries that wait. */
  bytes = 0;
  /** How many entries wait. */
  count = 0;
  #places: Waiting<E>[] = [];
  /** The first place that may have an entry. */
  #first = 0;
  /** Before this place nothing more can be dropped from the old end. */
  #droppableFrom = 0;
  #byKey: Map<string, Waiting<E>> | undefined;

  /** When the oldest entry came; `undefined` when none waits. */
  get since(): number | undefined {
    return this.#oldest()?.since;
  }

  /** Adds an entry of this size, which came `since`. With a key, {@link supersede} can find it. */
  push(entry: E, bytes: number, since: number, key?: string): void {
    const place: Waiting<E> = { entry, bytes, since, key };
    this.#places.push(place);
    this.bytes += bytes;
    this.count += 1;
    if (key !== undefined) (this.#byKey ??= new Map()).set(key, place);
  }

  /** Takes out the oldest entry. */
  take(): E | undefined {
    const place = this.#oldest();
    return place === undefined ? undefined : this.#remove(place);
  }

  /** Takes out all entries, the oldest first. */
  takeAll(): E[] {
    const all: E[] = [];
    for (let entry = this.take(); entry !== undefined; entry = this.take()) all.push(entry);
    return all;
  }

  /** Takes out the entry with this key, which a newer one makes void. */
  supersede(key: string): E | undefined {
    const place = this.#byKey?.get(key);
    return place === undefined ? undefined : this.#remove(place);
  }

  /** Takes out all entries for which it holds. */
  remove(isGone: (entry: E) => boolean): void {
    for (const place of this.#places.slice(this.#first)) {
      if (place.entry !== undefined && isGone(place.entry)) this.#remove(place);
    }
  }

  /** Takes out the oldest entries that may be dropped, until so many bytes or fewer wait. Which may be does not change. */
  *dropOldest(downTo: number, mayDrop: (entry: E) => boolean): Generator<E> {
    this.#droppableFrom = Math.max(this.#droppableFrom, this.#first);
    while (this.bytes > downTo) {
      const place = this.#places[this.#droppableFrom];
      if (place === undefined) return;
      this.#droppableFrom += 1;
      if (place.entry !== undefined && mayDrop(place.entry)) yield this.#remove(place) as E;
    }
  }

  /** As {@link dropOldest}, from the other end. */
  *dropNewest(downTo: number, mayDrop: (entry: E) => boolean): Generator<E> {
    // Places may be removed on the way, but those not looked at yet only move towards the old end.
    for (let at = this.#places.length - 1; at >= this.#first && this.bytes > downTo; at -= 1) {
      const place = this.#places[at];
      if (place?.entry === undefined) continue;
      if (mayDrop(place.entry)) yield this.#remove(place) as E;
    }
  }

  #oldest(): Waiting<E> | undefined {
    let place = this.#places[this.#first];
    while (place !== undefined && place.entry === undefined) {
      this.#first += 1;
      place = this.#places[this.#first];
    }
    return place;
  }

  #remove(place: Waiting<E>): E | undefined {
    const { entry, key } = place;
    place.entry = undefined;
    this.bytes -= place.bytes;
    this.count -= 1;
    if (key !== undefined && this.#byKey?.get(key) === place) this.#byKey.delete(key);
    if (this.#places.length - this.count > Math.max(COMPACT_AFTER, this.count)) this.#compact();
    return entry;
  }

  #compact(): void {
    let before = 0;
    for (let at = this.#first; at < this.#droppableFrom; at += 1) {
      if (this.#places[at]?.entry !== undefined) before += 1;
    }
    this.#places = this.#places.filter(({ entry }) => entry !== undefined);
    this.#first = 0;
    this.#droppableFrom = before;
  }
}
