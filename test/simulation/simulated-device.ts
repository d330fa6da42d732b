import type { VirtualClock } from './virtual-clock.js';

/** Owns the listeners of a `window` or a `document`, and counts them. */
export class PageObject {
  readonly #listeners = new Map<string, Set<() => void>>();
  visibilityState: string = 'visible';

  get listenerCount(): number {
    let count = 0;
    for (const listeners of this.#listeners.values()) count += listeners.size;
    return count;
  }

  addEventListener(type: string, listener: () => void): void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
  }

  removeEventListener(type: string, listener: () => void): void {
    this.#listeners.get(type)?.delete(listener);
  }

  /** Tells everybody who listens. */
  dispatch(type: string): void {
    for (const listener of Array.from(this.#listeners.get(type) ?? [])) listener();
  }
}

/**
 * Owns what a client sees of its computer: its timers, which stand still while it sleeps, and the events of its page.
 *
 * The parts have the names of the client's option `environment`.
 */
export class SimulatedDevice {
  readonly window: PageObject = new PageObject();
  readonly document: PageObject = new PageObject();
  readonly #clock: VirtualClock;
  readonly #timers = new Map<object, unknown>();
  readonly #overdue: (() => void)[] = [];
  #isAsleep = false;
  #seed: number;

  constructor(clock: VirtualClock, seed: number) {
    this.#clock = clock;
    this.#seed = seed;
  }

  get isAsleep(): boolean {
    return this.#isAsleep;
  }

  /** How many timers of the client are set. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  readonly now = (): number => Date.now();

  /** Chance that is the same in every run with the same seed. */
  readonly random = (): number => {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#seed / 2 ** 32;
  };

  readonly setTimeout = (fn: () => void, ms: number): unknown => {
    const timer = {};
    const fire = (): void => {
      if (this.#isAsleep) this.#overdue.push(fire);
      else if (this.#timers.delete(timer)) fn();
    };
    this.#timers.set(timer, this.#clock.set(fire, Math.max(1, ms)));
    return timer;
  };

  readonly clearTimeout = (timer: unknown): void => {
    this.#clock.clear(this.#timers.get(timer as object));
    this.#timers.delete(timer as object);
  };

  /** Stops all timers; nothing reaches the client until it wakes up. */
  sleep(): void {
    this.#isAsleep = true;
  }

  /** Goes on: what was due meanwhile is due now, and the page hears that it is shown again. */
  wakeUp(): void {
    if (!this.#isAsleep) return;
    this.#isAsleep = false;
    for (const fire of this.#overdue.splice(0)) this.#clock.set(fire, 0);
    this.window.dispatch('pageshow');
    this.document.dispatch('visibilitychange');
  }

  /** Calls `fn` now, or when the device has woken up. */
  whenAwake(fn: () => void): void {
    if (this.#isAsleep) this.#overdue.push(fn);
    else fn();
  }
}
