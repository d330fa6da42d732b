import { DueNode } from './due-lists.js';

/** What keeps time for deadlines: a `DeadlineQueue` for many connections, or timers of one's own for a single one. */
export interface DeadlineScheduler {
  /** Makes the deadline due in `delayMs` milliseconds, whether it was scheduled or not. */
  schedule<O>(deadline: Deadline<O>, delayMs: number): void;
  /** Makes sure that the deadline does not fire. Does nothing if it is not scheduled. */
  cancel<O>(deadline: Deadline<O>): void;
}

/**
 * Owns one thing that will be due, and when. Whether and when is set by the {@link DeadlineScheduler} it is scheduled
 * in; a deadline may stand in one scheduler only.
 *
 * `onDue` is called with the `owner`, so that a thousand owners can share one function instead of having a closure
 * each. A deadline can be scheduled any number of times, also by its own `onDue`.
 */
export class Deadline<O = unknown> extends DueNode {
  readonly #onDue: (owner: O) => void;
  readonly #owner: O;

  constructor(onDue: (owner: O) => void, owner: O) {
    super();
    this.#onDue = onDue;
    this.#owner = owner;
  }

  /** Whether it stands in a `DeadlineQueue`. */
  get isScheduled(): boolean {
    return this.list !== undefined;
  }

  /** Calls `onDue`. The scheduler does this; nobody else needs to. */
  fire(): void {
    this.#onDue(this.#owner);
  }
}
