import { DEFAULT_DEADLINE_MS } from './deadline.js';

/**
 * Resolves once `condition()` is true, looking again on every turn of the event loop.
 *
 * Rejects after `deadlineMs` with an error that shows the source of the condition. For states that announce
 * themselves by no event; where there is an event, await the event.
 */
export async function until(
  condition: () => boolean,
  deadlineMs: number = DEFAULT_DEADLINE_MS,
): Promise<void> {
  const giveUpAt = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > giveUpAt)
      throw new Error(`Waited ${deadlineMs} ms until ${condition.toString()}`);
    await turn();
  }
}

/** Resolves after one turn of the event loop: everything that was already due has run by then. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
