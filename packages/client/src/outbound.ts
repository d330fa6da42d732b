import {
  AbortError,
  BadConnectionError,
  Batcher,
  type CodecEngine,
  cloneData,
  type Delivery,
  dehydrateError,
  errorPacket,
  eventPacket,
  hydrateError,
  InvalidArgumentsError,
  markDelivery,
  ResourceLimitError,
  type ResponsePacket,
  TimeoutError,
} from '@socketcluster-ts/core';
import { checkName, wrongName } from './check-name.js';
import type { ClientContext } from './client-context.js';
import type { InvokeOptions, TransmitOptions } from './client-options.js';
import { Timer } from './timer.js';

/** The structure of an `AbortSignal` that is used; its type belongs to the platform. */
type Signal = Pick<AbortSignal, 'aborted' | 'reason' | 'addEventListener' | 'removeEventListener'>;

/** What is sent of frames and asked of the connection. */
export interface OutboundLink {
  /** Whether the handshake is complete, so that messages may be sent. */
  readonly isOpen: boolean;
  /** Whether messages of the application may be sent: it is open, and the server has not announced that it will close. */
  readonly isWritable: boolean;
  readonly codec: CodecEngine;
  /** The most bytes that one frame of several packets may have. */
  readonly maxBatchBytes: number;
  /** Whether the server understands an addition to the protocol. */
  knows(extension: 'abort'): boolean;
  /** Writes one frame to the connection that is open. */
  write(frame: string | Uint8Array | ArrayBuffer): void;
  /** Sees to it that there is, or will be, a connection. */
  wake(): void;
}

/** How a connection ended. */
export interface EndOfConnection {
  /** No other one will follow by itself. */
  readonly isFinal: boolean;
  /** The server had announced it, so that the calls since then wait for the next connection. */
  readonly wasAnnounced?: boolean;
}

/** More packets are never put into one frame: the server works on them before it reads anything else. */
const MAX_BATCH_PACKETS = 500;

/** Something on its way out: an event, a call, or a packet that is ready. */
interface Outgoing {
  readonly event: string;
  /** Let go once it is sent: a call may wait long for its answer. */
  data?: unknown;
  readonly packet?: object;
  /** The number of a call, from when it is sent. */
  cid?: number;
  /** Runs until a message must be sent, or a call be answered. */
  timer?: Timer | undefined;
  /** Whether a call is settled, or a message given up. */
  isDone?: boolean;
  readonly promise?: Promise<unknown>;
  readonly onAnswer?: ((answer: unknown) => void) | undefined;
  readonly resolve?: (answer: unknown) => void;
  readonly reject?: (error: unknown) => void;
}

/** A call of ours, and how it is settled. */
export interface Call extends Outgoing {
  readonly promise: Promise<unknown>;
}

/**
 * Owns what a client has to send: what waits for a connection, in order, the batch being buffered, and the calls that
 * wait for an answer, which are numbered 1, 2, 3, … as they are sent.
 *
 * With a connection everything leaves before the call returns. Without one it waits, no longer than its `ackTimeout`, and
 * so it does while the server is about to close.
 * When a connection ends, calls are rejected; messages that were not sent wait for the next one, and if there will be
 * none, an error tells of each.
 */
export class Outbound {
  readonly batcher: Batcher<Outgoing>;
  /** Whether all is sent in batches, over this connection and the next. */
  isBatching = false;
  readonly #link: OutboundLink;
  readonly #context: ClientContext;
  readonly #waiting = new Set<Outgoing>();
  readonly #unanswered = new Map<number, Outgoing>();
  #lastCid = 0;

