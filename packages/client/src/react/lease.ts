/**
 * Owns whether something is in use, by any number of components: it begins with the first, and ends one task after the
 * last has let go.
 *
 * That task is what keeps it going while components come and go within one: when StrictMode mounts twice, and when one
 * page is replaced by another.
 */
export class Lease {
  readonly #begin: () => void;
  readonly #end: () => void;
  #holders = 0;
  #isInUse = false;
  #ending: ReturnType<typeof setTimeout> | undefined;

  constructor(begin: () => void, end: () => void) {
    this.#begin = begin;
    this.#end = end;
  }

  /** One more holder; gives the function that lets go, once. */
  hold(): () => void {
    this.#holders++;
    clearTimeout(this.#ending);
    if (!this.#isInUse) {
      this.#isInUse = true;
      this.#begin();
    }
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (--this.#holders > 0) return;
      this.#ending = setTimeout(() => {
        this.#isInUse = false;
        this.#end();
      });
    };
  }
}
