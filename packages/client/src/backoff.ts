import type { AutoReconnectOptions } from './client-options.js';

/**
 * How long to wait before an attempt to connect, in milliseconds: a random time between two bounds that grow by the
 * multiplier with each attempt, and neither of which passes `maxDelay`.
 *
 * With an `initialDelay` of 0 that is full jitter: clients that lost their server at once come back spread over the
 * whole span. `attempt` counts from 0; `random` is from 0, below 1.
 */
export function backoff(attempt: number, options: Required<AutoReconnectOptions>, random: number): number {
  const { initialDelay, randomness, maxDelay } = options;
  // Infinity times an initialDelay of 0 would be no number.
  const growth = Math.min(options.multiplier ** attempt, Number.MAX_VALUE);
  const least = Math.min(initialDelay * growth, maxDelay);
  const most = Math.min((initialDelay + randomness) * growth, maxDelay);
  return Math.round(least + random * (most - least));
}

/**
 * The same as `socketcluster-client` 20 has it: the random time is drawn once, and what has grown beyond `maxDelay` is
 * `maxDelay`.
 */
export function backoffV20(attempt: number, options: Required<AutoReconnectOptions>, random: number): number {
  const { initialDelay, randomness, multiplier, maxDelay } = options;
  const first = Math.round(initialDelay + randomness * random);
  return Math.min(Math.round(first * Math.min(multiplier ** attempt, Number.MAX_VALUE)), maxDelay);
}
