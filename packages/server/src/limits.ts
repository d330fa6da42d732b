import { InvalidOptionsError } from '@socketcluster-ts/core';

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
}

/** The limits in force; `Infinity` where there is none. */
export interface ResolvedLimits {
  readonly preset: LimitPreset;
  readonly maxDepth: number;
  readonly maxTokenBytes: number;
}

const MIB = 1024 * 1024;

const PRESETS = {
  default: { maxDepth: 64, maxTokenBytes: 8192 },
  public: { maxDepth: 32, maxTokenBytes: 8192 },
  v20: { maxDepth: Infinity, maxTokenBytes: Infinity },
} as const;

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

const NAMES = ['maxDepth', 'maxTokenBytes'] as const;

/**
 * Fills in a preset.
 * @throws {InvalidOptionsError} that names what is wrong
 */
export function resolveLimits(limits: LimitPreset | Limits | null | undefined): ResolvedLimits {
  if (limits === undefined || limits === null) return { preset: 'default', ...PRESETS.default };
  if (typeof limits === 'string') return { preset: checkPreset(limits), ...PRESETS[checkPreset(limits)] };
  if (typeof limits !== 'object' || Array.isArray(limits))
    throw invalid('limits', 'a preset or an object', limits);
  for (const name of Object.keys(limits)) {
    if (name !== 'preset' && !(NAMES as readonly string[]).includes(name)) {
      throw invalid('limits', `an object with the keys preset, ${NAMES.join(', ')}`, name);
    }
  }
  const preset = checkPreset(limits.preset ?? 'default');
  const resolved: Record<string, number> = { ...PRESETS[preset] };
  for (const name of NAMES) {
    const value: unknown = limits[name] ?? undefined;
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value >= 0)) throw invalid(`limits.${name}`, 'a number from 0', value);
    resolved[name] = value === 0 ? Infinity : value;
  }
  return { preset, ...resolved } as ResolvedLimits;
}

function checkPreset(preset: unknown): LimitPreset {
  if (typeof preset === 'string' && Object.hasOwn(PRESETS, preset)) return preset as LimitPreset;
  throw invalid('limits', `one of ${Object.keys(PRESETS).join(', ')}`, preset);
}

function invalid(option: string, allowed: string, given: unknown): InvalidOptionsError {
  const shown = typeof given === 'string' ? JSON.stringify(given) : String(given);
  return new InvalidOptionsError(`The ${option} option must be ${allowed} - Got ${shown.slice(0, 64)}`);
}
