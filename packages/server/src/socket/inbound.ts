import { InvalidMessageError, type Packet, parsePacket } from '@socketcluster-ts/core';
import { WritableConsumableStream } from '@socketcluster-ts/streams';
import { AGAction } from '../middleware/action.js';
import type { MiddlewareStream } from '../middleware/middleware-stream.js';
import { runAction } from '../middleware/run-action.js';
import { afterMicrotasks, type Resumable } from './after-microtasks.js';
import { type Connection, PAUSE_REASONS } from './connection.js';
import { isPong } from './heartbeat.js';
import { InboundQuestion, type PacketQueue } from './inbound-question.js';
import { RateGuard } from './rate-guard.js';
import { isTooEarly, type Pending, routePacket } from './route-packet.js';

type Frame = string | Buffer;

/** How long one socket may keep the others waiting: so many packets, or so many milliseconds. */
const LONGEST_TURN = { packets: 256, ms: 10 };
/** The clock is looked at once for so many packets. */
const PACKETS_PER_LOOK = 8;

/** After so many calls the loops have a chance to answer, before one too many would be refused. */
const CALLS_PER_PAUSE = 64;

/** How much of a full queue may be left when reading goes on. */
const LOW_MARK = 1 / 4;

/** How many times the bytes of a full queue may wait although reading is paused. */
const UNSTOPPABLE = 8;

/** A frame that holds several packets, while it is being processed. */
interface Batch {
  readonly packets: readonly unknown[];
  next: number;
  /** The next packet, if it was looked at before its turn. */
  peeked: Packet | undefined;
  readonly frame: Frame;
}

/** A frame that was looked into before its turn. */
class DecodedFrame {
  readonly frame: Frame;
  readonly packet: Packet;

  constructor(frame: Frame, packet: Packet) {
    this.frame = frame;
    this.packet = packet;
  }

  get length(): number {
    return this.frame.length;
  }
}

/**
 * Owns what one socket received and has not processed yet.
 *
 * Packets take effect strictly one after the other. The first packet that finds the socket idle is processed on
 * arrival; between two packets all woken loops run, and a packet that has to wait for something holds back those
 * behind it. Nothing that a packet causes can end this.
 *
 * When too much waits, reading from the connection pauses until most of it has been processed: how much a client can
 * make the server hold is the limit and what one read brought.
 *
 * A run of messages to one stream goes without those pauses: its loops take them one after the other anyway.
 */
