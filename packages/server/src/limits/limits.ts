import { invalidOption, showGiven } from '@socketcluster-ts/core';
import {
  type ConflateKey,
  conflateByChannel,
  defaultTotalBudget,
  marksFor,
  OUTBOUND_BUDGETS,
  type OutboundBudget,
  type PressureMarks,
  readConflateKey,
  readOutboundBudget,
  readPressureMarks,
  readSlowPolicy,
  type SlowPolicyOption,
} from './outbound-limits.js';
import {
  RATES,
  RATES_ALLOWED,
  type RateAction,
  type RatesOption,
  type ResolvedRates,
  readRateAction,
  readRates,
} from './rates.js';

/**
 * A set of limits: `'default'` protects the server and is not in the way of an application; `'public'` is for clients
 * one does not trust; `'v20'` is as open as upstream.
 */
export type LimitPreset = 'default' | 'public' | 'v20';

/** Single limits; `0` and `Infinity` switch one off. */
export interface Limits {
  /** Where the limits not given here come from. @default 'default' */
  readonly preset?: LimitPreset | undefined;
  /** How deep the data of a publish or an answer may be nested. @default 64 (public: 32) */
  readonly maxDepth?: number | undefined;
  /** The longest signed token in bytes. @default 8192 */
  readonly maxTokenBytes?: number | undefined;
  /** How many connections there may be; another one is refused with 503. @default no limit */
  readonly maxConnections?: number | undefined;
  /** How many of one address; another one is refused with 429. @default no limit (public: 1000) */
  readonly maxConnectionsPerAddress?: number | undefined;
  /**
   * How many upgrade requests of one address are taken in a second, four times as many at once; others are refused with
   * 429. @default no limit (public: 50)
   */
  readonly upgradesPerSecond?: number | undefined;
  /** How many handshakes may be unfinished; another connection is refused with 503. @default 10000 (public: 1000) */
  readonly maxPendingHandshakes?: number | undefined;
  /**
   * How late the event loop may be, in milliseconds: while it is later for long, new connections are refused with 503,
   * or 1013 when they are open already. @default 1000 (public: 500)
   */
  readonly maxEventLoopLag?: number | undefined;
  /**
   * How many packets one inbound frame may hold; more close the connection with 1008. What a preset says is raised to
   * twice the `socketChannelLimit`, so that a client can renew all its subscriptions at once.
   * @default 10000 (public: 2000)
   */
  readonly maxBatchPackets?: number | undefined;
  /**
   * The longest name of a channel, event or procedure that a client may use, in bytes of UTF-8. With it, names must be
   * well-formed Unicode.
   * @default 255
   */
  readonly maxNameBytes?: number | undefined;
  /**
   * How many packets of one socket may wait to be processed, those of a batch each for itself, until reading from its
   * connection pauses; it goes on when a quarter is left.
   * @default 256
   */
  readonly maxInboundQueue?: number | undefined;
  /** The same in bytes. @default 1048576 */
  readonly maxInboundQueueBytes?: number | undefined;
  /**
   * How many calls may be without an answer, of a client to the server and of the server to a client, for each socket;
   * more are refused.
   * @default 1000 (public: 128)
   */
  readonly maxPendingCalls?: number | undefined;
  /** How many `#authenticate` of a socket may fail in 10 s; the next failure closes it with 1008. @default 20 (public: 5) */
  readonly maxAuthFailures?: number | undefined;
  /** Milliseconds after a close until a connection whose client does not end it is reset. @default 2000 (v20: 30000) */
  readonly closeTimeout?: number | undefined;
  /** In how many frames a message may come; more close the connection with 1008. @default 1024 */
  readonly maxFragments?: number | undefined;
  /** In how many pieces a frame may arrive; more close the connection with 1008. @default 16384 */
  readonly maxBufferedChunks?: number | undefined;
  /**
   * How many bytes may wait for one client: at any time, and for longer than a while. A number is for any time; a quarter
   * of it may wait for longer than 10 s. A message that finds nothing waiting may have any size.
   * @default 4 MiB, and 1 MiB for longer than 10 s (public: 1 MiB, and 256 KiB)
   */
  readonly outboundBudget?: number | Partial<OutboundBudget> | undefined;
  /**
   * How many bytes may wait for all clients of the server together; beyond, the client that most of it waits for is cut off,
   * and so on.
   * @default a quarter of the heap limit of the process
   */
  readonly totalOutboundBudget?: number | undefined;
  /** What becomes of messages for a client beyond its budget; by channel if a function. @default 'disconnect' */
  readonly onSlow?: SlowPolicyOption | undefined;
  /**
   * For the policy `'conflate'`: messages of a channel replace each other while they wait when this gives the same text.
   * @default of each channel the latest message
   */
  readonly conflateKey?: ConflateKey | undefined;
  /**
   * Bytes waiting for a client at which its event `pressure` tells so, and below which it tells that it is over;
   * `whenWritable` waits in between.
   * @default 512 KiB and 64 KiB (public: 128 and 16 KiB); less for a smaller `outboundBudget`
   */
  readonly pressureMarks?: PressureMarks | undefined;
  /**
   * How fast one socket, all sockets of one address, and all sockets of one user (see the option `userClaim`) may send.
   * @default no limit (public: see docs/limits.md)
   */
  readonly rates?: RatesOption | undefined;
  /**
   * What happens to a client that is too fast. `'pause'`: reading from its connection pauses until it is not, so it has
   * to wait and nothing is lost. `'reject'`: what is too much has no effect, and a call gets a `ResourceLimitError`.
   * `'disconnect'`: its connection is closed with 1008.
   * @default 'pause'
   */
  readonly onRateLimit?: RateAction | undefined;
}

