import {
  BadConnectionError,
  Batcher,
  CallTable,
  dehydrateError,
  errorPacket,
  eventPacket,
  exceedsDepth,
  markDelivery,
  type PendingCall,
  ResourceLimitError,
  type WireEvent,
  type WireResponse,
} from '@socketcluster-ts/core';
import { WritableConsumableStream } from '@socketcluster-ts/streams';
import { Publication, toPayload } from '../exchange/publication.js';
import type { TransmitOptions } from '../exchange/subscriber.js';
import { AGAction } from '../middleware/action.js';
import type { MiddlewareStream } from '../middleware/middleware-stream.js';
import type { Verdict, VerdictReceiver } from '../middleware/verdict.js';
import type { SocketContext } from './socket-context.js';

/** Entries after which the handed-over part of the lane is let go: one copy of the rest for many entries. */
const SPLICE_AFTER = 256;

/** An event or call on its way out. */
interface Message {
  readonly event: string;
  readonly data: unknown;
  readonly options?: TransmitOptions | undefined;
  readonly call?: PendingCall | undefined;
  readonly ackTimeout?: number | undefined;
}

/** What can be in the ordered lane. A message of the broker, which others receive too, is its own entry. */
type Entry = Message | Publication;

/** A packet as the codec gets it; `sendObject()` may bring anything. */
type Packet = Partial<WireEvent & WireResponse>;

/**
 * Owns what one socket has to send: the ordered lane, the batch being buffered, and the calls that wait for an
 * answer.
 *
 * As long as nothing has to be waited for, a message goes to the engine before the call returns. When an outbound
 * middleware is set, publishes wait for its verdict one after the other, and everything but answers, the
 * handshake reply and pings waits behind them.
 */
export class Outbound implements VerdictReceiver {
  /** Events and calls accepted for sending so far. */
  prepared = 0;
  readonly #context: SocketContext;
  /** The entry that waits for the verdict of the middleware. */
  #asked: Entry | undefined;
  /** What waits behind it. */
  #lane: Entry[] | undefined;
  /** How many of the lane have been taken out of it. */
  #taken = 0;
  /** The stream of the outbound middleware that was asked last. */
  #line: MiddlewareStream | undefined;
  #stream: WritableConsumableStream<WireEvent> | undefined;
  #batcher: Batcher<Packet> | undefined;
  #calls: CallTable | undefined;
  #ended = false;

  constructor(context: SocketContext) {
    this.#context = context;
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
    return this.#isWaiting || (this.#calls !== undefined && this.#calls.size > 0);
  }

