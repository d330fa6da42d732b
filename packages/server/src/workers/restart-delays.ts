/** A worker that served for so long is sound: the next end of one is the first again. */
const SOUND_AFTER_MS = 10_000;

/** Owns how often one worker has ended in a row, and tells how long to wait before the next is started. */
export class RestartDelays {
  readonly #first: number;
  readonly #most: number;
  #failures = 0;

  constructor({ first, most }: { readonly first: number; readonly most: number }) {
    this.#first = first;
    this.#most = most;
  }

  /** Milliseconds to wait after a worker ended that had served for `servedMs`. */
  next(servedMs: number): number {
    if (servedMs >= SOUND_AFTER_MS) this.#failures = 0;
    // A power beyond the numbers would be Infinity, and Infinity times 0 none at all.
    const factor = 2 ** Math.min(this.#failures, 30);
    this.#failures += 1;
    return Math.min(this.#first * factor, this.#most);
  }
}
