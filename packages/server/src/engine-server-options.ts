import type { ResolvedLimits } from './limits/limits.js';
import type { ResolvedOptions } from './server-options.js';

/** What compression costs is bounded, in memory for each connection and in work for all. */
const BOUNDED_DEFLATE = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  /** In bytes; shorter messages are sent as they are. */
  threshold: 1024,
  /** How many messages are compressed or inflated at a time. */
  concurrencyLimit: 2,
};

/** The longest time a timer can count, in ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** `ws` waits longer than we do: a reset is more thorough than its end. */
const LATER_MS = 1000;

/** What the engine's own server is created with; options given for it by the user win. */
export function engineServerOptions(
  options: ResolvedOptions,
  limits: ResolvedLimits,
): Record<string, unknown> {
  const { maxPayload, path, handleProtocols, wsEngineServerOptions } = options;
  const given = Object.fromEntries(
    Object.entries(wsEngineServerOptions).filter(([, value]) => value !== undefined),
  );
  return {
    clientTracking: false,
    // 0 means no limit to `ws`, and the same must hold for null and Infinity here.
    maxPayload: maxPayload === null || maxPayload === Infinity ? 0 : maxPayload,
    maxFragments: limits.maxFragments === Infinity ? 0 : limits.maxFragments,
    maxBufferedChunks: limits.maxBufferedChunks === Infinity ? 0 : limits.maxBufferedChunks,
    // Pongs count for the budget. By a limit of its own `ws` cuts off, without a word, who sends 61 pings in one segment.
    ...(limits.outboundBudget.bytes === Infinity ? undefined : { maxPendingAutoPongs: 0 }),
    closeTimeout: Math.min(limits.closeTimeout + LATER_MS, MAX_TIMER_MS),
    ...(path === null ? undefined : { path }),
    ...(handleProtocols ? { handleProtocols } : undefined),
    ...given,
    perMessageDeflate: deflateOptions(given['perMessageDeflate'] ?? options.perMessageDeflate, limits),
  };
}

function deflateOptions(given: unknown, { preset }: ResolvedLimits): unknown {
  if (!given || preset === 'v20') return given;
  return typeof given === 'object' ? { ...BOUNDED_DEFLATE, ...given } : BOUNDED_DEFLATE;
}
