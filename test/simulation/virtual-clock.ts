/** Real ones, kept before any test replaces the globals. */
const nextTurn = setImmediate;

/** What a simulation replaces in the global scope, so that time passes only when it says so. */
const REPLACED = ['setTimeout', 'clearTimeout', 'setInterval', 'setImmediate', 'clearImmediate'] as const;

/** One timer of a virtual clock, as `setTimeout` hands it out. */
class VirtualTimer {
  readonly dueAt: number;
  readonly fn: () => void;
  #clock: VirtualClock;

  constructor(clock: VirtualClock, dueAt: number, fn: () => void) {
    this.#clock = clock;
    this.dueAt = dueAt;
    this.fn = fn;
  }

  /** Whether a process would stay alive for it is of no interest here. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return this.#clock.has(this);
  }
}

/**
 * Owns the time of a simulation, in milliseconds, and all timers set in it.
 *
 * Timers fire in the order in which they are due, and between two of them everything runs that needs no time: promises,
 * loops over streams. Nothing is ever waited for, so an hour takes as long as its events.
 */
export class VirtualClock {
  #now = 0;
  readonly #timers = new Set<VirtualTimer>();

  /** Milliseconds since the simulation began. */
  get now(): number {
    return this.#now;
  }

  /** How many timers are set. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Whether the timer is set and has not fired. */
  has(timer: VirtualTimer): boolean {
    return this.#timers.has(timer);
  }

  /** Calls `fn` once after `delayMs`; what it gives can be cleared. */
  set(fn: () => void, delayMs: number = 1): VirtualTimer {
    const timer = new VirtualTimer(this, this.#now + Math.max(0, Math.ceil(delayMs || 0)), fn);
    this.#timers.add(timer);
    return timer;
  }

  /** Makes sure that the timer does not fire. */
  clear(timer: unknown): void {
    this.#timers.delete(timer as VirtualTimer);
  }

  /** Lets `ms` milliseconds pass, and everything happen that is due in them. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.dueAt);
      timer.fn();
      await settled();
    }
    this.#now = until;
  }

  /** Puts this clock in the place of the global timers and clocks; the returned function puts them back. */
  install(): () => void {
    const originals = Object.fromEntries(REPLACED.map((name) => [name, globalThis[name]]));
    const { now: dateNow } = Date;
    const monotonicNow = performance.now.bind(performance);
    const epoch = dateNow();
    const set = (fn: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): VirtualTimer =>
      this.set(() => {
        fn(...args);
      }, ms);
    Object.assign(globalThis, {
      setTimeout: (fn: () => void, ms?: number, ...args: unknown[]) => set(fn, Math.max(1, ms ?? 1), ...args),
      clearTimeout: (timer: unknown) => {
        this.clear(timer);
      },
      setInterval: () => {
        throw new Error('Nothing in this simulation uses intervals');
      },
      setImmediate: (fn: () => void, ...args: unknown[]) => set(fn, 0, ...args),
      clearImmediate: (timer: unknown) => {
        this.clear(timer);
      },
    });
    Date.now = () => epoch + this.#now;
    performance.now = () => this.#now;
    return () => {
      Object.assign(globalThis, originals);
      Date.now = dateNow;
      performance.now = monotonicNow;
    };
  }

  /** The timer that is due first up to a time; of those due together, the one that was set first. */
  #next(until: number): VirtualTimer | undefined {
    let first: VirtualTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueAt <= until && (first === undefined || timer.dueAt < first.dueAt)) first = timer;
    }
    return first;
  }
}

/** Resolves when every promise and every tick that waits for nothing else has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    nextTurn(resolve);
  });
}
