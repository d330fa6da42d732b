import { setImmediate } from 'node:timers/promises';

/** Resolves once all microtasks have run: whatever was written has then reached the loops that waited for it. */
export function turn(): Promise<void> {
  return setImmediate();
}

/** Resolves with the next microtask. */
export function microtask(): Promise<void> {
  return Promise.resolve();
}
