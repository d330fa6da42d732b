import { type Checked, Deadline, TimeoutError } from '@socketcluster-ts/core';
import type { SocketHost } from './socket-context.js';

/** As {@link Checked}, and perhaps without a verdict. */
export type Verdict = Checked | { readonly error: TimeoutError; readonly value?: undefined };

/** What waits for a schema. */
interface Waiting {
  readonly entry: string;
  readonly timeoutMs: number;
  readonly settle: (verdict: Verdict) => void;
}

/**
 * The verdict of a schema that takes its time, after `ackTimeout` at the latest: who waits for an answer does not wait
 * longer, and a schema that never settles must not hold up the connection for ever. Never rejects.
 */
export function verdictInTime(
  server: SocketHost,
  entry: string,
  checking: Promise<Checked>,
): Promise<Verdict> {
  return new Promise((settle) => {
    const deadline = new Deadline<Waiting>(giveUp, { entry, timeoutMs: server.ackTimeout, settle });
    server.deadlines.schedule(deadline, server.ackTimeout);
    void checking.then((checked) => {
      server.deadlines.cancel(deadline);
      settle(checked);
    });
  });
}

function giveUp({ entry, timeoutMs, settle }: Waiting): void {
  settle({ error: new TimeoutError(`The data of ${entry} could not be checked within ${timeoutMs} ms`) });
}
