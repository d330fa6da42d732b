import { BadConnectionError } from '@socketcluster-ts/core';

/** What who sent an event is told when the connection is not open any more, or not yet (`'connectAbort'`). */
export function abortedEvent(
  event: string,
  type: 'disconnect' | 'connectAbort',
  code?: number,
  reason?: string,
): BadConnectionError {
  return new BadConnectionError(`Event ${event} was aborted due to a bad connection`, type, code, reason);
}
