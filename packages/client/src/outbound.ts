import {
  AbortError,
  BadConnectionError,
  Batcher,
  CallTable,
  type CodecEngine,
  cloneData,
  Deadline,
  dehydrateError,
  errorPacket,
  InvalidArgumentsError,
  markDelivery,
  type PendingCall,
  ResourceLimitError,
  type ResponsePacket,
  TimeoutError,
  type WireEvent,
} from '@socketcluster-ts/core';
import { checkName, wrongName } from './check-name.js';
import type { Environment } from './environment.js';
import type { Timers } from './timers.js';

/** What may be said about one call. */
export interface InvokeOptions {
  /** How long to wait for the answer, in milliseconds, the time without a connection included; `Infinity` for ever. */
  readonly timeout?: number;
  /** The same, under the name that `socketcluster-client` has for it; `timeout` wins. @default the option `ackTimeout` */
  readonly ackTimeout?: number;
  /** Gives the call up. A server that knows how is told to stop working on it. */
  readonly signal?: AbortSignal;
}

/** The structure of an `AbortSignal` that is used; its type belongs to the platform. */
type Signal = Pick<AbortSignal, 'aborted' | 'reason' | 'addEventListener' | 'removeEventListener'>;

/** What may be said about one message. */
export interface TransmitOptions {
  /** How long the message may wait for a connection, in milliseconds. @default the option `ackTimeout` */
  readonly ackTimeout?: number;
}

/** What is sent of frames and asked of the connection. */
export interface OutboundLink {
  /** Whether the handshake is complete, so that messages may be sent. */
  readonly isOpen: boolean;
  /** Whether messages of the application may be sent: it is open, and the server has not announced that it will close. */
  readonly isWritable: boolean;
  readonly codec: CodecEngine;
  readonly settings: {
    readonly ackTimeout: number;
    readonly maxQueuedMessages: number;
    readonly cloneData: boolean;
  };
  /** The most bytes that one frame of several packets may have. */
  readonly maxBatchBytes: number;
  /** Whether the server understands `#abort`. */
  readonly knowsAbort: boolean;
  /** Writes one frame to the connection that is open. */
  write(frame: string | Uint8Array | ArrayBuffer): void;
  /** Sees to it that there is, or will be, a connection. */
  wake(): void;
  emitError(error: unknown): void;
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
  readonly data?: unknown;
  readonly call?: PendingCall;
  readonly packet?: object;
  /** When a message gives up waiting for a connection; a call has a time of its own. */
  deadline?: Deadline<Outgoing>;
}

/**
 * Owns what a client has to send: what waits for a connection, in order, the batch being buffered, and the calls that
 * wait for an answer.
 *
 * With a connection everything leaves before the call returns. Without one it waits, no longer than its `ackTimeout`, and
 * so it does while the server is about to close.
 * When a connection ends, calls are rejected; messages that were not sent wait for the next one, and if there will be
 * none, an error tells of each.
 */
export class Outbound {
  readonly batcher: Batcher<Outgoing>;
  readonly #link: OutboundLink;
  readonly #timers: Timers;
  readonly #calls: CallTable;
  readonly #queue = new Map<object, Outgoing>();

