import { isIP } from 'node:net';
import { Deadline, type Packet, ResourceLimitError } from '@socketcluster-ts/core';
import { withoutStack } from '../engine/without-stack.js';
import { addressKey } from '../limits/address-key.js';
import type { RateLimits, Sender } from '../limits/rate-limits.js';
import type { RateKind, RateScope } from '../limits/rates.js';
import type { ScopeBuckets } from '../limits/scope-buckets.js';
import { type Connection, PAUSE_REASONS } from './connection.js';
import { failCall } from './fail-call.js';

/** Of one socket that is too fast the operator hears so often, in ms. */
const REPORT_INTERVAL_MS = 10_000;

/** Owns how fast one socket may still send, and what happens when it is faster. A socket without rates has none. */
export class RateGuard implements Sender {
  readonly own: ScopeBuckets | undefined;
  readonly #connection: Connection;
  readonly #rates: RateLimits;
  #address: string | undefined;
  #isAddressKnown = false;
  /** Why the frame being processed has no effect. */
  #refusal: ResourceLimitError | undefined;
  #resume: Deadline<Connection> | undefined;
  #reportedAt = -Infinity;

  constructor(connection: Connection, rates: RateLimits) {
    this.#connection = connection;
    this.#rates = rates;
    this.own = rates.bucketsOfSocket(performance.now());
  }

  get address(): string | undefined {
    if (!this.#isAddressKnown) {
      const { forwardedForAddress, remoteAddress } = this.#connection.socket;
      const address = forwardedForAddress ?? remoteAddress;
      // Another engine, or the application, may call it as it likes.
      this.#address = address === undefined || isIP(address) === 0 ? address : addressKey(address);
      this.#isAddressKnown = true;
    }
    return this.#address;
  }

  get user(): string | undefined {
    return this.#connection.userId;
  }

  /** Takes a frame into account before it is decoded; `false` when nothing of it may have an effect. */
  admitFrame(bytes: number): boolean {
    this.#refusal = undefined;
    const isDisconnected = this.#rates.action === 'disconnect';
    if (isDisconnected && this.#exceeded('messages', 1) !== undefined) return false;
    const refusal = this.#charge('bytes', bytes);
    if (refusal === undefined) return true;
    // What is in it has to be known for its calls to be answered.
    this.#refusal = refusal;
    return !isDisconnected;
  }

  /** Takes a packet into account; `false` when it may have no effect. Then it has been answered. */
  admit(packet: Packet): boolean {
    const refusal = this.#refusal ?? this.#charge('messages', 1) ?? this.#chargeFor(packet);
    if (refusal === undefined) return true;
    // An answer was asked for, and whoever waits for it is not to blame.
    if (packet.kind === 'response') return this.#rates.action !== 'disconnect';
    if (packet.kind === 'event') failCall(this.#connection, packet.cid, refusal);
    return false;
  }

  /** Takes what is no packet into account: pings and pongs of either kind. */
  note(): void {
    this.#charge('messages', 1);
  }

  /** The connection closed: nothing waits for the end of a pause. */
  stop(): void {
    if (this.#resume !== undefined) this.#connection.server.deadlines.cancel(this.#resume);
  }

  #chargeFor(packet: Packet): ResourceLimitError | undefined {
    if (packet.kind !== 'event') return undefined;
    if (packet.event === '#subscribe') return this.#charge('subscribes', 1);
    return packet.cid === undefined || packet.event.startsWith('#') ? undefined : this.#charge('calls', 1);
  }

  /** Takes so much; gives why not if that is too much and the client is not to wait instead. */
  #charge(kind: RateKind, amount: number): ResourceLimitError | undefined {
    if (this.#rates.action !== 'pause') {
      const refusal = this.#exceeded(kind, amount);
      if (refusal !== undefined) return refusal;
    }
    const nowMs = performance.now();
    const debtMs = this.#rates.charge(this, kind, amount, nowMs);
    if (debtMs > 0 && this.#rates.action === 'pause') this.#pause(debtMs);
    return undefined;
  }

  /** Whether so much would be too much, and why; who is to be disconnected then is. */
  #exceeded(kind: RateKind, amount: number): ResourceLimitError | undefined {
    const nowMs = performance.now();
    const scope = this.#rates.exceeded(this, kind, amount, nowMs);
    if (scope === undefined) return undefined;
    // A flood makes many of them, and a stack trace takes longer than the rest.
    const refusal = withoutStack(() => new ResourceLimitError(tooFast(scope, kind)));
    if (this.#rates.action === 'disconnect') this.#connection.closeForBreach(refusal.message);
    else this.#report(refusal, nowMs);
    return refusal;
  }

  #report(error: ResourceLimitError, nowMs: number): void {
    if (nowMs - this.#reportedAt < REPORT_INTERVAL_MS) return;
    this.#reportedAt = nowMs;
    this.#connection.socket.emitError(error);
  }

  #pause(forMs: number): void {
    const connection = this.#connection;
    if (connection.state === 'closed') return;
    connection.pauseReading(PAUSE_REASONS.RATE);
    this.#resume ??= new Deadline(resumeReading, connection);
    connection.server.deadlines.schedule(this.#resume, forMs);
  }
}

function resumeReading(connection: Connection): void {
  connection.resumeReading(PAUSE_REASONS.RATE);
}

function tooFast(scope: RateScope, kind: RateKind): string {
  return `Too many ${kind} of one ${scope} in a short time`;
}
