import { turnMs } from './turn-clock.js';

/** A write that could not leave at once: how far the stream of bytes goes with it. */
interface Write {
  readonly endsAt: number;
  readonly messages: number;
  readonly since: number;
}

/** Owns which writes of a connection have not left yet, so that the number of waiting messages is true. */
export class UnsentWrites {
  /** Whether an empty write is under way that tells when all before it has left. */
  isWatched = false;
  /** Bytes of the write under way past the queue of the stream, which does not count them. */
  directBytes = 0;
  #writes: Write[] = [];

  /** A write of so many messages, with which the stream of bytes goes to `endsAt`; so many bytes of it have left. */
  add(endsAt: number, messages: number, goneBytes: number): void {
    this.#waiting(goneBytes);
    this.#writes.push({ endsAt, messages, since: turnMs() });
  }

  /** How many messages wait when so many bytes have left. */
  messages(goneBytes: number): number {
    return this.#waiting(goneBytes).reduce((sum, { messages }) => sum + messages, 0);
  }

  /** Since when the oldest of them waits. */
  since(goneBytes: number): number | undefined {
    return this.#waiting(goneBytes)[0]?.since;
  }

  #waiting(goneBytes: number): readonly Write[] {
    const first = this.#writes.findIndex(({ endsAt }) => endsAt > goneBytes);
    if (first === -1) this.#writes = [];
    else if (first > 0) this.#writes.splice(0, first);
    return this.#writes;
  }
}
