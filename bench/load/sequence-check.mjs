/** Owns which message a receiver must get next. Messages are numbered without gaps. */
export class SequenceCheck {
  /** The number of the next message. */
  next = 0;
  #faults;
  #who;
  /** Skipped so far: lost, unless they come late. @type {Set<number> | undefined} */
  #missing;

  /**
   * @param {import('./faults.mjs').Faults} faults
   * @param {string} who for the description of a fault
   */
  constructor(faults, who) {
    this.#faults = faults;
    this.#who = who;
  }

  /**
   * Takes the next message, and says whether it is one that was still to come.
   * @param {number} number
   * @param {number} sent how many messages were sent
   */
  accept(number, sent) {
    if (number === this.next && number < sent) {
      this.next += 1;
      return true;
    }
    if (!(number >= 0 && number < sent)) {
      this.#faults.add('corrupted', `${this.#who} got number ${number}, which was never sent`);
      return false;
    }
    if (number > this.next) {
      this.#missing ??= new Set();
      for (let skipped = this.next; skipped < number; skipped += 1) this.#missing.add(skipped);
      this.next = number + 1;
      return true;
    }
    if (this.#missing?.delete(number) === true) {
      this.#faults.add('reordered', `${this.#who} got message ${number} after message ${this.next - 1}`);
      return true;
    }
    this.#faults.add('duplicated', `${this.#who} got message ${number} again`);
    return false;
  }

  /** Whether a message was skipped. */
  get hasGap() {
    return this.#missing !== undefined && this.#missing.size > 0;
  }

  /**
   * Counts what never came.
   * @param {number} sent how many messages were sent
   */
  finish(sent) {
    const lost = (this.#missing?.size ?? 0) + Math.max(0, sent - this.next);
    if (lost > 0) {
      const first = this.#missing?.values().next().value ?? this.next;
      this.#faults.add('lost', `${this.#who} never got message ${first}`, lost);
    }
  }
}