/** The limits in force; `Infinity` where there is none. */
export interface ResolvedLimits {
  readonly preset: LimitPreset;
  readonly maxDepth: number;
  readonly maxTokenBytes: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly upgradesPerSecond: number;
  readonly maxPendingHandshakes: number;
  readonly maxEventLoopLag: number;
  readonly maxBatchPackets: number;
  readonly maxNameBytes: number;
  readonly maxInboundQueue: number;
  readonly maxInboundQueueBytes: number;
  readonly maxPendingCalls: number;
  readonly maxAuthFailures: number;
  readonly closeTimeout: number;
  readonly maxFragments: number;
  readonly maxBufferedChunks: number;
  readonly outboundBudget: OutboundBudget;
  readonly totalOutboundBudget: number;
  readonly onSlow: SlowPolicyOption;
  readonly conflateKey: ConflateKey;
  readonly pressureMarks: PressureMarks;
  readonly rates: ResolvedRates;
  readonly onRateLimit: RateAction;
}

/** One limit: its value in each preset, and how a given value is read. */
interface LimitRow<T> {
  readonly presets: Readonly<Record<LimitPreset, T>>;
  /** What is allowed, as the error says it. */
  readonly allowed: string;
  /** The value in force for a given one, on top of the preset; `undefined` for one that is not allowed. */
  read(given: unknown, inPreset: T): T | undefined;
}

/** A limit that is a number; off in the preset `'v20'`. */
function count(byDefault: number, inPublic: number): LimitRow<number> {
  return {
    presets: { default: byDefault, public: inPublic, v20: Infinity },
    allowed: 'a number from 0',
    read: (given) => (typeof given === 'number' && given >= 0 ? given || Infinity : undefined),
  };
}

/** A limit that is a time in milliseconds, with what stands for upstream. */
function duration(byDefault: number, inPublic: number, inV20: number): LimitRow<number> {
  return { ...count(byDefault, inPublic), presets: { default: byDefault, public: inPublic, v20: inV20 } };
}

const LONGEST_SHOWN = 64;
const MIB = 1024 * 1024;
/** A limit that is the same in each preset. */
function same<T>(byDefault: T, allowed: string, read: (given: unknown) => T | undefined): LimitRow<T> {
  return { presets: { default: byDefault, public: byDefault, v20: byDefault }, allowed, read };
}

const ALLOWED_POLICIES = "'disconnect', 'drop-oldest', 'drop-newest', 'conflate' or a function";

