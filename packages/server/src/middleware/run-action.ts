import { SilentMiddlewareBlockedError } from '@socketcluster-ts/core';
import type { ActionAllowance, AGAction } from './action.js';
import type { MiddlewareStream } from './middleware-stream.js';

/** An action the middleware let through. */
export interface Allowed {
  readonly allowed: true;
  /** The payload to go on with: the replacement, else the one of the action. */
  readonly data: unknown;
  readonly replaced: boolean;
  readonly options: ActionAllowance['options'];
}

/** An action the middleware prevented. */
export interface Blocked {
  readonly allowed: false;
  /** What the requester is told. */
  readonly error: unknown;
  /** What the middleware said, for the server's own events. */
  readonly cause: unknown;
}

/**
 * Asks one middleware line about an action. Never rejects; who calls emits what has to be emitted.
 */
export async function runAction(stream: MiddlewareStream, action: AGAction): Promise<Allowed | Blocked> {
  let packet: unknown;
  try {
    packet = await stream.judge(action);
  } catch (error) {
    return blocked(stream, action, error);
  }
  const { data, options } = (packet ?? {}) as ActionAllowance;
  const replaced = data !== undefined;
  return { allowed: true, data: replaced ? data : action.data, replaced, options };
}

function blocked(stream: MiddlewareStream, action: AGAction, cause: unknown): Blocked {
  const silent = (cause as { silent?: unknown } | null | undefined)?.silent;
  if (cause && !silent) return { allowed: false, error: cause, cause };
  const error = new SilentMiddlewareBlockedError(
    `The ${String(action.type)} AGAction was blocked by ${stream.type} middleware`,
    stream.type,
  );
  return { allowed: false, error, cause: cause || error };
}