export class Inbound implements Resumable, PacketQueue {
  received = 0;
  processed = 0;
  readonly #connection: Connection;
  #frames: (Frame | DecodedFrame)[] | undefined;
  /** The rest of the batch being processed, and the frame it came in. */
  #batch: Batch | undefined;
  /** The length of all frames that wait; of a text it is that of its characters. */
  #waitingBytes = 0;
  /** Whether reading is paused because too much waits. */
  #isFull = false;
  #busy = false;
  /** The stream that the last packet went to, if it had its effect at once. */
  #runEvent: string | undefined;
  #isRunOfCalls = false;
  /** Packets processed since others had their turn, and since when. */
  #turnPackets = 0;
  #turnSince = 0;
  #lastRead: number | undefined;
  #ended = false;
  #killed = false;
  #whenDrained: (() => void) | undefined;
  /** Settles when the frame that last entered the inboundRaw middleware has left it. */
  #lastRaw: Promise<void> | undefined;
  #stream: WritableConsumableStream<Frame> | undefined;
  /** Only where rates are limited. */
  readonly #rates: RateGuard | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    const { rates } = connection.server;
    if (rates !== undefined) this.#rates = new RateGuard(connection, rates);
  }

  /** The inbound messages for who wants to watch them. */
  get stream(): WritableConsumableStream<Frame> {
    return (this.#stream ??= new WritableConsumableStream<Frame>());
  }

  /** Whether a packet is being processed, or waits for it. */
  get isBusy(): boolean {
    return this.#busy || this.#lastRaw !== undefined || this.waiting > 0;
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
    this.#waitingBytes += frame.length;
    const passage = this.#passRaw(frame, this.#lastRaw);
    this.#lastRaw = passage;
    this.#pauseIfFull();
    void passage.then(() => {
      if (this.#lastRaw === passage) this.#lastRaw = undefined;
    });
  }

  /** A ping or pong of the WebSocket protocol arrived, which the engine has seen to. */
  noteControl(): void {
    this.#rates?.note();
  }

  /** Frames enter the queue in the order of the verdicts. Never rejects. */
  async #passRaw(frame: Frame, before: Promise<void> | undefined): Promise<void> {
    const { middleware, socket, server } = this.#connection;
    const stream: MiddlewareStream | undefined = middleware.line('inboundRaw');
    if (stream === undefined) {
      // The middleware was removed while earlier frames are in it: stay behind them.
      await before;
      this.#waitingBytes -= frame.length;
      this.#enqueue(frame);
      return;
    }
    const verdict = await runAction(stream, new AGAction(AGAction.MESSAGE, { socket, data: frame }));
    this.#waitingBytes -= frame.length;
    if (verdict.allowed) {
      const { data } = verdict;
      this.#enqueue(typeof data === 'string' || Buffer.isBuffer(data) ? data : String(data));
      return;
    }
    this.processed += 1;
    if (server.middlewareEmitFailures) socket.emitError(verdict.cause);
    if (this.#isFull) this.#resumeIfDrained();
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
    this.#waitingBytes += frame.length;
    // What came with one read is taken in whole, so it is looked at what waits when the next one begins.
    if (!isSameRead) this.#pauseIfFull();
    if (this.#busy) return;
    this.#busy = true;
    if (this.#isNextOfRun()) this.resume();
    else afterMicrotasks(this);
  }

  /** Packets that wait, as far as their number is known: a frame is one until it is its turn. */
  get #waitingPackets(): number {
    const batch = this.#batch;
    return this.received - this.processed + (batch === undefined ? 0 : batch.packets.length - batch.next);
  }

  #pauseIfFull(): void {
    const { maxInboundQueue, maxInboundQueueBytes } = this.#connection.server.limits;
    if (this.#isFull) {
      this.#closeIfUnstoppable(maxInboundQueueBytes);
      return;
    }
    if (this.#waitingPackets < maxInboundQueue && this.#waitingBytes < maxInboundQueueBytes) return;
    this.#isFull = true;
    this.#connection.pauseReading(PAUSE_REASONS.QUEUE);
  }

  /** What one read brought can inflate to any size, and an engine may not be able to pause. */
  #closeIfUnstoppable(maxBytes: number): void {
    const { maxPayload } = this.#connection.server;
    if (this.#waitingBytes <= maxBytes * UNSTOPPABLE + maxPayload) return;
    this.#connection.closeForBreach(
      `More than ${maxBytes * UNSTOPPABLE} bytes of the client wait to be processed`,
    );
  }

  #resumeIfDrained(): void {
    const { maxInboundQueue, maxInboundQueueBytes } = this.#connection.server.limits;
    if (this.#waitingPackets > maxInboundQueue * LOW_MARK) return;
    if (this.#waitingBytes > maxInboundQueueBytes * LOW_MARK) return;
    this.#isFull = false;
    this.#connection.resumeReading(PAUSE_REASONS.QUEUE);
  }

  #take(frame: Frame): void {
    this.#busy = true;
    this.#goOn(this.#process(frame));
  }

  /** Processes the next packet. Called when all loops that the one before woke have run. */
  resume(): void {
    if (!this.#isMoreWaiting) {
      this.#rest();
      return;
    }
    let pending: Pending | undefined;
    do pending = this.#processNext();
    while (pending === undefined && this.#isNextOfRun() && !this.#isTurnOver());
    this.#goOn(pending);
  }

  /** Whether the other sockets have waited long enough. */
  #isTurnOver(): boolean {
    this.#turnPackets += 1;
    if (this.#turnPackets % PACKETS_PER_LOOK !== 1) return this.#turnPackets >= LONGEST_TURN.packets;
    const now = performance.now();
    if (this.#turnPackets === 1) this.#turnSince = now;
    return now - this.#turnSince >= LONGEST_TURN.ms;
  }

  /** Lets everybody else have a turn. */
  #yield(): void {
    setImmediate(() => {
      this.#turnPackets = 0;
      this.resume();
    });
  }

  get #isMoreWaiting(): boolean {
    return this.#batch !== undefined || (this.#frames !== undefined && this.#frames.length > 0);
  }

  #processNext(): Pending | undefined {
    if (this.#isFull) this.#resumeIfDrained();
    const batch = this.#batch;
    if (batch !== undefined) {
      const packet = batch.peeked ?? parsePacket(batch.packets[batch.next]);
      batch.peeked = undefined;
      batch.next += 1;
      if (batch.next >= batch.packets.length) this.#batch = undefined;
      return this.#route(packet, batch.frame);
    }
    const next = this.#frames?.shift();
    if (next === undefined) return undefined;
    this.#waitingBytes -= next.length;
    if (!(next instanceof DecodedFrame)) return this.#process(next);
    this.processed += 1;
    if (this.#rates?.admitFrame(next.length) === false) return undefined;
    return this.#route(next.packet, next.frame);
  }

  /** Whether what waits next goes to the stream that the packet before went to, which needs no pause in between. */
  #isNextOfRun(): boolean {
    const event = this.#runEvent;
    const isCall = this.#isRunOfCalls;
    if (event === undefined || !this.#connection.socket.isFollowed(event, isCall)) return false;
    if (isCall && this.#connection.pendingCalls >= CALLS_PER_PAUSE) return false;
    const packet = this.#peek();
    return packet?.kind === 'event' && packet.event === event && (packet.cid !== undefined) === isCall;
  }

  /** The packet that waits next, where one frame holds one. */
  #peek(): Packet | undefined {
    const batch = this.#batch;
    if (batch !== undefined) return (batch.peeked ??= parsePacket(batch.packets[batch.next]));
    const next = this.#frames?.[0];
    if (next === undefined || next instanceof DecodedFrame) return next?.packet;
    const { server, protocolVersion } = this.#connection;
    if (isPong(next, protocolVersion)) return undefined;
    try {
      const value = server.codec.decode(next);
      if (Array.isArray(value)) return undefined;
      const packet = parsePacket(value);
      if (this.#frames !== undefined) this.#frames[0] = new DecodedFrame(next, packet);
      return packet;
    } catch {
      // It is decoded again, and reported, when its turn comes.
      return undefined;
    }
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
    // An engine that does not count its reads may be about to report another message of this one.
    if (!this.#isMoreWaiting && this.#connection.engine.reads !== undefined) this.#rest();
    else if (this.#isTurnOver()) this.#yield();
    else afterMicrotasks(this);
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
    if (this.#isFull) this.#resumeIfDrained();
    this.#busy = false;
    this.#turnPackets = 0;
    // An idle socket holds no array.
    this.#frames = undefined;
    this.#whenDrained?.();
  }

  #process(frame: Frame): Pending | undefined {
    this.processed += 1;
    const connection = this.#connection;
    if (this.#rates?.admitFrame(frame.length) === false) return undefined;
    if (isPong(frame, connection.protocolVersion)) {
      this.#rates?.note();
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
    if (!Array.isArray(value)) return this.#route(parsePacket(value), frame);
    if (value.length === 0) return undefined;
    const { maxBatchPackets } = connection.server.limits;
    if (value.length > maxBatchPackets) {
      connection.closeForBreach(`A batch of the client holds more than ${maxBatchPackets} packets`);
      return undefined;
    }
    if (value.length > 1) {
      this.#batch = { packets: value, next: 1, peeked: undefined, frame };
      this.#pauseIfFull();
    }
    return this.#route(parsePacket(value[0]), frame);
  }

  /** Has a packet take effect; what it throws is reported. */
  #route(packet: Packet, frame: Frame): Pending | undefined {
    this.#runEvent = undefined;
    if (this.#rates?.admit(packet) === false) return undefined;
    let pending: Pending | undefined;
    try {
      pending = routePacket(this.#connection, packet, frame);
    } catch (error) {
      this.#connection.socket.emitError(error);
    }
    if (pending === undefined && packet.kind === 'event') {
      this.#runEvent = packet.event;
      this.#isRunOfCalls = packet.cid !== undefined;
    }
    return pending;
  }

  /** The connection closed: what is left of a batch is dropped. */
  dropBatch(): void {
    this.#rates?.stop();
    this.#batch = undefined;
  }

  /** Drops what has not been processed, and takes nothing more. */
  kill(): void {
    this.#ended = true;
    this.#killed = true;
    this.#frames = undefined;
    this.#batch = undefined;
    this.#waitingBytes = 0;
    this.processed = this.received;
    if (this.#isFull) this.#resumeIfDrained();
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
