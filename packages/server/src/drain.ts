import { Deadline, type DeadlineScheduler, spawn } from '@socketcluster-ts/core';
import {
  checkMilliseconds,
  type FarewellOptions,
  type FarewellResult,
  MAX_DRAIN_MS,
  MAX_RETRY_DELAY_MS,
} from './socket/farewell.js';

/** How a server is drained. */
export interface DrainOptions {
  /** Milliseconds after which nobody is connected any more. @default 10000 */
  readonly timeout?: number;
  /**
   * Milliseconds over which the clients are sent away, evenly, so that they come back evenly. At most half of the
   * timeout: the rest is for calls.
   * @default 5000, or half of a shorter timeout
   */
  readonly spread?: number;
  /**
   * Milliseconds after which a client that was sent away shall come back: more than a balancer needs to see that this
   * server takes nobody, or than a restart takes. Only clients that understand `#retry` are told.
   * @default 1000
   */
  readonly retryDelay?: number;
}

/** What became of the clients of a server that was drained. */
export interface DrainResult {
  /** How many confirmed the close. */
  readonly closed: number;
  /** How many connections were cut, because the client did not, or broke by themselves while it was awaited. */
  readonly terminated: number;
  /** How many of all these still had calls without an answer when the time was over. */
  readonly interrupted: number;
}

/** A socket that can be sent away. */
export interface DrainableSocket {
  readonly state: string;
  drain(options: FarewellOptions): Promise<FarewellResult>;
  terminate(): void;
}

/** How often a slice of the clients is sent away, in ms. */
const SLICE_MS = 50;
/** Before the timeout everybody is closed, whatever is under way, to have this part of the time for the closing itself. */
const CLOSING_PART = 0.1;
const LONGEST_CLOSING_MS = 1000;
/** No engine takes longer to report the end of a connection that it was told to cut, in ms. */
const CUT_MS = 500;

/** Owns the way out of the clients of a server: when each is sent away, and what became of it. */
export class Drain {
  readonly #options: Required<DrainOptions>;
  readonly #deadlines: DeadlineScheduler;
  readonly #slice: Deadline<Drain>;
  readonly #end: Deadline<Drain>;
  #sockets: readonly DrainableSocket[] = [];
  #next = 0;
  #startedAt = 0;
  /** Those that were sent away, and are not gone. */
  readonly #leaving = new Set<DrainableSocket>();
  #isCut = false;
  readonly #result = { closed: 0, terminated: 0, interrupted: 0 };
  #resolve: ((result: DrainResult) => void) | undefined;

  /** @throws {InvalidArgumentsError} that names the option, what was given and what is allowed */
  constructor(options: DrainOptions, deadlines: DeadlineScheduler) {
    this.#options = resolveDrainOptions(options);
    this.#deadlines = deadlines;
    this.#slice = new Deadline((drain: Drain) => drain.#sendAway(), this);
    this.#end = new Deadline((drain: Drain) => drain.#cut(), this);
  }

  /** The delay that clients are told. */
  get retryDelay(): number {
    return this.#options.retryDelay;
  }

  /** Sends the sockets away in this order; resolves when none is left. Called once. */
  run(sockets: readonly DrainableSocket[]): Promise<DrainResult> {
    this.#sockets = sockets;
    this.#startedAt = performance.now();
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#deadlines.schedule(this.#end, this.#options.timeout);
      this.#sendAway();
    });
  }

  /** When the last call may be answered, in ms from the start. */
  get #graceMs(): number {
    const { timeout } = this.#options;
    return timeout - Math.min(timeout * CLOSING_PART, LONGEST_CLOSING_MS);
  }

  #sendAway(): void {
    const { spread, retryDelay } = this.#options;
    const count = this.#sockets.length;
    const elapsed = performance.now() - this.#startedAt;
    while (this.#next < count) {
      const dueMs = (spread * this.#next) / count;
      if (dueMs > elapsed + SLICE_MS) break;
      const socket = this.#sockets[this.#next] as DrainableSocket;
      this.#next += 1;
      if (socket.state === 'closed') continue;
      // Sent away with its slice, back as if it had been sent away alone.
      const lead = Math.max(Math.round(dueMs - elapsed), 0);
      this.#leaving.add(socket);
      const left = socket.drain({
        retryDelay: Math.min(retryDelay + lead, MAX_RETRY_DELAY_MS),
        timeout: Math.max(this.#graceMs - elapsed, 0),
      });
      spawn(
        () => left.then((result) => this.#onLeft(socket, result)),
        () => {},
      );
    }
    // Whoever is closed already, by whomever, is not waited for.
    while (this.#sockets[this.#next]?.state === 'closed') this.#next += 1;
    if (this.#next < count) this.#deadlines.schedule(this.#slice, SLICE_MS);
    else this.#finishIfEmpty();
  }

  #onLeft(socket: DrainableSocket, { isClosed, isInterrupted }: FarewellResult): void {
    if (!this.#leaving.delete(socket)) return;
    if (isClosed) this.#result.closed += 1;
    else this.#result.terminated += 1;
    if (isInterrupted) this.#result.interrupted += 1;
    this.#finishIfEmpty();
  }

  #cut(): void {
    if (this.#isCut) {
      // An engine that does not report the end of its connections.
      this.#result.terminated += this.#leaving.size;
      this.#leaving.clear();
      this.#next = this.#sockets.length;
      this.#finishIfEmpty();
      return;
    }
    this.#isCut = true;
    this.#deadlines.schedule(this.#end, CUT_MS);
    for (const socket of this.#leaving) socket.terminate();
  }

  #finishIfEmpty(): void {
    if (this.#next < this.#sockets.length || this.#leaving.size > 0) return;
    this.#deadlines.cancel(this.#slice);
    this.#deadlines.cancel(this.#end);
    this.#resolve?.({ ...this.#result });
  }
}

function resolveDrainOptions(given: DrainOptions): Required<DrainOptions> {
  const timeout = checkMilliseconds('timeout', given.timeout ?? 10_000, { least: 1, most: MAX_DRAIN_MS });
  const most = timeout / 2;
  return {
    timeout,
    spread: checkMilliseconds('spread', given.spread ?? Math.min(5000, most), { most }),
    retryDelay: checkMilliseconds('retryDelay', given.retryDelay ?? 1000, { most: MAX_RETRY_DELAY_MS }),
  };
}
