/** Something that has work to do in the next microtask. */
export interface Sleeper {
  /** Does the work; called once per `wakeSoon()`, never from inside it. Must not throw. */
  wake(): void;
}

const settled = Promise.resolve();
let sleepers: Sleeper[] = [];

/**
 * Calls `sleeper.wake()` in the next microtask, in the order of the calls.
 *
 * All sleepers of one burst share one microtask, so writing to a thousand streams in a row costs one job, not a thousand.
 */
export function wakeSoon(sleeper: Sleeper): void {
  if (sleepers.push(sleeper) === 1) void settled.then(wakeAll);
}

function wakeAll(): void {
  const due = sleepers;
  sleepers = [];
  for (const sleeper of due) sleeper.wake();
}
