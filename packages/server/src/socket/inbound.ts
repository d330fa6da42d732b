import { InvalidMessageError, parsePacket } from '@socketcluster-ts/core';
import { WritableConsumableStream } from '@socketcluster-ts/streams';
import { AGAction } from '../middleware/action.js';
import type { MiddlewareStream } from '../middleware/middleware-stream.js';
import { runAction } from '../middleware/run-action.js';
import { afterMicrotasks, type Resumable } from './after-microtasks.js';
import type { Connection } from './connection.js';
import { isPong } from './heartbeat.js';
import { InboundQuestion, type PacketQueue } from './inbound-question.js';
import { isTooEarly, type Pending, routePacket } from './route-packet.js';

type Frame = string | Buffer;

/** A frame that holds several packets, while it is being processed. */
interface Batch {
  readonly packets: readonly unknown[];
  next: number;
  readonly frame: Frame;
}

/**
 * Owns what one socket received and has not processed yet.
 *
 * Packets take effect strictly one after the other. The first packet that finds the socket idle is processed on
 * arrival; between two packets all woken loops run, and a packet that has to wait for something holds back those
 * behind it. Nothing that a packet causes can end this.
 */
export class Inbound implements Resumable, PacketQueue {
  received = 0;
  processed = 0;
  readonly #connection: Connection;
  #frames: Frame[] | undefined;
  /** The rest of the batch being processed, and the frame it came in. */
  #batch: Batch | undefined;
  #busy = false;
  #lastRead: number | undefined;
  #ended = false;
  #killed = false;
  #whenDrained: (() => void) | undefined;
  /** Settles when the frame that last entered the inboundRaw middleware has left it. */
  #lastRaw: Promise<void> | undefined;
  #stream: WritableConsumableStream<Frame> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The inbound messages for who wants to watch them. */
  get stream(): WritableConsumableStream<Frame> {
    return (this.#stream ??= new WritableConsumableStream<Frame>());
  }

  get waiting(): number {
    return this.#connection.state === 'closed' ? 0 : this.received - this.processed;
  }

  /** Takes a message that arrived. */
  accept(frame: Frame): void {
    const connection = this.#connection;
    if (this.#ended || connection.state === 'closed') return;
    this.received += 1;
    const { heartbeat, server } = connection;
    if (heartbeat !== undefined) {
      if (isPong(frame, connection.protocolVersion)) heartbeat.onPong();
      else heartbeat.onInput();
    }
    if (server.middlewareFunctions.inboundRaw === undefined && this.#lastRaw === undefined) {
      this.#enqueue(frame);
      return;
    }
    const passage = this.#passRaw(frame, this.#lastRaw);
    this.#lastRaw = passage;
    void passage.then(() => {
      if (this.#lastRaw === passage) this.#lastRaw = undefined;
    });
  }

  /** Frames enter the queue in the order of the verdicts. Never rejects. */
  async #passRaw(frame: Frame, before: Promise<void> | undefined): Promise<void> {
    const { middleware, socket, server } = this.#connection;
    const stream: MiddlewareStream | undefined = middleware.line('inboundRaw');
    if (stream === undefined) {
      // The middleware was removed while earlier frames are in it: stay behind them.
      await before;
      this.#enqueue(frame);
      return;
    }
    const verdict = await runAction(stream, new AGAction(AGAction.MESSAGE, { socket, data: frame }));
    if (verdict.allowed) {
      const { data } = verdict;
      this.#enqueue(typeof data === 'string' || Buffer.isBuffer(data) ? data : String(data));
      return;
    }
    this.processed += 1;
    if (server.middlewareEmitFailures) socket.emitError(verdict.cause);
  }

  #enqueue(frame: Frame): void {
    if (this.#killed) return;
    const { socket, engine } = this.#connection;
    this.#stream?.write(frame);
    if (socket.hasListener('message')) socket.emit('message', { message: frame });
    // With the same read as the packet before: the loops which that one woke have not run yet.
    const isSameRead = engine.reads !== undefined && engine.reads === this.#lastRead;
    this.#lastRead = engine.reads;
    if (!this.#busy && !isSameRead) {
      this.#take(frame);
      return;
    }
    if (this.#frames === undefined) this.#frames = [frame];
    else this.#frames.push(frame);
    if (this.#busy) return;
    this.#busy = true;
    afterMicrotasks(this);
  }

  #take(frame: Frame): void {
    this.#busy = true;
    this.processed += 1;
    let pending: Pending | undefined;
    try {
      pending = this.#process(frame);
    } catch (error) {
      this.#connection.socket.emitError(error);
    }
    this.#goOn(pending);
  }

  /** Processes the next packet. Called when all loops that the one before woke have run. */
  resume(): void {
    const batch = this.#batch;
    if (batch !== undefined) {
      this.#takeFromBatch(batch);
      return;
    }
    const frame = this.#frames?.shift();
    if (frame !== undefined) this.#take(frame);
    else this.#rest();
  }

  #takeFromBatch(batch: Batch): void {
    const packet = batch.packets[batch.next];
    batch.next += 1;
    if (batch.next >= batch.packets.length) this.#batch = undefined;
    let pending: Pending | undefined;
    try {
      pending = routePacket(this.#connection, parsePacket(packet), batch.frame);
    } catch (error) {
      this.#connection.socket.emitError(error);
    }
    this.#goOn(pending);
  }

  /** What comes after a packet: a pause for what it has to wait for, and one for the loops it woke. */
  #goOn(pending: Pending | undefined): void {
    if (pending instanceof InboundQuestion) {
      pending.queue = this;
      return;
    }
    if (pending !== undefined) {
      pending.then(
        () => this.onPacketDone(),
        (error: unknown) => this.onPacketFailed(error),
      );
      return;
    }
    const isMoreWaiting = this.#batch !== undefined || this.#frames !== undefined;
    // An engine that does not count its reads may be about to report another message of this one.
    if (isMoreWaiting || this.#connection.engine.reads === undefined) afterMicrotasks(this);
    else this.#rest();
  }

  /** A packet that had to wait for something has had its effect. */
  onPacketDone(): void {
    // Now, not when it came: the loops it woke have not run before the next read.
    this.#lastRead = this.#connection.engine.reads;
    this.#goOn(undefined);
  }

  /** A packet that fails must not end the queue, nor the process. */
  onPacketFailed(error: unknown): void {
    this.#connection.socket.emitError(error);
    this.onPacketDone();
  }

  #rest(): void {
    this.#busy = false;
    // An idle socket holds no array.
    this.#frames = undefined;
    this.#whenDrained?.();
  }

  #process(frame: Frame): Pending | undefined {
    const connection = this.#connection;
    if (isPong(frame, connection.protocolVersion)) {
      if (!isTooEarly(connection)) connection.expireTokenIfDue();
      return undefined;
    }
    let value: unknown;
    try {
      value = connection.server.codec.decode(frame);
    } catch (error) {
      connection.socket.emitError(decodeError(error));
      isTooEarly(connection);
      return undefined;
    }
    if (!Array.isArray(value)) return routePacket(connection, parsePacket(value), frame);
    if (value.length === 0) return undefined;
    this.#batch = value.length > 1 ? { packets: value, next: 1, frame } : undefined;
    return routePacket(connection, parsePacket(value[0]), frame);
  }

  /** The connection closed: what is left of a batch is dropped. */
  dropBatch(): void {
    this.#batch = undefined;
  }

  /** Drops what has not been processed, and takes nothing more. */
  kill(): void {
    this.#ended = true;
    this.#killed = true;
    this.#frames = undefined;
    this.#batch = undefined;
    this.processed = this.received;
    this.#stream?.kill();
    this.#whenDrained?.();
  }

  /** Takes nothing more; resolves when what was received has been processed. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#stream?.close();
    while (this.#lastRaw !== undefined) await this.#lastRaw;
    if (!this.#busy && this.#frames === undefined) return;
    await new Promise<void>((resolve) => (this.#whenDrained = resolve));
  }
}

function decodeError(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'Error') return error;
  return new InvalidMessageError(error.message, { cause: error });
}
