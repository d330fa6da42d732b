import type { AGAction } from './action.js';
import type { MiddlewareStream } from './middleware-stream.js';
import type { Verdict } from './verdict.js';

/** As `stream.judge()`, for those who wait in an async function. Never rejects; who calls emits what has to be emitted. */
export function runAction(stream: MiddlewareStream, action: AGAction): Promise<Verdict> {
  return new Promise((resolve) => stream.judge(action, { onVerdict: resolve }));
}
