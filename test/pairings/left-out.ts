import { isOracleMode } from '@socketcluster-ts/testkit';
import { getCurrentTest } from 'vitest/suite';
import { isPublishedClient } from './client-under-test.js';

/** An end of a connection, as far as it matters who wrote it. */
export type End = 'our client' | 'our server' | 'the published client' | 'the published server';

const present: ReadonlySet<End> = new Set<End>([
  isPublishedClient ? 'the published client' : 'our client',
  isOracleMode ? 'the published server' : 'our server',
]);

declare module 'vitest' {
  interface TaskMeta {
    /** Why the test does not hold for the ends of this run. */
    leftOut?: string;
  }
}

/**
 * Ends the current test without a verdict when `end` takes part in this run; `because` says what about it makes the
 * test meaningless. The run counts and lists what was left out.
 *
 * To be called before anything else: what the test has opened before would stay open.
 */
export function leaveOutWith(end: End, because: string): void {
  if (!present.has(end)) return;
  const test = getCurrentTest();
  if (test === undefined) throw new Error('leaveOutWith() is called by a test');
  test.meta.leftOut = `${end}: ${because}`;
  test.context.skip(test.meta.leftOut);
}
