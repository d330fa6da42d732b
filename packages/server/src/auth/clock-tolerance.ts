/** The most seconds by which the clocks of servers may differ; a token must not outlive its `exp` by more. */
export const MAX_CLOCK_TOLERANCE = 60;

/**
 * Gives the tolerance in force, in seconds from 0 to 60. One that is no number would make every comparison false, and
 * with it every token valid for ever, so it counts as 0.
 */
export function clockTolerance(seconds: unknown): number {
  return typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, MAX_CLOCK_TOLERANCE) : 0;
}
