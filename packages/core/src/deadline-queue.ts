import type { Deadline, DeadlineScheduler } from './deadline.js';
import { DueLists } from './due-lists.js';

/** Node fires a timer with a longer delay at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A timer that is later than this shows that the process was stopped, or that its event loop was blocked. */
const STOPPED_MS = 1000;

/** What a {@link DeadlineQueue} can be told. */
export interface DeadlineQueueOptions {
  /**
   * The clock, in milliseconds. It must not follow the wall clock, which can jump.
   * @default performance.now()
   */
  readonly now?: () => number;
  /**
   * Runs a function once the input that is waiting now was read. On Node `setImmediate` does that best.
   * @default setTimeout(fn, 0)
   */
  readonly afterInput?: (fn: () => void) => void;
  /**
   * How late a deadline may be noticed, in milliseconds, besides what the event loop adds. Deadlines that lie closer
   * together are noticed together.
   * @default 20
   */
  readonly toleranceMs?: number;
  /**
   * Whether a queue with deadlines leaves the process free to exit. An empty one always does.
   * @default false
   */
  readonly unref?: boolean;
  /**
   * Gets what an `onDue` throws; the deadlines after it are not affected.
   * @default throws it again from a microtask of its own, where it is an uncaught exception
   */
  readonly onError?: (error: unknown) => void;
}

/**
 * Owns any number of deadlines and the one timer that drives them all.
 *
 * A deadline is never early, and late by at most the tolerance plus what the event loop adds. Those that are due are
 * called in the order of their due times, and only after the input that was waiting was read (see `afterInput`), so
 * that a peer whose sign of life already lies in the socket is not cut off; if the timer was late by more than a
 * second, because the process was stopped, input gets two rounds. A deadline moved or cancelled meanwhile does not
 * fire.
 *
 * `schedule()` and `cancel()` take constant time, or the logarithm of the number of different delays for the first
 * and last deadline of a delay. Delays may be as long as one likes.
 */
export class DeadlineQueue implements DeadlineScheduler {
  readonly #lists = new DueLists();
  readonly #now: () => number;
  readonly #afterInput: (fn: () => void) => void;
  readonly #onError: (error: unknown) => void;
  readonly #unref: boolean;
  /** Timers are set to multiples of this, so that deadlines near each other share one. */
  readonly #gridMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #armedFor = Number.POSITIVE_INFINITY;
  #isJudging = false;
  #isClosed = false;
  /** Everything due up to here has been taken: what is scheduled now is due later. */
  #judgedUpTo = Number.NEGATIVE_INFINITY;

  constructor(options: DeadlineQueueOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#afterInput = options.afterInput ?? ((fn) => void setTimeout(fn, 0));
    this.#onError = options.onError ?? throwLater;
    this.#unref = options.unref ?? false;
    this.#gridMs = Math.max(1, (options.toleranceMs ?? 20) / 2);
  }

  /** How many deadlines are scheduled. */
  get size(): number {
    return this.#lists.size;
  }

  /**
   * Makes the deadline due in `delayMs` milliseconds, whether it was scheduled or not. A delay below 0 or that is no
   * number counts as 0: due in the next turn. Does nothing once the queue is closed.
   */
  schedule<O>(deadline: Deadline<O>, delayMs: number): void {
    if (this.#isClosed) return;
    const delay = delayMs > 0 ? Math.ceil(delayMs) : 0;
    const dueAt = Math.max(Math.ceil(this.#now() + delay), this.#judgedUpTo + 1);
    this.#lists.add(deadline, delay, dueAt);
    if (this.#isJudging) return;
    if (this.#onGrid(dueAt) < this.#armedFor) this.#arm(dueAt);
    else if (this.#lists.size === 1) this.#holdProcess();
  }

  /** Makes sure that the deadline does not fire. Does nothing if it is not scheduled. */
  cancel<O>(deadline: Deadline<O>): void {
    this.#lists.remove(deadline);
    // The timer is kept: with one call at a time, setting and clearing it would cost more than all else here.
    if (this.#lists.size === 0) this.#timer?.unref?.();
  }

  /** Cancels all deadlines, ends the timer and takes no more deadlines. */
  close(): void {
    this.#isClosed = true;
    this.#disarm();
    while (this.#lists.takeDue(Number.POSITIVE_INFINITY) !== undefined);
  }

  #onGrid(dueAt: number): number {
    return Math.ceil(dueAt / this.#gridMs) * this.#gridMs;
  }

  #arm(dueAt: number): void {
    this.#disarm();
    const now = this.#now();
    this.#armedFor = Math.min(this.#onGrid(dueAt), now + MAX_TIMER_MS);
    this.#timer = setTimeout(() => this.#wake(), Math.max(this.#armedFor - now, 1));
    if (this.#unref) this.#timer.unref?.();
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #holdProcess(): void {
    if (!this.#unref) this.#timer?.ref?.();
  }

  #armForEarliest(): void {
    if (this.#lists.size > 0) this.#arm(this.#lists.earliest());
  }

  #wake(): void {
    const now = this.#now();
    const lateMs = now - this.#armedFor;
    this.#disarm();
    if (this.#lists.earliest() > now) {
      this.#armForEarliest();
      return;
    }
    this.#isJudging = true;
    // What becomes due during these rounds is left for the next wake, which reads the input again before it judges.
    const judge = (): void => this.#judge(Math.floor(now));
    if (lateMs > STOPPED_MS) this.#afterInput(() => this.#afterInput(judge));
    else this.#afterInput(judge);
  }

  #judge(upTo: number): void {
    this.#judgedUpTo = upTo;
    for (;;) {
      const due = this.#lists.takeDue(upTo);
      if (due === undefined) break;
      try {
        (due as Deadline).fire();
      } catch (error) {
        this.#onError(error);
      }
    }
    this.#isJudging = false;
    if (!this.#isClosed) this.#armForEarliest();
  }
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
