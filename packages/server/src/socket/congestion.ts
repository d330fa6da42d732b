import { CLOSE_CODES, Deadline } from '@socketcluster-ts/core';
import { turnMs } from '../engine/turn-clock.js';
import { isSlowPolicy, type SlowPolicy } from '../limits/outbound-limits.js';
import { DroppedMessages } from './dropped-messages.js';
import type { Lane } from './lane.js';
import { channelOf, type Entry, publicationOf } from './outbound-entry.js';
import type { Debtor } from './outbound-ledger.js';
import type { Pressure } from './pressure.js';
import { RoomQueue } from './room-queue.js';
import type { SocketContext } from './socket-context.js';

/** What is asked of the socket that is slow. */
export interface CongestedSocket extends SocketContext {
  readonly heartbeat: { watchProgress(): void } | undefined;
  knows(extension: 'gap'): boolean;
  /** Ends a connection whose peer does not read; what waits is dropped. `isUrgent` leaves it no time for the close frame. */
  cutOff(code: number, isUrgent: boolean): void;
}

/** What is asked of the messages that wait. */
export interface CongestedOutput {
  readonly lane: Lane<Entry> | undefined;
  readonly pressure: Pressure;
  /** Has messages wait in the lane from now on, where they can be dropped. */
  hold(): void;
  /** Lets them go on. */
  release(): void;
  /** Sends a packet ahead of what waits. */
  sendUnbatched(packet: unknown): void;
}

/** One time of having too much wait, from the first message dropped until there is room again. */
interface Overflow {
  readonly policy: SlowPolicy;
  readonly since: number;
  readonly droppedBefore: number;
}

/**
 * Owns what a socket knows about its client being slow: whether it is under pressure, how long it has been over its budget,
 * and what was dropped.
 *
 * It is made when something waits for the network for the first time, and told each time that changes: sockets whose
 * messages the network takes at once do not have one.
 */
export class Congestion implements Debtor {
  /** Whether more waits than the high mark; ends at the low one. */
  isHigh = false;
  readonly dropped: DroppedMessages = new DroppedMessages();
  /** What waits until the pressure is over. */
  readonly room: RoomQueue = new RoomQueue();
  readonly #context: CongestedSocket;
  readonly #output: CongestedOutput;
  #isWaiting = false;
  /** The bytes of a message that found nothing waiting: it may have any size. */
  #exempt = 0;
  /** Since when more waits than may for long. */
  #overSince: number | undefined;
  #sustained: Deadline<Congestion> | undefined;
  #overflow: Overflow | undefined;
  #isEnding = false;
  #isGone = false;

  constructor(context: CongestedSocket, output: CongestedOutput) {
    this.#context = context;
    this.#output = output;
  }