/** Every limit: by default, and in the preset `'public'`. */
const ROWS: { readonly [Name in Exclude<keyof ResolvedLimits, 'preset'>]: LimitRow<ResolvedLimits[Name]> } = {
  maxDepth: count(64, 32),
  maxTokenBytes: count(8192, 8192),
  maxConnections: count(Infinity, Infinity),
  maxConnectionsPerAddress: count(Infinity, 1000),
  upgradesPerSecond: count(Infinity, 50),
  maxPendingHandshakes: count(10_000, 1000),
  maxEventLoopLag: count(1000, 500),
  maxBatchPackets: count(10_000, 2000),
  maxNameBytes: count(255, 255),
  maxInboundQueue: count(256, 256),
  maxInboundQueueBytes: count(MIB, MIB),
  maxPendingCalls: count(1000, 128),
  maxAuthFailures: count(20, 5),
  closeTimeout: duration(2000, 2000, 30_000),
  maxFragments: count(1024, 1024),
  maxBufferedChunks: count(16_384, 16_384),
  outboundBudget: {
    presets: OUTBOUND_BUDGETS,
    allowed: 'a number of bytes from 0, or an object with bytes, sustainedBytes and sustainedMs',
    read: readOutboundBudget,
  },
  totalOutboundBudget: count(defaultTotalBudget(), defaultTotalBudget()),
  onSlow: same<SlowPolicyOption>('disconnect', ALLOWED_POLICIES, readSlowPolicy),
  conflateKey: same<ConflateKey>(conflateByChannel, 'a function', readConflateKey),
  pressureMarks: same(
    marksFor(OUTBOUND_BUDGETS.default),
    'an object with low and high, low being less',
    readPressureMarks,
  ),
  rates: {
    presets: RATES,
    allowed: RATES_ALLOWED,
    read: readRates,
  },
  onRateLimit: same<RateAction>('pause', "'pause', 'reject' or 'disconnect'", readRateAction),
};

/** What a preset makes of options that have a place of their own and were not given. */
export const PRESET_OPTIONS: Readonly<
  Record<
    LimitPreset,
    { readonly maxPayload: number; readonly socketChannelLimit: number | null; readonly origins: string }
  >
> = {
  default: { maxPayload: MIB, socketChannelLimit: 1000, origins: '*:*' },
  public: { maxPayload: 256 * 1024, socketChannelLimit: 128, origins: 'self' },
  v20: { maxPayload: 100 * MIB, socketChannelLimit: null, origins: '*:*' },
};

/** How many packets a client needs for one channel when it comes back: it leaves and joins. */
const PACKETS_PER_CHANNEL = 2;

/**
 * Fills in a preset. What it says about batches leaves room for all channels of a socket; their limit is given if it
 * is not that of the preset.
 * @throws {InvalidOptionsError} that names what is wrong
 */
export function resolveLimits(
  limits: LimitPreset | Limits | null | undefined,
  socketChannelLimit?: number | false | null,
): ResolvedLimits {
  const given = asObject(limits);
  const names = Object.keys(ROWS);
  for (const name of Object.keys(given)) {
    if (name !== 'preset' && !names.includes(name)) {
      throw invalidOption('limits', `an object with the keys preset, ${names.join(', ')}`, name);
    }
  }
  const preset = checkPreset(given['preset'] ?? 'default');
  const resolved: Record<string, unknown> = { preset };
  for (const [name, row] of Object.entries<LimitRow<unknown>>(ROWS)) {
    const value = given[name] ?? undefined;
    resolved[name] = value === undefined ? row.presets[preset] : row.read(value, row.presets[preset]);
    if (resolved[name] === undefined)
      throw invalidOption(`limits.${name}`, row.allowed, value, showLimit(value));
  }
  if (typeof given['maxBatchPackets'] !== 'number') {
    const channels =
      socketChannelLimit === undefined ? PRESET_OPTIONS[preset].socketChannelLimit : socketChannelLimit;
    const least = PACKETS_PER_CHANNEL * (channels || Infinity);
    resolved['maxBatchPackets'] = Math.max(resolved['maxBatchPackets'] as number, least);
  }
  if (given['pressureMarks'] === undefined)
    resolved['pressureMarks'] = marksFor(resolved['outboundBudget'] as OutboundBudget);
  return resolved as unknown as ResolvedLimits;
}

function asObject(limits: unknown): Readonly<Record<string, unknown>> {
  if (limits === undefined || limits === null) return {};
  if (typeof limits === 'string') return { preset: limits };
  if (typeof limits === 'object' && !Array.isArray(limits)) return limits as Record<string, unknown>;
  throw invalidOption('limits', 'a preset or an object', limits);
}

function checkPreset(preset: unknown): LimitPreset {
  if (typeof preset === 'string' && Object.hasOwn(PRESET_OPTIONS, preset)) return preset as LimitPreset;
  throw invalidOption('limits', `one of ${Object.keys(PRESET_OPTIONS).join(', ')}`, preset);
}

/** A limit is no secret: an object is shown as it is. */
function showLimit(value: unknown): string {
  const isPlain =
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? JSON.stringify(value).slice(0, LONGEST_SHOWN) : showGiven(value);
}
