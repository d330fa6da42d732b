import { Deadline } from '@socketcluster-ts/core';
import type { ClientContext } from './client-context.js';

/** How often the clock is looked at. */
const TICK_MS = 1000;

/** A tick that is later than this shows that the process slept. */
const JUMP_MS = 2000;

/**
 * Owns the ears for what may have killed a connection unnoticed: the network changed, the page was shown again, the
 * clock jumped because the machine slept.
 */
export class Liveness {
  readonly #context: ClientContext;
  readonly #onPageEvent: () => void;
  readonly #onDoubt: () => void;
  readonly #tick: Deadline<Liveness>;
  #tickedAt = 0;
  #isStarted = false;

  /** `onDoubt` is called when a connection may be dead, and when one may be possible again. */
  constructor(context: ClientContext, onDoubt: () => void) {
    this.#context = context;
    this.#onDoubt = onDoubt;
    this.#onPageEvent = () => {
      if (context.environment.document?.visibilityState !== 'hidden') onDoubt();
    };
    this.#tick = new Deadline((liveness: Liveness) => liveness.#onTick(), this);
  }

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#listen('addEventListener');
    this.#schedule();
  }

  stop(): void {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    this.#listen('removeEventListener');
    this.#context.timers.cancel(this.#tick);
  }

  #listen(how: 'addEventListener' | 'removeEventListener'): void {
    const { window, document } = this.#context.environment;
    for (const type of ['online', 'offline', 'pageshow']) window?.[how](type, this.#onPageEvent);
    document?.[how]('visibilitychange', this.#onPageEvent);
  }

  #schedule(): void {
    this.#tickedAt = this.#context.environment.now();
    this.#context.timers.schedule(this.#tick, TICK_MS);
  }

  #onTick(): void {
    const elapsed = this.#context.environment.now() - this.#tickedAt;
    this.#schedule();
    // A clock that was set back counts too: what it says about pings is wrong now.
    if (elapsed > TICK_MS + JUMP_MS || elapsed < 0) this.#onDoubt();
  }
}