  /** Messages that have not left this process yet. */
  get waiting(): number {
    if (this.#context.state === 'closed') return 0;
    const asked = this.#asked === undefined ? 0 : 1;
    const behind = this.#lane === undefined ? 0 : this.#lane.length - this.#taken;
    return asked + behind + this.#context.engine.unsentMessages;
  }

  /** Takes a message of a channel. */
  deliver(publication: Publication): void {
    const { state, server, engine } = this.#context;
    if (state !== 'open' || this.#ended) {
      this.#refuse('#publish');
      return;
    }
    this.prepared += 1;
    this.#stream?.write({ event: '#publish', data: publication.packet() });
    if (!this.#isWaiting && server.middlewareFunctions.outbound === undefined && !this.isBuffering) {
      engine.sendShared(publication);
      return;
    }
    this.#enqueue(publication);
  }

  /** The events and calls, for who wants to watch them. */
  get stream(): WritableConsumableStream<WireEvent> {
    return (this.#stream ??= new WritableConsumableStream<WireEvent>());
  }

  /** Sends an event that nobody answers; on a socket that is not open it emits an error instead. */
  transmit(event: string, data: unknown, options?: TransmitOptions): void {
    if (this.#context.state !== 'open' || this.#ended) {
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
    if (this.#context.state !== 'open' || this.#ended) {
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
    if (this.isBuffering) this.batcher.push(packet as Packet);
    else this.#sendPacket(packet as Packet);
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
    if (this.#lane !== undefined) this.#lane.push(entry);
    else if (this.#asked !== undefined) this.#lane = [entry];
    else this.#handOver(entry);
  }

  /** Asks the middleware about an entry, or sends it if nobody has to be asked. */
  #handOver(entry: Entry): void {
    const stream = isPublish(entry) ? this.#middlewareStream() : undefined;
    if (stream === undefined) {
      this.#write(entry, useCacheByDefault(entry));
      return;
    }
    const action = new AGAction(AGAction.PUBLISH_OUT);
    const { channel, data } = publicationOf(entry);
    action.socket = this.#context.socket;
    action.channel = channel;
    if (data !== undefined) action.data = data;
    this.#asked = entry;
    stream.judge(action, this);
  }

  #middlewareStream(): MiddlewareStream | undefined {
    const { server } = this.#context;
    // Remembered, because what leads to it is out of the processor's caches with every subscriber of a message.
    if (this.#line?.middleware !== server.middlewareFunctions.outbound)
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
  #goOn(lane: Entry[]): void {
    while (this.#asked === undefined && this.#lane === lane) {
      const entry = lane[this.#taken];
      if (entry === undefined) {
        this.#lane = undefined;
        this.#taken = 0;
        return;
      }
      this.#taken += 1;
      if (this.#taken >= SPLICE_AFTER) {
        lane.splice(0, this.#taken);
        this.#taken = 0;
      }
      try {
        this.#handOver(entry);
      } catch (error) {
        this.#context.socket.emitError(error);
      }
    }
  }

  #writePublish(entry: Entry, { options, data, replaced }: Verdict & { allowed: true }): void {
    if (options?.useCache === true || (options === undefined && !replaced)) this.#write(entry, true);
    // A packet of its own: the publication belongs to every subscriber.
    else this.#write({ event: '#publish', data: { ...publicationOf(entry), data } }, false);
  }

  /** Hands one entry to the engine, or to the batch. */
  #write(entry: Entry, useCache: boolean): void {
    const { engine, server } = this.#context;
    if (entry instanceof Publication) {
      if (this.isBuffering) this.batcher.push(toPacket(entry));
      else engine.sendShared(entry);
      return;
    }
    const { call, options } = entry;
    if (call !== undefined) this.calls.startTimer(call, entry.ackTimeout ?? server.ackTimeout);
    if (this.isBuffering) this.batcher.push(toPacket(entry));
    else if (useCache && options?.stringifiedData !== undefined)
      engine.send(toPayload(options.stringifiedData));
    else this.#sendPacket(toPacket(entry));
  }

  #sendPacket(packet: Packet): void {
    const payload = this.#encode(packet);
    if (payload !== undefined) this.#context.engine.send(payload);
  }

  #sendBatch(packets: Packet[]): void {
    const { codec } = this.#context.server;
    let payload: string | Uint8Array;
    try {
      for (const packet of packets) this.#checkDepth(packet);
      payload = toPayload(codec.encode(packets));
    } catch {
      // One packet that cannot be encoded must not take the others with it.
      const good = packets.map((packet) => this.#encodable(packet)).filter((packet) => packet !== undefined);
      if (good.length === 0) return;
      payload = toPayload(codec.encode(good));
    }
    this.#context.engine.send(payload);
  }

  #encodable(packet: Packet): Packet | undefined {
    try {
      this.#checkDepth(packet);
      this.#context.server.codec.encode(packet);
      return packet;
    } catch (error) {
      return this.#explain(packet, error);
    }
  }

  #encode(packet: Packet): string | Uint8Array | undefined {
    const { codec } = this.#context.server;
    try {
      this.#checkDepth(packet);
      return toPayload(codec.encode(packet));
    } catch (error) {
      const answer = this.#explain(packet, error);
      return answer === undefined ? undefined : toPayload(codec.encode(answer));
    }
  }

  #checkDepth(packet: Packet): void {
    const { maxDepth } = this.#context.server.limits;
    if (typeof packet?.rid === 'number' && exceedsDepth(packet.data, maxDepth)) {
      throw new ResourceLimitError(`The answer is nested deeper than ${maxDepth} levels`);
    }
  }

  /** Tells who waits for a packet that it could not be encoded: the answer to send instead, if there is one. */
  #explain(packet: Packet, error: unknown): Packet | undefined {
    this.#context.socket.emitError(error);
    if (typeof packet?.rid === 'number') return errorPacket(packet.rid, dehydrateError(error));
    if (typeof packet?.cid === 'number') this.#calls?.rejectCid(packet.cid, error);
    return undefined;
  }

  /** Sends what can still be sent before a close of ours: everything but publishes without a verdict. */
  flushForClose(): void {
    for (const entry of this.#takeLane()) {
      if (!this.#mustAsk(entry)) this.#write(entry, useCacheByDefault(entry));
    }
    this.#batcher?.flushBatch();
    this.#context.engine.flush();
  }

  /** Drops what waits in the ordered lane, and takes nothing more. Calls in it are rejected. */
  kill(): void {
    this.#ended = true;
    this.#stream?.kill();
    for (const entry of this.#takeLane()) {
      if (entry instanceof Publication || entry.call === undefined) continue;
      const message = `Event ${entry.event} was aborted due to a bad connection`;
      this.calls.reject(entry.call, new BadConnectionError(message, 'disconnect'));
    }
  }

  /** Empties the ordered lane; an entry that waits for its verdict is dropped. */
  #takeLane(): Entry[] {
    const waiting = this.#lane?.slice(this.#taken) ?? [];
    this.#asked = undefined;
    this.#lane = undefined;
    this.#taken = 0;
    return waiting;
  }

  #mustAsk(entry: Entry): boolean {
    return isPublish(entry) && this.#context.server.middlewareFunctions.outbound !== undefined;
  }

  /** Takes nothing more; what waits is still sent. */
  end(): void {
    this.#ended = true;
    this.#stream?.close();
  }

  /** Ends batching; the connection is gone. */
  disposeBatcher(): void {
    this.#batcher?.dispose();
  }

  abortCalls(makeError: (event: string) => Error): void {
    this.#calls?.abortAll(makeError);
  }

  /** Takes an answer of the client. */
  settle(response: Parameters<CallTable['settle']>[0]): void {
    this.#calls?.settle(response);
  }
}

function isPublish(entry: Entry): boolean {
  return entry instanceof Publication || entry.event === '#publish';
}

/** Channel and data of a publish; an application that transmits `#publish` by itself may give anything. */
function publicationOf(entry: Entry): { readonly channel: string; readonly data?: unknown } {
  if (entry instanceof Publication) return entry;
  return (entry.data ?? {}) as { channel: string; data?: unknown };
}

function useCacheByDefault(entry: Entry): boolean {
  return entry instanceof Publication || (entry.options?.useCache ?? entry.event === '#publish');
}

function toPacket(entry: Entry): Packet {
  if (entry instanceof Publication) return eventPacket('#publish', entry.packet());
  return eventPacket(entry.event, entry.data, entry.call?.cid);
}
