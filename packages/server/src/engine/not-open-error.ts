import { withoutStack } from './without-stack.js';

const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];

/** What is said of a message for a connection that is not open; `readyState` is that of a WebSocket. */
export function notOpenError(readyState: number): Error {
  // The text of `ws` for the same case: applications match it.
  const message = `WebSocket is not open: readyState ${readyState} (${STATES[readyState] ?? ''})`;
  return withoutStack(() => new Error(message));
}
