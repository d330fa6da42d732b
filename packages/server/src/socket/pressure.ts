/**
 * Where messages wait: for a verdict of the outbound middleware, behind messages that the network has to take first, in a
 * batch that is being buffered, for the end of the event-loop turn, or for the network.
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

/** What waits in one stage; `since` is when the oldest of it came, if that is known. */
export interface WaitingInStage {
  readonly stage: PressureStage;
  readonly bytes: number;
  readonly messages: number;
  readonly since?: number | undefined;
}

/** Sums stages up. */
export function pressureOf(stages: readonly WaitingInStage[], now: number): Pressure {
  let bytes = 0;
  let messages = 0;
  let oldest = now;
  let most: WaitingInStage = { stage: 'none', bytes: -1, messages: 0 };
  for (const each of stages) {
    if (each.messages === 0 && each.bytes === 0) continue;
    bytes += each.bytes;
    messages += each.messages;
    oldest = Math.min(oldest, each.since ?? now);
    if (each.bytes > most.bytes) most = each;
  }
  return { bytes, messages, oldestMs: now - oldest, stage: most.stage };
}
