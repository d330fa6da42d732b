import type { Settle } from './outbox.js';

/** The shortest time between two errors about messages that nobody waits for. */
const INTERVAL_MS = 1000;

/** Owns what a relay has said of its engine, so that trouble which goes on is not said all the time. */
export class Complaints {
  readonly #report: (error: Error) => void;
  #lastError = '';
  #lostAt = -Infinity;

  constructor(report: (error: Error) => void) {
    this.#report = report;
  }

  /** The engine cannot be reached. One that stays away gives the same error with each attempt: once is enough. */
  away(error: Error | undefined): void {
    if (error === undefined || error.message === this.#lastError) return;
    this.#lastError = error.message;
    this.#report(error);
  }

  /** The engine is there again. */
  ended(): void {
    this.#lastError = '';
  }

  /** What became of a message that nobody waits for: while messages are lost, one error a second tells. */
  readonly lost: Settle = (error) => {
    const now = performance.now();
    if (error === undefined || now < this.#lostAt + INTERVAL_MS) return;
    this.#lostAt = now;
    this.#report(error);
  };
}
