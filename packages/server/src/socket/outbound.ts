import {
  BadConnectionError,
  Batcher,
  CallTable,
  dehydrateError,
  errorPacket,
  eventPacket,
  markDelivery,
  ResourceLimitError,
  type WireEvent,
} from '@socketcluster-ts/core';
import { WritableConsumableStream } from '@socketcluster-ts/streams';
import type { EngineSocket } from '../engine/engine.js';
import { turnMs } from '../engine/turn-clock.js';
import { Publication, toPayload } from '../exchange/publication.js';
import type { TransmitOptions } from '../exchange/subscriber.js';
import type { MiddlewareStream } from '../middleware/middleware-stream.js';
import type { MiddlewareFunctions } from '../middleware/middleware-streams.js';
import type { Verdict, VerdictReceiver } from '../middleware/verdict.js';
import { abortedEvent } from './aborted-event.js';
import { approximateBytes } from './approximate-bytes.js';
import { type CongestedOutput, type CongestedSocket, Congestion } from './congestion.js';
import { type EncodeFailures, encodeBatch, encodePacket } from './encode-packet.js';
import { Lane } from './lane.js';
import {
  channelOf,
  type Entry,
  entryBytes,
  isPublish,
  type Packet,
  publicationOf,
  publishOutAction,
  toPacket,
  useCacheByDefault,
} from './outbound-entry.js';
import { measurePressure, NO_PRESSURE, type Pressure } from './pressure.js';

/**
 * Owns what one socket has to send: the ordered lane, the batch being buffered, and the calls that wait for an
 * answer.
 *
 * As long as nothing has to be waited for, a message goes to the engine before the call returns. When an outbound
 * middleware is set, publishes wait for its verdict one after the other, and everything but answers, the
 * handshake reply and pings waits behind them.
 */
export class Outbound implements VerdictReceiver, CongestedOutput, EncodeFailures {
  /** Events and calls accepted for sending so far. */
  prepared = 0;
  readonly #context: CongestedSocket;
  // Held here as well, because with every subscriber of a message what leads to them is out of the processor's caches.
  readonly #engine: EngineSocket;
  readonly #middlewareFunctions: MiddlewareFunctions;
  /** Messages are taken from the handshake on, until something ends this. */
  #phase: 'before' | 'open' | 'over' = 'before';
  /** The entry that waits for the verdict of the middleware. */
  #asked: Entry | undefined;
  /** What waits behind it, or for the network to take other things first. */
  #lane: Lane<Entry> | undefined;
  /** The stream of the outbound middleware that was asked last. */
  #line: MiddlewareStream | undefined;
  #stream: WritableConsumableStream<WireEvent> | undefined;
  #batcher: Batcher<Packet> | undefined;
  #calls: CallTable | undefined;
  #congestion: Congestion | undefined;
  /** When the `#asked` came, and the first packet of the batch. */
  #askedSince = 0;
  #batchedSince = 0;

  constructor(context: CongestedSocket) {
    this.#context = context;
    this.#engine = context.engine;
    this.#middlewareFunctions = context.server.middlewareFunctions;
  }