  constructor(link: OutboundLink, timers: Timers, environment: Environment) {
    this.#link = link;
    this.#timers = timers;
    this.#calls = new CallTable(timers, (call) => this.#onGivenUp(call));
    this.batcher = new Batcher((batch) => this.#sendBatch(batch), environment);
  }

  /** Sends an event that is not answered. What goes wrong is an `error` event. */
  transmit(event: string, data: unknown, options?: TransmitOptions): void {
    checkName(event);
    this.#link.wake();
    const message: Outgoing = { event, data: this.#copy(data) };
    if (this.#link.isWritable) this.#send(message);
    else if (this.#isFull()) this.#link.emitError(this.#fullError(event));
    else {
      this.#queue.set(message, message);
      this.#startTimer(message, options?.ackTimeout);
    }
  }

  /** Calls a procedure of the server; settles with its answer. */
  invoke(event: string, data: unknown, options: InvokeOptions = {}): Promise<unknown> {
    const timeout = options.timeout ?? options.ackTimeout ?? this.#link.settings.ackTimeout;
    const signal = options.signal as Signal | undefined;
    const refusal = refuse(event, timeout, signal);
    // Before the call is made: a connection that turns out to be stale takes the calls that there are with it.
    if (refusal === undefined) this.#link.wake();
    const call = this.#calls.prepare(event);
    if (refusal !== undefined) this.#calls.reject(call, refusal);
    else if (!this.#link.isWritable && this.#isFull()) this.#calls.reject(call, this.#fullError(event));
    else {
      if (signal !== undefined) this.#watch(call, signal);
      if (timeout !== Infinity) this.#calls.startTimer(call, timeout);
      const message: Outgoing = { event, data: this.#copy(data), call };
      if (this.#link.isWritable) this.#send(message);
      else this.#queue.set(call, message);
    }
    return call.promise;
  }

  /** Sends an event over the connection that is open, and does not see to another one. */
  transmitNow(event: string, data?: unknown): void {
    this.#send({ event, data });
  }

  /** Makes a call at once, before the handshake too, past a batch. */
  callNow(event: string, data: unknown, timeout: number): PendingCall {
    const call = this.#calls.prepare(event);
    this.#calls.startTimer(call, timeout);
    this.#write({ event, data, call });
    return call;
  }

  /** Makes one call for each payload, without a timeout; several leave in as few frames as may be. */
  callAll(event: string, payloads: readonly unknown[]): PendingCall[] {
    const messages = payloads.map((data) => ({ event, data, call: this.#calls.prepare(event) }));
    if (messages.length === 1 || this.batcher.isBuffering)
      for (const message of messages) this.#send(message);
    else this.#sendBatch(messages);
    return messages.map(({ call }) => call);
  }

  /** Gives up a call of `callNow()` or `callAll()`. */
  giveUp(call: PendingCall, error: unknown): void {
    this.#calls.reject(call, error);
  }

  /** Sends a packet past what waits, into the batch if one is being buffered. Without a connection it is an error. */
  sendObject(packet: object): void {
    if (this.#link.isOpen) this.#send({ event: '', packet });
    else
      this.#link.emitError(
        new BadConnectionError('WebSocket is not open: the packet was not sent', 'disconnect'),
      );
  }

  /** Takes an answer of the server; whether a call was ever made under its number. */
  settle(packet: ResponsePacket): boolean {
    return this.#calls.settle(packet) || this.#calls.wasIssued(packet.rid);
  }

  /** Drops the batch that is being buffered, by the will of the application; its calls are told. */
  cancelBatch(): void {
    for (const { call, event } of this.batcher.takeBatch()) {
      if (call !== undefined)
        this.#calls.reject(
          call,
          new AbortError(`The batch with the call of ${event} was cancelled`),
          'not-sent',
        );
    }
  }

  /** Sends what waited, now that there is a connection. */
  flush(): void {
    const waiting = [...this.#queue.values()];
    this.#queue.clear();
    for (const message of waiting) {
      if (message.deadline !== undefined) this.#timers.cancel(message.deadline);
      this.#send(message);
    }
  }

  /** The connection is gone, or the attempt failed. */
  drop(makeError: (event: string) => Error, { isFinal, wasAnnounced = false }: EndOfConnection): void {
    const batch = this.batcher.takeBatch();
    this.batcher.dispose();
    if (wasAnnounced && !isFinal) this.#calls.abortSent(makeError);
    else this.#calls.abortAll(makeError);
    // What the protocol itself had to say, an `#unsubscribe` for instance, would be wrong on another connection.
    const unsent = batch.filter(
      ({ call, packet, event }) =>
        call === undefined && packet === undefined && (event === '#publish' || !event.startsWith('#')),
    );
    const waiting = [...unsent, ...this.#queue.values()];
    this.#queue.clear();
    for (const message of waiting) {
      if (isFinal) this.#report(message, makeError(message.event));
      else if (message.call !== undefined) this.#queue.set(message.call, message);
      else {
        this.#queue.set(message, message);
        if (message.deadline === undefined) this.#startTimer(message);
      }
    }
  }

  #watch(call: PendingCall, signal: Signal): void {
    const abort = (): void => this.#calls.reject(call, abortError(call.event, signal));
    signal.addEventListener('abort', abort);
    const forget = (): void => signal.removeEventListener('abort', abort);
    call.promise.then(forget, forget);
  }

  #onGivenUp(call: PendingCall): void {
    this.#queue.delete(call);
    // The protocol's own events have no handler that could be told.
    if (call.cid > 0 && !call.event.startsWith('#') && this.#link.isOpen && this.#link.knowsAbort) {
      this.#send({ event: '#abort', data: { cid: call.cid } });
    }
  }

  #startTimer(message: Outgoing, ms: number = this.#link.settings.ackTimeout): void {
    message.deadline = new Deadline((late: Outgoing) => this.#expire(late), message);
    this.#timers.schedule(message.deadline, ms);
  }

  #expire(message: Outgoing): void {
    this.#queue.delete(message);
    this.#report(message, new TimeoutError(`Event ${message.event} was not sent within its ackTimeout`));
  }

  #report(message: Outgoing, error: Error): void {
    if (message.deadline !== undefined) this.#timers.cancel(message.deadline);
    markDelivery(error, 'not-sent');
    this.#link.emitError(error);
  }

  #isFull(): boolean {
    return this.#queue.size >= this.#link.settings.maxQueuedMessages;
  }

  #fullError(event: string): Error {
    const error = new ResourceLimitError(
      `Event ${event} was refused: ${this.#queue.size} messages wait for a connection`,
    );
    markDelivery(error, 'not-sent');
    return error;
  }

  #copy(data: unknown): unknown {
    return this.#link.settings.cloneData ? cloneData(data) : data;
  }

  #send(message: Outgoing): void {
    if (!this.batcher.push(message)) this.#write(message);
  }

  #write(message: Outgoing): void {
    const frame = this.#encode(message);
    if (frame !== undefined) this.#link.write(frame);
  }

  #sendBatch(messages: Outgoing[]): void {
    if (messages.length > MAX_BATCH_PACKETS) {
      this.#sendBatch(messages.slice(0, MAX_BATCH_PACKETS));
      this.#sendBatch(messages.slice(MAX_BATCH_PACKETS));
      return;
    }
    const { codec, maxBatchBytes } = this.#link;
    const open = messages.filter(({ call }) => call === undefined || this.#calls.isOpen(call));
    if (open.length === 0) return;
    const packets = open.map((message) => this.#packetOf(message));
    let frame: ReturnType<CodecEngine['encode']>;
    try {
      frame = codec.encode(packets);
    } catch {
      // One packet that cannot be encoded must not take the others with it.
      for (const message of open) this.#write(message);
      return;
    }
    if (frame === undefined) return;
    if (open.length > 1 && byteLength(frame) > maxBatchBytes) {
      const half = open.length >> 1;
      this.#sendBatch(open.slice(0, half));
      this.#sendBatch(open.slice(half));
    } else this.#link.write(frame);
  }

  /** The frame of one packet; one that cannot be encoded is reported to who waits for it. */
  #encode(message: Outgoing): ReturnType<CodecEngine['encode']> {
    const { codec } = this.#link;
    try {
      return codec.encode(this.#packetOf(message));
    } catch (error) {
      if (message.call !== undefined) {
        this.#calls.reject(message.call, error, 'not-sent');
        return undefined;
      }
      markDelivery(error, 'not-sent');
      this.#link.emitError(error);
      const { rid } = (message.packet ?? {}) as { rid?: number };
      return rid === undefined ? undefined : codec.encode(errorPacket(rid, dehydrateError(error)));
    }
  }

  #packetOf({ packet, event, data, call }: Outgoing): object {
    if (packet !== undefined) return packet;
    const ready: WireEvent = { event };
    if (data !== undefined) ready.data = data;
    if (call !== undefined) ready.cid = this.#calls.number(call);
    return ready;
  }
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
