import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 5;
/** After a fault the run is lost; a little longer is waited only to see what kind of fault it is. */
const AFTER_FAULT_MS = 300;

/**
 * Waits for a condition as long as there is progress.
 * @param {() => boolean} isDone
 * @param {{ progress: () => number, faults: import('./faults.mjs').Faults, stallMs: number }} patience
 * @returns {Promise<boolean>} false when there was a fault, or no progress for `stallMs`
 */
export async function until(isDone, { progress, faults, stallMs }) {
  let last = progress();
  let lastAt = performance.now();
  while (!isDone()) {
    await sleep(LOOK_EVERY_MS);
    const current = progress();
    const now = performance.now();
    if (current !== last) {
      last = current;
      lastAt = now;
    }
    if (now - lastAt > (faults.total > 0 ? AFTER_FAULT_MS : stallMs)) return false;
  }
  return faults.total === 0;
}
