import { setTimeout as after } from 'node:timers/promises';
import { BrokerError } from '@socketcluster-ts/core';
import { type Flushable, flushAtEndOfTurn } from '../engine/flush-turn.js';
import type { BrokerLink } from './broker-link.js';
import { envelopeBytes, writeEnvelope } from './envelope.js';

/** Several messages of a channel share an envelope up to this size. */
const SHARED_ENVELOPE_BYTES = 65_536;

/** How long the end waits for the answer to a message that was posted. */
const POST_TIMEOUT_MS = 500;

/** How late an expired message may be noticed. */
const EXPIRY_CHECK_MS = 100;

/** How much may wait, and how long. */
export interface OutboxLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** Milliseconds within which the engine must have accepted a message. */
  readonly ackTimeout: number;
}

/** What became of the messages of an outbox. */
export interface OutboxCounts {
  /** Messages of this node that the engine accepted. */
  readonly accepted: number;
  /** Messages of this node that did not leave it: refused, or expired while the engine was away. */
  readonly dropped: number;
  /** Messages of this node that the engine was given and did not confirm: they may have arrived. */
  readonly unconfirmed: number;
}

/** Told what became of a message: `undefined` when the engine has accepted it. */
export type Settle = (error: BrokerError | undefined) => void;

interface Letter {
  readonly channel: string;
  readonly payload: string | Uint8Array;
  readonly bytes: number;
  /** When it expires, on the clock of `performance.now()`. */
  readonly dueAt: number;
  readonly settle: Settle;
}

/** Letters of one channel that the engine was given together. */
interface Batch {
  readonly letters: readonly Letter[];
  readonly bytes: number;
  /** The oldest letter's. */
  readonly dueAt: number;
}

/**
 * Owns the messages on their way to the engine: those that wait for the end of the turn or for the engine to return, and
 * those that the engine was given and has not answered.
 *
 * Both together stay within the limits; what does not fit is refused. What the engine did not accept in time is given
 * up: out of the queue if it waits there, and as unconfirmed if it was sent. Nothing is sent twice.
 */
export class Outbox implements Flushable {
  readonly #counts = { accepted: 0, dropped: 0, unconfirmed: 0 };
  readonly #link: BrokerLink;
  readonly #node: Uint8Array;
  readonly #limits: OutboxLimits;
  #waiting: Letter[] = [];
  /** Those without an answer, as long as they are waited for. */
  readonly #sent = new Set<Batch>();
  #messages = 0;
  #bytes = 0;
  /** Connections to the engine so far; while there is none, the next has not begun. */
  #epoch = 0;
  #isOpen = false;
  #isMarked = false;
  #isClosed = false;
  /** Whether a look at what has expired is due. */
  #isWatching = false;
  #whenIdle: (() => void) | undefined;
  /** Settles when the message that was posted last is answered. */
  #lastPost: Promise<void> | undefined;

  constructor(link: BrokerLink, node: Uint8Array, limits: OutboxLimits) {
    this.#link = link;
    this.#node = node;
    this.#limits = limits;
  }

  get counts(): OutboxCounts {
    return this.#counts;
  }

  /** Messages that wait, or that the engine has not answered. */
  get messages(): number {
    return this.#messages;
  }