  /** Bytes that the network has not taken. What is held back for the end of the turn has not been shown to it yet. */
  get #onNetwork(): number {
    const { engine } = this.#context;
    return engine.unsentBytes - engine.heldBytes;
  }

  get #bytes(): number {
    return this.#onNetwork + (this.#output.lane?.bytes ?? 0);
  }

  /** More or less waits than before; `newest` has just been added to the lane. */
  update(newest?: Entry): void {
    if (this.#isGone) return;
    const bytes = this.#bytes;
    if (!this.#isEnding) {
      if (bytes > 0) this.#begin(bytes);
      else this.#isWaiting = false;
      this.#checkMarks(bytes);
      this.#checkBudget(bytes, newest);
    }
    this.#note();
    this.#holdOrRelease();
  }

  /** A message is about to wait: gives the key by which a newer one replaces it, after having dropped the older one. */
  replaceOlder(lane: Lane<Entry>, entry: Entry): string | undefined {
    const channel = channelOf(entry);
    if (channel === undefined || this.#policyOf(entry) !== 'conflate') return undefined;
    const key = `${channel.length} ${channel} ${this.#conflateKey(channel, entry)}`;
    const older = lane.supersede(key);
    if (older !== undefined) this.#drop(older, 'conflate');
    return key;
  }

  #conflateKey(channel: string, entry: Entry): string {
    try {
      return this.#context.server.limits.conflateKey(channel, publicationOf(entry).data);
    } catch (error) {
      this.#context.socket.emitError(error);
      return '';
    }
  }

  #begin(bytes: number): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    const { engine, heartbeat } = this.#context;
    this.#exempt = engine.unsentMessages === 1 && this.#output.lane === undefined ? bytes : 0;
    heartbeat?.watchProgress();
  }

  #checkMarks(bytes: number): void {
    const { socket, server } = this.#context;
    const { high, low } = server.limits.pressureMarks;
    if (bytes <= low) this.#endOverflow();
    if (this.isHigh ? bytes > low : bytes < high) return;
    this.isHigh = !this.isHigh;
    const event = { isHigh: this.isHigh, ...this.#output.pressure };
    socket.emit('pressure', event);
    server.emitOfSocket('socketPressure', { socket, ...event });
    // Each may bring the socket above the mark again.
    while (!this.isHigh && this.room.next());
  }

  #checkBudget(bytes: number, newest: Entry | undefined): void {
    const { outboundBudget: budget } = this.#context.server.limits;
    if (bytes <= budget.sustainedBytes + this.#exempt) this.#stopSustained();
    else if (this.#overSince === undefined) {
      this.#overSince = turnMs();
      this.#sustained ??= new Deadline(checkAgain, this);
      this.#context.server.deadlines.schedule(this.#sustained, budget.sustainedMs);
    }
    const isTooLong = this.#overSince !== undefined && turnMs() - this.#overSince >= budget.sustainedMs;
    const allowed = (isTooLong ? budget.sustainedBytes : budget.bytes) + this.#exempt;
    if (bytes > allowed) this.#makeRoom(allowed, newest);
  }

  #stopSustained(): void {
    if (this.#overSince === undefined) return;
    this.#overSince = undefined;
    if (this.#sustained !== undefined) this.#context.server.deadlines.cancel(this.#sustained);
  }

  /** Drops as the policies say, the newest message having the first word; the connection is cut when that is not enough. */
  #makeRoom(allowed: number, newest: Entry | undefined): void {
    const { lane } = this.#output;
    const policy = newest === undefined ? undefined : this.#policyOf(newest);
    if (lane !== undefined && policy !== 'disconnect') {
      const downTo = allowed - this.#onNetwork;
      if (policy === 'drop-newest') this.#dropAll(lane.dropNewest(downTo, (entry) => entry === newest));
      this.#dropAll(lane.dropOldest(downTo, (entry) => this.#isDroppedAs(entry, 'drop-oldest', 'conflate')));
      this.#dropAll(lane.dropNewest(downTo, (entry) => this.#isDroppedAs(entry, 'drop-newest')));
    }
    if (this.#bytes > allowed) this.#cut(false);
  }

  #isDroppedAs(entry: Entry, ...policies: readonly SlowPolicy[]): boolean {
    const policy = this.#policyOf(entry);
    return policy !== undefined && policies.includes(policy);
  }

  /** What becomes of it; `undefined` for what is never dropped. */
  #policyOf(entry: Entry): SlowPolicy | undefined {
    const channel = channelOf(entry);
    if (channel === undefined) return undefined;
    const { onSlow } = this.#context.server.limits;
    if (typeof onSlow !== 'function') return onSlow;
    try {
      const policy: unknown = onSlow(channel);
      if (isSlowPolicy(policy)) return policy;
      throw new TypeError(`limits.onSlow must give a policy for each channel - Got ${String(policy)}`);
    } catch (error) {
      this.#context.socket.emitError(error);
      return 'disconnect';
    }
  }

  #dropAll(entries: Iterable<Entry>): void {
    for (const entry of entries) this.#drop(entry, this.#policyOf(entry) ?? 'disconnect');
  }

  #drop(entry: Entry, policy: SlowPolicy): void {
    this.#beginOverflow(policy);
    this.dropped.add(channelOf(entry) as string);
    this.#context.server.outboundLedger.dropped += 1;
  }

  #beginOverflow(policy: SlowPolicy): void {
    if (this.#overflow !== undefined) return;
    const { socket, server } = this.#context;
    this.#overflow = { policy, since: turnMs(), droppedBefore: this.dropped.count };
    const event = { policy, ...this.#output.pressure };
    socket.emit('overflow', event);
    server.emitOfSocket('socketOverflow', { socket, ...event });
  }

  #endOverflow(): void {
    if (this.#overflow === undefined) return;
    const { policy, since, droppedBefore } = this.#overflow;
    this.#overflow = undefined;
    const { socket, server } = this.#context;
    const event = { policy, dropped: this.dropped.count - droppedBefore, durationMs: turnMs() - since };
    socket.emit('overflowEnd', event);
    server.emitOfSocket('socketOverflowEnd', { socket, ...event });
  }

  #cut(isUrgent: boolean): void {
    this.#endOverflow();
    this.#beginOverflow('disconnect');
    this.#context.cutOff(CLOSE_CODES.READS_TOO_SLOWLY, isUrgent);
  }

  #note(): void {
    if (!this.#isGone) this.#context.server.outboundLedger.set(this, this.#bytes);
  }

  /** The server has too much waiting in all, and most of it here. */
  relieve(): void {
    if (this.#isEnding) this.#context.engine.reset();
    else {
      const before = this.#bytes;
      const { lane } = this.#output;
      if (lane !== undefined) {
        this.#dropAll(
          lane.dropNewest(0, (entry) => this.#isDroppedAs(entry, 'drop-oldest', 'conflate', 'drop-newest')),
        );
      }
      if (this.#bytes < before) {
        this.#note();
        return;
      }
      this.#cut(true);
    }
    this.gone();
  }

  #holdOrRelease(): void {
    if (this.#isEnding) return;
    const { limits } = this.#context.server;
    const { lane } = this.#output;
    if (this.#onNetwork > limits.pressureMarks.low) {
      if (limits.onSlow !== 'disconnect') this.#output.hold();
    } else if (lane?.isHeld === true) {
      this.#tellDropped();
      this.#output.release();
    }
  }

  #tellDropped(): void {
    const gaps = this.dropped.take();
    if (!this.#context.knows('gap')) return;
    for (const [channel, dropped] of gaps) {
      this.#output.sendUnbatched({ event: '#gap', data: { channel, dropped } });
    }
  }

  /** The socket is closing: nothing is decided any more, but what waits is counted until the connection is gone. */
  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#stopSustained();
    this.#endOverflow();
  }

  /** The connection is gone, and what waited with it. */
  gone(): void {
    if (this.#isGone) return;
    this.end();
    this.#context.server.outboundLedger.set(this, 0);
    this.#isGone = true;
  }
}

function checkAgain(congestion: Congestion): void {
  congestion.update();
}
