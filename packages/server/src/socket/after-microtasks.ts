/** Something that goes on once the loops it woke have run. */
export interface Resumable {
  resume(): void;
}

// `queueMicrotask()` makes an object for async hooks at each call; a settled promise does not.
const settled = Promise.resolve();
let waiting: Resumable[] = [];

function resumeAll(): void {
  const now = waiting;
  waiting = [];
  for (const resumable of now) resumable.resume();
}

/**
 * Resumes after every microtask that is queued now, and every one those queue, has run.
 *
 * A consumer loop wakes some microtasks after a write. A microtask that asks for a tick gets it when the microtask
 * queue is empty; one such hop serves all connections.
 */
export function afterMicrotasks(resumable: Resumable): void {
  if (waiting.push(resumable) === 1) void settled.then(askForTick);
}

/** As {@link afterMicrotasks}, for those who wait in an async function. */
export function microtasksDone(): Promise<void> {
  return new Promise((resume) => afterMicrotasks({ resume }));
}

function askForTick(): void {
  process.nextTick(resumeAll);
}
