import { turn } from './turn.js';

const ATTEMPTS = 50;

/** Collects garbage and runs its clean-up callbacks until `condition` holds; false if it never does. */
export async function collectUntil(condition: () => boolean): Promise<boolean> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('These tests need node --expose-gc');
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // What a WeakRef looked at stays alive until the end of the turn.
    await turn();
    gc();
    await turn();
    if (condition()) return true;
  }
  return false;
}

/** True when all of these objects can be collected. */
export function areCollected(...references: WeakRef<object>[]): Promise<boolean> {
  return collectUntil(() => references.every((reference) => reference.deref() === undefined));
}