  /** The bytes of these. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a message; `settle` is called once with what became of it, at once if there is no room for it. */
  add(channel: string, payload: string | Uint8Array, bytes: number, settle: Settle): void {
    const { maxMessages, maxBytes, ackTimeout } = this.#limits;
    if (this.#isClosed) {
      this.#refuse(settle, 'the relay is closed');
      return;
    }
    if (this.#messages >= maxMessages || this.#bytes + bytes > maxBytes) {
      const waiting = `${this.#messages} messages of ${this.#bytes} bytes wait for the engine`;
      this.#refuse(settle, `${waiting} (maxBufferedMessages: ${maxMessages}, maxBufferedBytes: ${maxBytes})`);
      return;
    }
    this.#messages += 1;
    this.#bytes += bytes;
    this.#waiting.push({ channel, payload, bytes, dueAt: performance.now() + ackTimeout, settle });
    this.#watch();
    if (this.#isOpen) this.#mark();
  }

  /** Sends a message at once, if the engine is there. It is not counted, and nobody learns what became of it. */
  post(channel: string, text: string): void {
    if (!this.#isOpen || this.#isClosed) return;
    const envelope = writeEnvelope({ node: this.#node, epoch: this.#epoch }, [text], Buffer.byteLength(text));
    this.#lastPost = this.#link.publish(channel, envelope).catch(() => {});
  }

  #refuse(settle: Settle, reason: string): void {
    this.#counts.dropped += 1;
    settle(notSent(reason));
  }

  #mark(): void {
    if (this.#isMarked) return;
    this.#isMarked = true;
    flushAtEndOfTurn(this);
  }

  /** The engine is there: what waits is sent. */
  open(): void {
    this.#epoch += 1;
    this.#isOpen = true;
    this.#expire();
    if (this.#waiting.length > 0) this.#mark();
  }

  /** The engine is away: what comes waits. */
  pause(): void {
    this.#isOpen = false;
  }

  flush(): void {
    this.#isMarked = false;
    if (!this.#isOpen) return;
    const letters = this.#waiting;
    this.#waiting = [];
    const byChannel = new Map<string, Letter[]>();
    for (const letter of letters) {
      const group = byChannel.get(letter.channel);
      if (group === undefined) byChannel.set(letter.channel, [letter]);
      else group.push(letter);
    }
    for (const group of byChannel.values()) this.#sendGroup(group);
  }

  /** Order within a channel is kept: its envelopes leave one after the other. */
  #sendGroup(group: readonly Letter[]): void {
    const most = Math.min(SHARED_ENVELOPE_BYTES, this.#link.maxMessageBytes ?? Infinity);
    let start = 0;
    let bytes = 0;
    for (const [index, letter] of group.entries()) {
      if (index > start && envelopeBytes(index - start + 1, bytes + letter.bytes) > most) {
        this.#send(group.slice(start, index), bytes);
        start = index;
        bytes = 0;
      }
      bytes += letter.bytes;
    }
    this.#send(start === 0 ? group : group.slice(start), bytes);
  }

  #send(letters: readonly Letter[], bytes: number): void {
    const [first] = letters;
    if (first === undefined) return;
    const batch: Batch = { letters, bytes, dueAt: first.dueAt };
    this.#sent.add(batch);
    const payloads = letters.map(({ payload }) => payload);
    const envelope = writeEnvelope({ node: this.#node, epoch: this.#epoch }, payloads, bytes);
    let answer: Promise<void>;
    try {
      answer = this.#link.publish(first.channel, envelope);
    } catch (error) {
      answer = Promise.reject(error);
    }
    answer.then(
      () => this.#answered(batch, undefined),
      (error: unknown) => this.#answered(batch, error),
    );
  }

  #answered(batch: Batch, error: unknown): void {
    this.#messages -= batch.letters.length;
    this.#bytes -= batch.bytes;
    // Too late: whoever waited has been told so.
    if (!this.#sent.delete(batch)) return;
    if (error === undefined) this.#settle(batch.letters, 'accepted', undefined);
    else {
      const reason = error instanceof Error ? error.message : String(error);
      const text = `The message to the other nodes was not confirmed: ${reason}`;
      this.#settle(batch.letters, 'unconfirmed', new BrokerError(text, { cause: error }));
    }
    if (this.#isIdle) this.#whenIdle?.();
  }

  #settle(letters: readonly Letter[], outcome: keyof OutboxCounts, error: BrokerError | undefined): void {
    this.#counts[outcome] += letters.length;
    for (const { settle } of letters) settle(error);
  }

  get #isIdle(): boolean {
    return this.#waiting.length === 0 && this.#sent.size === 0;
  }

  /** Keeps looking for what has expired while there is anything. */
  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    setTimeout(
      () => {
        this.#isWatching = false;
        this.#expire();
        if (!this.#isIdle) this.#watch();
      },
      Math.min(EXPIRY_CHECK_MS, this.#limits.ackTimeout),
    );
  }

  #expire(): void {
    const now = performance.now();
    const { ackTimeout } = this.#limits;
    const fresh = this.#waiting.findIndex(({ dueAt }) => dueAt > now);
    const expired = this.#waiting.splice(0, fresh === -1 ? this.#waiting.length : fresh);
    if (expired.length > 0) this.#drop(expired, `the engine was away for ${ackTimeout} ms`);
    for (const batch of this.#sent) {
      if (batch.dueAt > now) continue;
      this.#sent.delete(batch);
      const text = `The engine did not confirm the message to the other nodes within ${ackTimeout} ms`;
      this.#settle(batch.letters, 'unconfirmed', new BrokerError(text));
    }
    if (this.#isIdle) this.#whenIdle?.();
  }

  #drop(letters: readonly Letter[], reason: string): void {
    this.#messages -= letters.length;
    for (const { bytes } of letters) this.#bytes -= bytes;
    this.#settle(letters, 'dropped', notSent(reason));
  }

  /** Takes nothing more; resolves when all that was taken is settled, which may take until it expires. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.flush();
    this.#drop(this.#waiting.splice(0), 'the relay was closed');
    // The last word of a node is one of these; nobody was promised anything for it.
    await Promise.race([this.#lastPost, after(POST_TIMEOUT_MS, undefined, { ref: false })]);
    if (this.#isIdle) return;
    await new Promise<void>((resolve) => (this.#whenIdle = resolve));
  }
}

function notSent(reason: string): BrokerError {
  return new BrokerError(`The message did not leave this node: ${reason}`);
}
