import { type Sleeper, wakeSoon } from './wake-up.js';

/** What makes an entry of the queue more than a value for everybody. */
export interface NodeMark {
  /** The one consumer that may see the entry; everybody when undefined. */
  readonly consumerId: number | undefined;
  /** True for the marker that `close()` writes. */
  readonly isEnd: boolean;
}

/**
 * One place in a stream: holds what was written there, and leads to the next place.
 *
 * The last place of a stream is always an empty one, waiting to be filled. A reader therefore stands in front of a
 * value, never on one: once it has moved on, nothing that the stream or the reader holds leads back to the value.
 */
export interface StreamNode {
  /** What was written; undefined while the place is empty. */
  value: unknown;
  /** Set for end markers and for entries addressed to one consumer. */
  mark: NodeMark | undefined;
  /** The next place; undefined while this one is empty. */
  next: StreamNode | undefined;
}

/** Somebody who waits for the next entry. */
export interface Waiter {
  /** Takes what is due and says true, or says false and goes on waiting. Must not throw. */
  serve(): boolean;
}

/**
 * Owns the open end of one stream: the empty place that is filled next, how many places have been filled so far, and
 * the list of those who wait for the next one.
 *
 * Filled places are not held here. Each reader holds the place where it stands, and through it everything after it; a
 * place that the slowest reader has passed is garbage.
 */
export class StreamQueue implements Sleeper {
  #tail: StreamNode = emptyNode();
  #spare: StreamNode | undefined;
  #areNodesShown = false;
  #written = 0;
  // Most streams have one reader: it needs no array. Whoever is in #others came after #first.
  #first: Waiter | undefined;
  #others: Waiter[] | undefined;
  #isWaking = false;

  /** The empty place at the end, where a new reader starts. */
  get tail(): StreamNode {
    return this.#tail;
  }

  /** How many entries were ever appended. A reader's backpressure is this minus the number at its own place. */
  get written(): number {
    return this.#written;
  }

  /** How many readers have a place; one that is dropped without `return()` counts for good. */
  readers = 0;

  /** Fills the place at the end and wakes those who wait, in a microtask. */
  append(value: unknown, mark?: NodeMark): void {
    const node = this.#tail;
    const tail = this.#spare ?? emptyNode();
    this.#spare = undefined;
    node.value = value;
    node.mark = mark;
    node.next = tail;
    this.#tail = tail;
    this.#written++;
    this.wakeSoon();
  }

  /**
   * Empties a place that a reader has passed, unless another reader may still come by.
   *
   * Although it is garbage: once a place is in the old generation of the garbage collector, everything that it leads to
   * follows it there, one collection after the other, and a busy stream would keep all of its past until the next full
   * collection. (That made the collector the largest single cost of a call.)
   *
   * The place is then used again: what a loop stands on while it waits would outlive a collection each time.
   */
  vacate(node: StreamNode): void {
    if (this.readers !== 1) return;
    node.value = undefined;
    node.mark = undefined;
    node.next = undefined;
    if (!this.#areNodesShown) this.#spare = node;
  }

  /** Somebody outside was given a place and may keep it: none is used again from now on. */
  showNodes(): void {
    this.#areNodesShown = true;
  }

  /** Adds a waiter behind those who wait already. */
  wait(waiter: Waiter): void {
    if (!this.#first) this.#first = waiter;
    else if (!this.#others) this.#others = [waiter];
    else this.#others.push(waiter);
  }

  /** Takes a waiter off the list without serving it. */
  forget(waiter: Waiter): void {
    if (this.#first === waiter) {
      this.#first = this.#others?.shift();
      return;
    }
    const index = this.#others?.indexOf(waiter) ?? -1;
    if (index >= 0) this.#others?.splice(index, 1);
  }

  /**
   * Serves everybody who waits in the next microtask; does nothing when nobody waits.
   *
   * Not at once, although that would save one microtask: until the caller of `write()` has finished, `kill()` may still
   * discard what was written, and `getBackpressure()` counts it. Existing applications see both.
   */
  wakeSoon(): void {
    if (this.#isWaking || !this.#first) return;
    this.#isWaking = true;
    wakeSoon(this);
  }

  wake(): void {
    const first = this.#first;
    const others = this.#others;
    this.#first = undefined;
    this.#others = undefined;
    this.#isWaking = false;
    if (!first) return;
    if (!first.serve()) this.wait(first);
    if (!others) return;
    for (const waiter of others) {
      if (!waiter.serve()) this.wait(waiter);
    }
  }
}

function emptyNode(): StreamNode {
  return { value: undefined, mark: undefined, next: undefined };
}
