/** What a message carries so that it can be told from every other: who sent it, and the how-manieth of theirs it is. */
export interface Stamp {
  readonly publisher: string;
  /** Counts from 1, over all channels of the publisher. */
  readonly number: number;
}

/** How a publish ended that was not acknowledged; the same words as `error.delivery` of the client. */
export type FailedPublish = 'not-sent' | 'unknown' | 'refused';

/** What a checker has found about messages. All but the times are counts. */
export interface DeliveryVerdict {
  readonly sent: number;
  readonly acknowledged: number;
  /** Refused, or never sent: nobody may have got it. */
  readonly refused: number;
  /** Failed so that nobody knows whether it was published. */
  readonly unknown: number;
  /** Neither acknowledged nor failed yet. */
  readonly pending: number;
  readonly delivered: number;
  /** Acknowledged, and not delivered to somebody who was subscribed from before the sending until now. A fault. */
  readonly lost: number;
  /** Acknowledged, and under way when the connection of the subscriber ended; nothing later arrived by it either. */
  readonly cutOff: number;
  /** The longest time in ms that a message counted in `cutOff` had been acknowledged when the connection ended. */
  readonly longestCutOffMs: number;
  /** Acknowledged while somebody who wanted the channel had no subscription. */
  readonly missedAway: number;
  /** Acknowledged, not delivered, and the subscriber, who was there all the time, was told of a gap afterwards. */
  readonly missedInGap: number;
  /** The longest time in ms between the sending of a message counted in `missedInGap` and the news of the gap. */
  readonly longestGapMs: number;
  /** Failed as unknown, and got by somebody. */
  readonly deliveredUnknown: number;
  /** Got by the same subscriber again. A fault. */
  readonly duplicates: number;
  /** Got behind a later message of the same publisher in the same channel. A fault. */
  readonly reordered: number;
  /** Nobody sent it, or not to that channel, or the subscriber never wanted that. A fault. */
  readonly foreign: number;
  /** Refused or never sent, and yet got by somebody. A fault. */
  readonly contradicted: number;
  /** Got after it had been judged by `settle()`. A fault. */
  readonly late: number;
  /** The first faults in words, ten at most. */
  readonly examples: readonly string[];
}

/** The faults of a verdict in words, each kind with its count; empty when all is well. */
export function faultsOf(verdict: DeliveryVerdict): string[] {
  const kinds = ['lost', 'duplicates', 'reordered', 'foreign', 'contradicted', 'late'] as const;
  const counts = kinds.filter((kind) => verdict[kind] > 0).map((kind) => `${verdict[kind]} ${kind}`);
  return counts.length === 0 ? [] : [...counts, ...verdict.examples];
}

/** The stamp in what arrived, if it carries one. */
export function stampIn(content: unknown): Stamp | undefined {
  if (typeof content !== 'object' || content === null) return undefined;
  const { publisher, number } = content as Record<string, unknown>;
  if (typeof publisher !== 'string' || typeof number !== 'number' || !Number.isInteger(number))
    return undefined;
  return number < 1 ? undefined : { publisher, number };
}
