import type { ResolvedOptions } from './server-options.js';

/** What the engine's own server is created with; options given for it by the user win. */
export function engineServerOptions(options: ResolvedOptions): Record<string, unknown> {
  const { maxPayload, path, perMessageDeflate, handleProtocols, wsEngineServerOptions } = options;
  const given = Object.fromEntries(
    Object.entries(wsEngineServerOptions).filter(([, value]) => value !== undefined),
  );
  return {
    clientTracking: false,
    // 0 means no limit to `ws`, and the same must hold for null and Infinity here.
    maxPayload: maxPayload === null || maxPayload === Infinity ? 0 : maxPayload,
    perMessageDeflate,
    ...(path === null ? undefined : { path }),
    ...(handleProtocols ? { handleProtocols } : undefined),
    ...given,
  };
}