  /** Takes messages from now on. */
  open(): void {
    if (this.#phase === 'before') this.#phase = 'open';
  }

  /** The connection is closed: batching ends, messages are refused. */
  close(): void {
    this.#phase = 'over';
    this.#batcher?.dispose();
  }

  get calls(): CallTable {
    return (this.#calls ??= new CallTable(this.#context.server.deadlines));
  }

  get batcher(): Batcher<Packet> {
    return (this.#batcher ??= new Batcher<Packet>((packets) => this.#sendBatch(packets)));
  }

  get isBuffering(): boolean {
    return this.#batcher?.isBuffering === true;
  }

  get isBatching(): boolean {
    return this.#batcher?.isBatching === true;
  }

  /** Whether calls wait for their answer, or messages for the middleware. */
  get isBusy(): boolean {
    return this.#isWaiting || (this.#calls?.size ?? 0) > 0;
  }

  /** Messages that have not left this process yet. */
  get waiting(): number {
    if (this.#context.state === 'closed') return 0;
    const asked = this.#asked === undefined ? 0 : 1;
    const before =
      asked + (this.#lane?.count ?? 0) + (this.#congestion?.room.size ?? 0) + (this.#batcher?.size ?? 0);
    return before + this.#context.engine.unsentMessages;
  }

  /** Messages of channels that were dropped because the client reads too slowly. */
  get dropped(): number {
    return this.#congestion?.dropped.count ?? 0;
  }

  /** What waits, how long and where. */
  get pressure(): Pressure {
    if (this.#context.state === 'closed') return NO_PRESSURE;
    return measurePressure({
      engine: this.#context.engine,
      asked: this.#asked,
      askedSince: this.#askedSince,
      lane: this.#lane,
      room: this.#congestion?.room,
      batch: this.#batcher?.packets,
      batchedSince: this.#batchedSince,
    });
  }

  /** Takes a message of a channel. */
  deliver(publication: Publication): void {
    if (this.#phase !== 'open') {
      this.#refuse('#publish');
      return;
    }
    this.prepared += 1;
    this.#stream?.write({ event: '#publish', data: publication.packet() });
    const { outbound } = this.#middlewareFunctions;
    if (!this.#isWaiting && outbound === undefined && !this.isBuffering) this.#engine.sendShared(publication);
    else {
      if (outbound !== undefined) void publication.snapshot;
      this.#enqueue(publication);
    }
  }

  /** The events and calls, for who wants to watch them. */
  get stream(): WritableConsumableStream<WireEvent> {
    return (this.#stream ??= new WritableConsumableStream<WireEvent>());
  }

  /** Sends an event that nobody answers; on a socket that is not open it emits an error instead. */
  transmit(event: string, data: unknown, options?: TransmitOptions): void {
    if (this.#phase !== 'open') {
      this.#refuse(event);
      return;
    }
    this.push(event, data, options);
  }

  /** As `transmit()`, in every state of the socket. */
  push(event: string, data: unknown, options?: TransmitOptions): void {
    this.prepared += 1;
    this.#stream?.write(eventPacket(event, data));
    this.#enqueue({ event, data, options });
  }

  /** Calls a procedure of the client; settles with its answer. */
  invoke(event: string, data: unknown, ackTimeout: number | undefined): Promise<unknown> {
    if (this.#phase !== 'open') {
      const error = new BadConnectionError(
        `Socket invoke ${event} event was aborted due to a bad connection`,
        'connectAbort',
      );
      this.#context.socket.emitError(error);
      return Promise.reject(error);
    }
    const { maxPendingCalls } = this.#context.server.limits;
    if (this.calls.size >= maxPendingCalls) {
      const message = `More than ${maxPendingCalls} calls to the client are without an answer`;
      const error = new ResourceLimitError(message);
      markDelivery(error, 'not-sent');
      return Promise.reject(error);
    }
    this.prepared += 1;
    const call = this.calls.open(event);
    this.#stream?.write(eventPacket(event, data, call.cid));
    this.#enqueue({ event, data, call, ackTimeout });
    return call.promise;
  }

  /** Sends a packet past the ordered lane, into the batch if one is being buffered. */
  sendObject(packet: unknown): void {
    if (this.isBuffering) this.#pushToBatch(packet as Packet);
    else this.#sendPacket(packet as Packet);
  }

  #pushToBatch(packet: Packet): void {
    if (this.batcher.size === 0) this.#batchedSince = turnMs();
    this.batcher.push(packet);
  }

  /** Sends a packet past the ordered lane and past a batch. */
  sendUnbatched(packet: unknown): void {
    this.#sendPacket(packet as Packet);
  }

  #refuse(event: string): void {
    const message = `Socket transmit ${event} event was aborted due to a bad connection`;
    this.#context.socket.emitError(new BadConnectionError(message, 'connectAbort'));
  }

  get #isWaiting(): boolean {
    return this.#asked !== undefined || this.#lane !== undefined;
  }

  #enqueue(entry: Entry): void {
    if (!this.#isWaiting) {
      this.#handOver(entry);
      return;
    }
    const lane = (this.#lane ??= new Lane());
    const key = lane.isHeld ? this.#congestion?.replaceOlder(lane, entry) : undefined;
    lane.push(entry, entryBytes(entry), turnMs(), key);
    if (lane.isHeld || lane.bytes >= this.#context.server.limits.pressureMarks.high)
      this.#pressed.update(entry);
  }

  get #pressed(): Congestion {
    if (this.#congestion === undefined) {
      this.#congestion = new Congestion(this.#context, this);
      // Nothing is decided about a socket that is closing, but what waits for it counts.
      if (this.#context.state === 'closed') this.#congestion.end();
    }
    return this.#congestion;
  }

  get lane(): Lane<Entry> | undefined {
    return this.#lane;
  }

  /** The client has left the channel: no message of it may follow the answer, which does not wait behind them. */
  forget(channel: string): void {
    if (this.#lane?.isHeld !== true) return;
    this.#lane.remove((entry) => channelOf(entry) === channel);
    this.#congestion?.update();
  }

  /** More or less waits for the network than before. */
  onUnsent(): void {
    this.#pressed.update();
  }

  hold(): void {
    (this.#lane ??= new Lane()).isHeld = true;
  }

  release(): void {
    const lane = this.#lane;
    if (lane === undefined) return;
    lane.isHeld = false;
    this.#goOn(lane);
  }

  /**
   * Calls `send` now, or when the socket has fallen below its low mark, and settles with what it gives.
   * @throws {BadConnectionError} when the connection is not open, or ends before
   */
  whenWritable<T>(event: string, data: unknown, send: () => Promise<T>): Promise<T> {
    if (this.#phase !== 'open') {
      this.#refuse(event);
      return Promise.reject(abortedEvent(event, 'connectAbort'));
    }
    const congestion = this.#congestion;
    if (congestion === undefined || (!congestion.isHigh && congestion.room.size === 0)) return send();
    return congestion.room.wait(event, approximateBytes(data), send);
  }

  /** Asks the middleware about an entry, or sends it if nobody has to be asked. */
  #handOver(entry: Entry): void {
    const stream = isPublish(entry) ? this.#middlewareStream() : undefined;
    if (stream === undefined) return this.#write(entry, useCacheByDefault(entry));
    const action = publishOutAction(entry, this.#context.socket);
    this.#asked = entry;
    this.#askedSince = turnMs();
    stream.judge(action, this);
  }

  #middlewareStream(): MiddlewareStream | undefined {
    // Remembered, because what leads to it is out of the processor's caches with every subscriber of a message.
    if (this.#line?.middleware !== this.#middlewareFunctions.outbound)
      this.#line = this.#context.middleware.line('outbound');
    return this.#line;
  }

  onVerdict(verdict: Verdict): void {
    const entry = this.#asked;
    // Killed or overtaken by a close while the verdict was awaited; nothing is asked after either.
    if (entry === undefined) return;
    this.#asked = undefined;
    const { socket, server } = this.#context;
    try {
      if (verdict.allowed) this.#writePublish(entry, verdict);
      else if (server.middlewareEmitFailures) socket.emitError(verdict.cause);
    } catch (error) {
      socket.emitError(error);
    }
    if (this.#lane !== undefined) this.#goOn(this.#lane);
  }

  /** Hands over what waits, up to the next entry that the middleware has to be asked about. One that fails holds up none. */
  #goOn(lane: Lane<Entry>): void {
    const { engine, server, socket } = this.#context;
    while (this.#asked === undefined && this.#lane === lane && !lane.isHeld) {
      const entry = lane.take();
      if (entry === undefined) {
        this.#lane = undefined;
        break;
      }
      try {
        this.#handOver(entry);
      } catch (error) {
        socket.emitError(error);
      }
      // What the network does not take now had better stay where it can be dropped.
      if (this.#congestion !== undefined && engine.heldBytes > server.limits.pressureMarks.low)
        engine.flush();
    }
    this.#congestion?.update();
  }

  #writePublish(entry: Entry, { options, data, replaced }: Verdict & { allowed: true }): void {
    // An object may have been changed in place.
    const isAsPublished = !replaced && typeof data !== 'object' && data === publicationOf(entry).data;
    if (options?.useCache === true || (options === undefined && isAsPublished)) this.#write(entry, true);
    // A packet of its own: the publication belongs to every subscriber.
    else this.#write({ event: '#publish', data: { ...publicationOf(entry), data } }, false);
  }

  /** Hands one entry to the engine, or to the batch. */
  #write(entry: Entry, useCache: boolean): void {
    const { engine, server } = this.#context;
    if (entry instanceof Publication) {
      if (this.isBuffering) this.#pushToBatch(toPacket(entry));
      else engine.sendShared(entry);
      return;
    }
    const { call, options } = entry;
    if (call !== undefined) this.calls.startTimer(call, entry.ackTimeout ?? server.ackTimeout);
    if (this.isBuffering) this.#pushToBatch(toPacket(entry));
    else if (useCache && options?.stringifiedData !== undefined)
      engine.send(toPayload(options.stringifiedData));
    else this.#sendPacket(toPacket(entry));
  }

  #sendPacket(packet: Packet): void {
    const payload = encodePacket(packet, this.#context.server, this);
    if (payload !== undefined) this.#context.engine.send(payload);
  }

  #sendBatch(packets: Packet[]): void {
    const payload = encodeBatch(packets, this.#context.server, this);
    if (payload !== undefined) this.#context.engine.send(payload);
  }

  explain(packet: Packet, error: unknown): Packet | undefined {
    this.#context.socket.emitError(error);
    if (typeof packet?.rid === 'number') return errorPacket(packet.rid, dehydrateError(error));
    if (typeof packet?.cid === 'number') this.#calls?.rejectCid(packet.cid, error);
    return undefined;
  }

  /** Sends what can still be sent before a close of ours: everything but publishes without a verdict. */
  flushForClose(): void {
    this.#congestion?.end();
    for (const entry of this.#takeLane()) {
      const mustAsk = isPublish(entry) && this.#middlewareFunctions.outbound !== undefined;
      if (!mustAsk) this.#write(entry, useCacheByDefault(entry));
    }
    this.#batcher?.flushBatch();
    this.#context.engine.flush();
  }

  /** Drops what waits in the ordered lane, and takes nothing more. Calls in it are rejected. */
  kill(): void {
    this.#phase = 'over';
    this.#stream?.kill();
    this.#abortRoom();
    this.#dropLane();
  }

  /** What waits for room has not been taken yet. */
  #abortRoom(): void {
    this.#congestion?.room.abort((event) => abortedEvent(event, 'disconnect'));
  }

  /** Drops everything that waits here, and takes nothing more. */
  discard(): void {
    this.#phase = 'over';
    this.#congestion?.end();
    this.#dropLane();
    this.#batcher?.cancelBatch();
  }

  #dropLane(): void {
    for (const entry of this.#takeLane()) {
      if (entry instanceof Publication || entry.call === undefined) continue;
      this.calls.reject(entry.call, abortedEvent(entry.event, 'disconnect'));
    }
    this.#congestion?.update();
  }

  /** Empties the ordered lane; an entry that waits for its verdict is dropped. */
  #takeLane(): Entry[] {
    const lane = this.#lane;
    this.#asked = undefined;
    this.#lane = undefined;
    return lane?.takeAll() ?? [];
  }

  /** Takes nothing more; what waits is still sent. */
  end(): void {
    this.#phase = 'over';
    this.#abortRoom();
    this.#stream?.close();
  }

  abortCalls(makeError: (event: string) => Error): void {
    this.#congestion?.end();
    this.#congestion?.room.abort(makeError);
    this.#calls?.abortAll(makeError);
  }

  /** The connection is gone, and with it what waited. */
  gone(): void {
    this.#congestion?.gone();
  }

  /** Takes an answer of the client. */
  settle(response: Parameters<CallTable['settle']>[0]): void {
    this.#calls?.settle(response);
  }
}
