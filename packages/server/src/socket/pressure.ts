import type { EngineSocket } from '../engine/engine.js';
import { turnMs } from '../engine/turn-clock.js';
import { approximateBytes } from './approximate-bytes.js';
import type { Lane } from './lane.js';
import { type Entry, entryBytes, type Packet } from './outbound-entry.js';
import type { RoomQueue } from './room-queue.js';

/**
 * Where messages wait: for a verdict of the outbound middleware, in the queue for their turn or for room, in a batch that is
 * being buffered, for the end of the event-loop turn, or for the network.
 */
export type PressureStage = 'none' | 'middleware' | 'queue' | 'batch' | 'turn' | 'network';

/** What waits to be sent to a client. */
export interface Pressure {
  /** Bytes; of what is not encoded yet, about how many it will be. */
  readonly bytes: number;
  readonly messages: number;
  /** For how many ms the oldest of them has been waiting. What waits for the end of the turn is 0. */
  readonly oldestMs: number;
  /** Where most of the bytes wait. */
  readonly stage: PressureStage;
}

/** The parts of a socket in which messages wait. */
export interface WaitingParts {
  readonly engine: EngineSocket;
  readonly asked: Entry | undefined;
  readonly askedSince: number;
  readonly lane: Lane<Entry> | undefined;
  readonly room: RoomQueue | undefined;
  readonly batch: readonly Packet[] | undefined;
  readonly batchedSince: number;
}

/** What waits in one stage; `since` is when the oldest of it came, if that is known. */
interface Waiting {
  readonly stage: PressureStage;
  readonly bytes: number;
  readonly messages: number;
  readonly since?: number | undefined;
}

/** Of a socket on which nothing waits. */
export const NO_PRESSURE: Pressure = Object.freeze({ bytes: 0, messages: 0, oldestMs: 0, stage: 'none' });

/** Sums up what waits, stage by stage. */
export function measurePressure(parts: WaitingParts): Pressure {
  const now = turnMs();
  let bytes = 0;
  let messages = 0;
  let oldest = now;
  let most: Waiting = { stage: 'none', bytes: -1, messages: 0 };
  for (const each of stagesOf(parts)) {
    if (each.messages === 0 && each.bytes === 0) continue;
    bytes += each.bytes;
    messages += each.messages;
    oldest = Math.min(oldest, each.since ?? now);
    if (each.bytes > most.bytes) most = each;
  }
  return { bytes, messages, oldestMs: now - oldest, stage: most.stage };
}

function stagesOf({ engine, asked, askedSince, lane, room, batch, batchedSince }: WaitingParts): Waiting[] {
  const { heldBytes, heldMessages, unsentBytes, unsentMessages, unsentSince } = engine;
  const stages: Waiting[] = [
    {
      stage: 'network',
      bytes: unsentBytes - heldBytes,
      messages: unsentMessages - heldMessages,
      since: unsentSince,
    },
    { stage: 'turn', bytes: heldBytes, messages: heldMessages },
  ];
  if (batch !== undefined && batch.length > 0) {
    const since = batchedSince;
    stages.push({ stage: 'batch', bytes: approximateBytes(batch), messages: batch.length, since });
  }
  if (asked !== undefined)
    stages.push({ stage: 'middleware', bytes: entryBytes(asked), messages: 1, since: askedSince });
  if (lane !== undefined) {
    const stage = lane.isHeld ? 'queue' : 'middleware';
    stages.push({ stage, bytes: lane.bytes, messages: lane.count, since: lane.since });
  }
  if (room !== undefined)
    stages.push({ stage: 'queue', bytes: room.bytes, messages: room.size, since: room.since });
  return stages;
}
