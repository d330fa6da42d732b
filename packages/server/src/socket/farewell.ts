import { CLOSE_CODES, Deadline, type Extension, InvalidArgumentsError } from '@socketcluster-ts/core';
import type { Outbound } from './outbound.js';
import type { SocketHost } from './socket-context.js';
import type { SocketState } from './socket-events.js';

/** How often it is looked whether something is still under way, in ms. */
const LOOK_MS = 20;
/** How long a client that cannot be asked is waited for to do something. */
const QUIET_MS = 250;

/** How a connection was ended that was asked to leave. */
export interface FarewellResult {
  /** Whether the client confirmed the close; otherwise the connection was cut, by whichever side. */
  readonly isClosed: boolean;
  /** Whether calls had to be given up, because the time was over. */
  readonly isInterrupted: boolean;
}

/** The connection, as far as its end needs to know it. */
export interface FarewellOwner {
  readonly state: SocketState;
  /** Whether packets wait, or calls of either side have no answer yet. */
  readonly isBusy: boolean;
  readonly extensions: readonly Extension[] | undefined;
  readonly inbound: { readonly processed: number };
  readonly server: SocketHost;
  readonly outbound: Outbound;
  /** Closes; nobody did anything wrong. */
  dismiss(code: number): void;
}

/** The longest that anybody waits for calls, in ms. */
export const MAX_DRAIN_MS = 3_600_000;

/** The longest time for which a client of ours stays away, in ms. */
export const MAX_RETRY_DELAY_MS = 600_000;

/**
 * A duration given to `drain()`.
 * @throws {InvalidArgumentsError} that says what is allowed
 */
export function checkMilliseconds(
  name: string,
  value: unknown,
  { least = 0, most }: { readonly least?: number; readonly most: number },
): number {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw new InvalidArgumentsError(
    `The ${name} of drain() must be milliseconds from ${least} to ${most} - Got ${String(value).slice(0, 64)}`,
  );
}

/** How a client is asked to leave. */
export interface FarewellOptions {
  /** When the client shall come back, in ms after the close. */
  readonly retryDelay: number;
  /** How long its calls may take, in ms. */
  readonly timeout: number;
}

/**
 * Owns the orderly end of one connection: the client is told when to come back; what was received is processed, and the
 * calls of both sides get their answers; then it is closed with 1012.
 *
 * A client that agreed on `retry` answers the hint when it will send nothing more than answers, so that no call of its
 * is on the way when the close is sent. Of another one that cannot be known. It is closed just after it has sent
 * something and was served, when the next call is least likely to be on the way, or when it is quiet.
 */
export class Farewell {
  /** Resolves when the connection is gone. */
  readonly ended: Promise<FarewellResult>;
  readonly #owner: FarewellOwner;
  readonly #look: Deadline<Farewell>;
  readonly #giveUpAt: number;
  /** Until when a client is waited for that cannot be asked. */
  #quietAt: number;
  /** How much it had sent that was processed, when it was last looked. */
  #processed: number;
  #isInterrupted = false;
  #resolve: ((result: FarewellResult) => void) | undefined;

  constructor(owner: FarewellOwner, { retryDelay, timeout }: FarewellOptions) {
    this.#owner = owner;
    this.#giveUpAt = performance.now() + timeout;
    this.#look = new Deadline((farewell: Farewell) => farewell.#closeIfIdle(), this);
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const canBeAsked = owner.state === 'open' && owner.extensions?.includes('retry') === true;
    this.#quietAt = canBeAsked ? 0 : performance.now() + QUIET_MS;
    this.#processed = owner.inbound.processed;
    if (canBeAsked) {
      // A client that does not answer in time is closed all the same.
      owner.outbound.invoke('#retry', { delayMs: retryDelay }, timeout).catch(() => {});
      // Nobody may flush a batch that was begun by hand.
      if (owner.outbound.isBuffering) owner.outbound.batcher.flushBatch();
    }
    if (owner.state === 'open') owner.server.deadlines.schedule(this.#look, 0);
    else this.#close();
  }

  /** The connection is gone. */
  end(code: number): void {
    this.#owner.server.deadlines.cancel(this.#look);
    this.#resolve?.({ isClosed: code !== CLOSE_CODES.HUNG_UP, isInterrupted: this.#isInterrupted });
  }

  #closeIfIdle(): void {
    const { state, isBusy, inbound, server } = this.#owner;
    if (state === 'closed') return;
    const now = performance.now();
    // What was served while something else went on is as good as just now.
    if (inbound.processed !== this.#processed) this.#quietAt = 0;
    if (now < this.#giveUpAt && (isBusy || now < this.#quietAt)) {
      server.deadlines.schedule(this.#look, LOOK_MS);
      return;
    }
    this.#isInterrupted = isBusy;
    this.#close();
  }

  #close(): void {
    this.#owner.dismiss(CLOSE_CODES.SERVICE_RESTART);
  }
}
