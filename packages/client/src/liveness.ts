import type { ClientContext } from './client-context.js';
import { Timer } from './timer.js';

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
  readonly #tick: Timer;
  #tickedAt = 0;

  /** `onDoubt` is called when a connection may be dead, and when one may be possible again. */
  constructor(context: ClientContext, onDoubt: () => void) {
    const { environment } = context;
    this.#context = context;
    this.#onPageEvent = () => {
      if (environment.document?.visibilityState !== 'hidden') onDoubt();
    };
    this.#tick = new Timer(environment, () => {
      const elapsed = environment.now() - this.#tickedAt;
      this.#schedule();
      // A clock that was set back counts too: what it says about pings is wrong now.
      if (elapsed > TICK_MS + JUMP_MS || elapsed < 0) onDoubt();
    });
  }

  start(): void {
    if (this.#tick.isRunning) return;
    this.#listen('addEventListener');
    this.#schedule();
  }

  stop(): void {
    this.#listen('removeEventListener');
    this.#tick.stop();
  }

  #listen(how: 'addEventListener' | 'removeEventListener'): void {
    const { window, document } = this.#context.environment;
    for (const type of ['online', 'offline', 'pageshow']) window?.[how](type, this.#onPageEvent);
    document?.[how]('visibilitychange', this.#onPageEvent);
  }

  #schedule(): void {
    this.#tickedAt = this.#context.environment.now();
    this.#tick.start(TICK_MS);
  }
}