  constructor(link: OutboundLink, context: ClientContext) {
    this.#link = link;
    this.#context = context;
    this.batcher = new Batcher((batch) => this.#sendBatch(batch), context.environment);
  }

  /** Sends an event that is not answered. What goes wrong is an `error` event. */
  transmit(event: string, data: unknown, options?: TransmitOptions): void {
    checkName(event);
    this.#link.wake();
    this.#accept({ event, data: this.#copy(data) }, options?.ackTimeout);
  }

  /** Calls a procedure of the server; settles with its answer. */
  invoke(event: string, data: unknown, options?: InvokeOptions | null): Promise<unknown> {
    const timeout = options?.timeout ?? options?.ackTimeout ?? this.#context.settings.ackTimeout;
    const signal = options?.signal as Signal | undefined;
    const refusal = refuse(event, timeout, signal);
    // Before the call is made: a connection that turns out to be stale takes the calls that there are with it.
    if (!refusal) this.#link.wake();
    const call = newCall(event, this.#copy(data));
    if (!refusal) {
      if (signal !== undefined) this.#watch(call, signal);
      this.#accept(call, timeout);
    } else this.giveUp(call, refusal);
    return call.promise;
  }

  /** Sends an event over the connection that is open, and does not see to another one. */
  transmitNow(event: string, data?: unknown): void {
    this.#send({ event, data });
  }

  /**
   * Makes a call at once, before the handshake too, past a batch. `onAnswer` is called with the answer before the next
   * packet is read.
   */
  callNow(event: string, data: unknown, onAnswer?: (answer: unknown) => void): Call {
    const call = newCall(event, data, onAnswer);
    this.#startTimer(call);
    this.#write(call);
    return call;
  }

  /** Makes one call for each payload, without a timeout; several leave in as few frames as may be. */
  callAll(event: string, payloads: readonly unknown[]): Call[] {
    const calls = payloads.map((data) => newCall(event, data));
    if (calls.length === 1 || this.batcher.isBuffering) for (const call of calls) this.#send(call);
    else this.#sendBatch(calls);
    return calls;
  }

  /** Sends a packet past what waits, into the batch if one is being buffered. Without a connection it is an error. */
  sendObject(packet: object, isPossible: boolean = this.#link.isOpen): void {
    if (isPossible) this.#send({ event: '', packet });
    else
      this.#context.emitError(
        new BadConnectionError('WebSocket is not open: the packet was not sent', 'disconnect'),
      );
  }

  /**
   * Takes an answer of the server; whether a call was ever made under its number.
   *
   * compat: an error that is falsy (`null`, `''`, 0, `false`) counts as success.
   */
  settle({ rid, data, error }: ResponsePacket): boolean {
    const call = this.#unanswered.get(rid);
    if (!call) return Number.isInteger(rid) && rid > 0 && rid <= this.#lastCid;
    if (error) this.giveUp(call, hydrateError(error), 'refused');
    else {
      this.#forget(call);
      call.onAnswer?.(data);
      call.resolve?.(data);
    }
    return true;
  }

  /** Drops the batch that is being buffered, by the will of the application; its calls are told. */
  cancelBatch(): void {
    for (const message of this.batcher.takeBatch()) {
      if (message.promise)
        this.giveUp(message, new AbortError(`The batch with the call of ${message.event} was cancelled`));
    }
  }

  startBatching(): void {
    this.isBatching = true;
    if (this.#link.isOpen) this.batcher.startBatching(this.#context.settings.batchInterval);
  }

  stopBatching(): void {
    this.isBatching = false;
    this.batcher.stopBatching();
  }

  /** Sends what waited, now that there is a connection. */
  flush(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const message of waiting) {
      if (!message.promise) message.timer?.stop();
      this.#send(message);
    }
  }

  /** The connection is gone, or the attempt failed. */
  drop(makeError: (event: string) => Error, { isFinal, wasAnnounced = false }: EndOfConnection): void {
    const batch = this.batcher.takeBatch();
    // What the protocol itself had to say, an `#unsubscribe` for instance, would be wrong on another connection.
    const unsent = batch.filter(
      ({ promise, packet, event }) =>
        promise !== undefined || (!packet && (event === '#publish' || !event.startsWith('#'))),
    );
    for (const { packet } of batch) if (packet) this.#context.emitError(makeError('packet'));
    this.batcher.dispose();
    const waiting = [...unsent, ...this.#waiting];
    for (const message of [...this.#unanswered.values(), ...waiting]) {
      const mayWait = !message.promise || (wasAnnounced && this.#waiting.has(message));
      if (isFinal || !mayWait) this.giveUp(message, makeError(message.event));
    }
    this.#waiting.clear();
    for (const message of waiting) if (!message.isDone) this.#wait(message);
  }

  /** Gives a message or call up, unless that or something better has happened: whoever waits for it is told. */
  giveUp(
    message: Outgoing,
    error: unknown,
    delivery: Delivery = message.cid === undefined ? 'not-sent' : 'unknown',
  ): void {
    if (message.isDone) return;
    this.#forget(message);
    markDelivery(error, delivery);
    const { event, cid, reject } = message;
    if (!reject) this.#context.emitError(error);
    else reject(error);
    // The protocol's own events have no handler that could be told.
    if (delivery === 'unknown' && !event.startsWith('#') && this.#link.isOpen && this.#link.knows('abort'))
      this.transmitNow('#abort', { cid });
  }

  #watch(call: Call, signal: Signal): void {
    const abort = (): void => this.giveUp(call, abortError(call.event, signal));
    signal.addEventListener('abort', abort);
    const forget = (): void => signal.removeEventListener('abort', abort);
    call.promise.then(forget, forget);
  }

  #accept(message: Outgoing, timeout?: number): void {
    const { isWritable } = this.#link;
    const { size } = this.#waiting;
    if (!isWritable && size >= this.#context.settings.maxQueuedMessages) {
      const refused = `Event ${message.event} was refused: ${size} messages wait for a connection`;
      this.giveUp(message, new ResourceLimitError(refused));
      return;
    }
    if (message.promise) this.#startTimer(message, timeout);
    if (isWritable) this.#send(message);
    else this.#wait(message, timeout);
  }

  #wait(message: Outgoing, timeout?: number): void {
    this.#waiting.add(message);
    if (!message.promise && !message.timer?.isRunning) this.#startTimer(message, timeout);
  }

  #startTimer(message: Outgoing, ms: number = this.#context.settings.ackTimeout): void {
    if (ms === Infinity) return;
    message.timer = new Timer(this.#context.environment, () => this.#expire(message));
    message.timer.start(ms);
  }

  #expire(message: Outgoing): void {
    const { event, promise } = message;
    const what = promise
      ? `Event response for ${event} event timed out`
      : `Event ${event} was not sent within its ackTimeout`;
    this.giveUp(message, new TimeoutError(what));
  }

  /** Nothing more becomes of a message. */
  #forget(message: Outgoing): void {
    message.isDone = true;
    message.timer?.stop();
    this.#waiting.delete(message);
    if (message.cid !== undefined) this.#unanswered.delete(message.cid);
  }

