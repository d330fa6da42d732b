import { getHeapStatistics } from 'node:v8';

/**
 * What becomes of messages for a client that reads too slowly: `'disconnect'` ends its connection (4010); the others leave
 * messages of channels out, and tell how many: the oldest that wait, the newest, or (`'conflate'`) each that a newer one
 * with the same key replaces while it waits.
 */
export type SlowPolicy = 'disconnect' | 'drop-oldest' | 'drop-newest' | 'conflate';

/** One policy for all channels, or what gives the policy of a channel. */
export type SlowPolicyOption = SlowPolicy | ((channel: string) => SlowPolicy);

/** Which messages of a channel replace each other: those for which it gives the same text. */
export type ConflateKey = (channel: string, data: unknown) => string;

/** How much may wait for one client. */
export interface OutboundBudget {
  /** Bytes that may wait at any time. @default 4194304 (public: 1048576) */
  readonly bytes: number;
  /** Bytes that may wait for longer than `sustainedMs`. @default 1048576 (public: 262144) */
  readonly sustainedBytes: number;
  /** Milliseconds. @default 10000 */
  readonly sustainedMs: number;
}

/** Between which bytes a socket counts as under pressure. */
export interface PressureMarks {
  /** It is from here on. @default 524288 (public: 131072), at most half of what may wait for long */
  readonly high: number;
  /** It is no more from here down. @default an eighth of `high` */
  readonly low: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const SUSTAINED_MS = 10_000;
/** Part of the heap limit that may wait in all. */
const PART_OF_HEAP = 0.25;
/** Parts of a budget that is given as a number. */
const SUSTAINED_PART = 0.25;
const HIGHEST_MARK = 512 * KIB;

const POLICIES: readonly unknown[] = ['disconnect', 'drop-oldest', 'drop-newest', 'conflate'];

/** By preset. */
export const OUTBOUND_BUDGETS: Readonly<Record<'default' | 'public' | 'v20', OutboundBudget>> = {
  default: { bytes: 4 * MIB, sustainedBytes: MIB, sustainedMs: SUSTAINED_MS },
  public: { bytes: MIB, sustainedBytes: 256 * KIB, sustainedMs: SUSTAINED_MS },
  v20: { bytes: Infinity, sustainedBytes: Infinity, sustainedMs: Infinity },
};

/** What may wait for all clients together. */
export function defaultTotalBudget(): number {
  return Math.floor(getHeapStatistics().heap_size_limit * PART_OF_HEAP);
}

/** Reads the option `limits.outboundBudget`; `undefined` for what is not allowed. A number leaves a quarter for longer times. */
export function readOutboundBudget(given: unknown): OutboundBudget | undefined {
  if (isAmount(given)) {
    const bytes = given || Infinity;
    return { bytes, sustainedBytes: bytes * SUSTAINED_PART, sustainedMs: SUSTAINED_MS };
  }
  if (typeof given !== 'object' || given === null) return undefined;
  const { bytes = 0, sustainedMs = SUSTAINED_MS, ...more } = given as Partial<OutboundBudget>;
  const { sustainedBytes = bytes * SUSTAINED_PART } = more;
  if (!isAmount(bytes) || !isAmount(sustainedBytes) || !isAmount(sustainedMs)) return undefined;
  return { bytes: bytes || Infinity, sustainedBytes: sustainedBytes || Infinity, sustainedMs };
}

/** Reads the option `limits.onSlow`. */
export function readSlowPolicy(given: unknown): SlowPolicyOption | undefined {
  return isSlowPolicy(given) || typeof given === 'function' ? (given as SlowPolicyOption) : undefined;
}

/** Whether a value is a policy. */
export function isSlowPolicy(value: unknown): value is SlowPolicy {
  return POLICIES.includes(value);
}

/** Reads the option `limits.conflateKey`. */
export function readConflateKey(given: unknown): ConflateKey | undefined {
  return typeof given === 'function' ? (given as ConflateKey) : undefined;
}

/** Without the option `limits.conflateKey`: of a channel, the latest message. */
export function conflateByChannel(): string {
  return '';
}

/** Reads the option `limits.pressureMarks`. */
export function readPressureMarks(given: unknown): PressureMarks | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const { high, low } = given as Partial<PressureMarks>;
  return isAmount(high) && isAmount(low) && low < high ? { high, low } : undefined;
}

/** The marks that suit a budget: under pressure well before something is done about it. */
export function marksFor({ bytes, sustainedBytes }: OutboundBudget): PressureMarks {
  const high = Math.min(HIGHEST_MARK, bytes / 2, sustainedBytes / 2);
  return { high, low: high / 8 };
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}
