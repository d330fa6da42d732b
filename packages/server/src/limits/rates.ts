import type { Rate } from './token-bucket.js';

/** What is counted: packets (those of a batch each for itself), bytes of frames, `#subscribe`, and calls of the application. */
export type RateKind = 'messages' | 'bytes' | 'subscribes' | 'calls';

/** Whose packets are counted together: of one socket, of all sockets of an address, or of a user. */
export type RateScope = 'socket' | 'address' | 'user';

/** What happens to a client that is too fast: see {@link Limits.onRateLimit}. */
export type RateAction = 'pause' | 'reject' | 'disconnect';

/** A rate in a second; as an object with how much is allowed at once, which else is the same number. `0` for no limit. */
export type RateOption = number | { readonly perSecond: number; readonly burst?: number | undefined };

/** The rates of one scope; what is not given is as in the preset, `0` switches all off. */
export type ScopeRatesOption = { readonly [Kind in RateKind]?: RateOption | undefined } | 0;

/** The rates of all scopes; what is not given is as in the preset, `0` switches all off. */
export type RatesOption = { readonly [Scope in RateScope]?: ScopeRatesOption | undefined } | 0;

/** The rates of one scope that are in force. */
export type ScopeRates = { readonly [Kind in RateKind]?: Rate };

/** The rates in force. */
export type ResolvedRates = { readonly [Scope in RateScope]?: ScopeRates };

const KINDS: readonly RateKind[] = ['messages', 'bytes', 'subscribes', 'calls'];
const SCOPES: readonly RateScope[] = ['socket', 'address', 'user'];

const MIB = 1024 * 1024;

/** What many sockets of one address or user may send together. */
const PUBLIC_SHARED_RATES: ScopeRates = {
  messages: { perSecond: 8000, burst: 20_000 },
  bytes: { perSecond: 16 * MIB, burst: 16 * MIB },
  subscribes: { perSecond: 800, burst: 800 },
};

/** The rates of each preset. */
export const RATES: Readonly<Record<'default' | 'public' | 'v20', ResolvedRates>> = {
  default: {},
  public: {
    socket: {
      messages: { perSecond: 2000, burst: 5000 },
      bytes: { perSecond: 4 * MIB, burst: 4 * MIB },
      subscribes: { perSecond: 200, burst: 200 },
    },
    address: PUBLIC_SHARED_RATES,
    user: PUBLIC_SHARED_RATES,
  },
  v20: {},
};

/** What is allowed, as the error says it. */
export const RATES_ALLOWED: string = `0 or an object with the keys ${SCOPES.join(', ')}, of which each is 0 or an object with the keys ${KINDS.join(', ')}, of which each is a number from 0 or {perSecond, burst}`;

/** The rates in force when these are given on top of a preset; `undefined` for what is not allowed. */
export function readRates(given: unknown, preset: ResolvedRates): ResolvedRates | undefined {
  return merge(given, preset, SCOPES, (scope, inPreset) => merge(scope, inPreset ?? {}, KINDS, readRate));
}

/** Takes each of the keys from what was given, or else from the preset. */
function merge<K extends string, T extends object>(
  given: unknown,
  preset: { readonly [Key in K]?: T },
  keys: readonly K[],
  read: (value: unknown, inPreset: T | undefined) => T | undefined,
): { readonly [Key in K]?: T } | undefined {
  if (given === 0 || given === Infinity) return {};
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
  if (Object.keys(given).some((key) => !(keys as readonly string[]).includes(key))) return undefined;
  const merged: { [Key in K]?: T } = {};
  for (const key of keys) {
    const value = (given as Record<string, unknown>)[key] ?? undefined;
    const inForce = value === undefined ? preset[key] : isOff(value) ? undefined : read(value, preset[key]);
    if (inForce !== undefined) merged[key] = inForce;
    else if (value !== undefined && !isOff(value)) return undefined;
  }
  return merged;
}

function isOff(value: unknown): boolean {
  return value === 0 || value === Infinity;
}

function readRate(given: unknown): Rate | undefined {
  if (typeof given === 'number')
    return given > 0 ? { perSecond: given, burst: Math.max(given, 1) } : undefined;
  if (typeof given !== 'object' || given === null) return undefined;
  const { perSecond, burst = perSecond } = given as Record<string, unknown>;
  if (typeof perSecond !== 'number' || !(perSecond > 0) || perSecond === Infinity) return undefined;
  if (typeof burst !== 'number' || !(burst > 0) || burst === Infinity) return undefined;
  return { perSecond, burst: Math.max(burst, 1) };
}

/** The action that was given; `undefined` for what is none. */
export function readRateAction(given: unknown): RateAction | undefined {
  return given === 'pause' || given === 'reject' || given === 'disconnect' ? given : undefined;
}