  #copy(data: unknown): unknown {
    return this.#context.settings.cloneData ? cloneData(data) : data;
  }

  #send(message: Outgoing): void {
    if (!this.batcher.push(message)) this.#write(message);
  }

  #write(message: Outgoing): void {
    const frame = this.#encode(message);
    if (frame !== undefined) this.#link.write(frame);
    message.data = undefined;
  }

  #sendBatch(messages: readonly Outgoing[]): void {
    const { codec, maxBatchBytes } = this.#link;
    const open = messages.filter(({ isDone }) => !isDone);
    const half = Math.min(MAX_BATCH_PACKETS, open.length >> 1);
    const sendParts = (): void => {
      this.#sendBatch(open.slice(0, half));
      this.#sendBatch(open.slice(half));
    };
    if (open.length === 0) return;
    if (open.length > MAX_BATCH_PACKETS) {
      sendParts();
      return;
    }
    let frame: ReturnType<CodecEngine['encode']>;
    try {
      frame = codec.encode(open.map((message) => this.#packetOf(message)));
    } catch {
      // One packet that cannot be encoded must not take the others with it.
      for (const message of open) this.#write(message);
      return;
    }
    if (frame === undefined) return;
    if (open.length > 1 && byteLength(frame) > maxBatchBytes) {
      sendParts();
      return;
    }
    this.#link.write(frame);
    for (const message of open) message.data = undefined;
  }

  /** The frame of one packet; one that cannot be encoded is reported to who waits for it. */
  #encode(message: Outgoing): ReturnType<CodecEngine['encode']> {
    const { codec } = this.#link;
    try {
      return codec.encode(this.#packetOf(message));
    } catch (error) {
      this.giveUp(message, error, 'not-sent');
      const { rid } = (message.packet ?? {}) as { rid?: number };
      return rid === undefined ? undefined : codec.encode(errorPacket(rid, dehydrateError(error)));
    }
  }

  #packetOf(message: Outgoing): object {
    const { packet, event, data, promise } = message;
    if (packet) return packet;
    if (promise) {
      message.cid ??= ++this.#lastCid;
      this.#unanswered.set(message.cid, message);
    }
    return eventPacket(event, data, message.cid);
  }
}

function newCall(event: string, data: unknown, onAnswer?: (answer: unknown) => void): Call {
  let settle: Pick<Call, 'resolve' | 'reject'> = {};
  const promise = new Promise((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { event, data, promise, onAnswer, ...settle };
}

/** Why a call cannot be made at all. */
function refuse(event: unknown, timeout: unknown, signal: Signal | undefined): Error | undefined {
  if (typeof event !== 'string') return wrongName(event);
  if (typeof timeout !== 'number' || !(timeout >= 0)) {
    const allowed = 'The timeout of a call must be a number of milliseconds from 0';
    return new InvalidArgumentsError(`${allowed} - Got ${String(timeout)}`);
  }
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    return new InvalidArgumentsError(`The signal of a call must be an AbortSignal - Got ${typeof signal}`);
  }
  return signal?.aborted === true ? abortError(event, signal) : undefined;
}

function abortError(event: string, { reason }: Signal): AbortError {
  return new AbortError(`The call of ${event} was aborted`, { cause: reason });
}

function byteLength(frame: string | Uint8Array | ArrayBuffer): number {
  return typeof frame === 'string' ? new TextEncoder().encode(frame).length : frame.byteLength;
}
