import { turnMs } from '../engine/turn-clock.js';

/** A message that is sent once there is room for it. */
interface Waiting {
  readonly event: string;
  readonly bytes: number;
  readonly since: number;
  readonly send: () => void;
  readonly reject: (error: Error) => void;
}

/** Owns the messages of one socket that wait until it is no longer under pressure, in order (`whenWritable`). */
export class RoomQueue {
  #waiting: Waiting[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  /** About how many bytes wait. */
  get bytes(): number {
    return this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** When the oldest came. */
  get since(): number | undefined {
    return this.#waiting[0]?.since;
  }

  /** Calls `send` when it is its turn, and settles with what it gives. */
  wait<T>(event: string, bytes: number, send: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const sendNow = (): void => resolve(send());
      this.#waiting.push({ event, bytes, since: turnMs(), send: sendNow, reject });
    });
  }

  /** Sends the oldest; `false` when there is none. */
  next(): boolean {
    const oldest = this.#waiting.shift();
    oldest?.send();
    return oldest !== undefined;
  }

  /** Gives all of them up. */
  abort(makeError: (event: string) => Error): void {
    const given = this.#waiting;
    this.#waiting = [];
    for (const { event, reject } of given) reject(makeError(event));
  }
}
