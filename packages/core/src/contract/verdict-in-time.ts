import { TimeoutError } from '@socketcluster-ts/streams';
import { Deadline, type DeadlineScheduler } from '../deadline.js';
import type { Checked } from './check-data.js';

/** As {@link Checked}, and perhaps without a verdict. */
export type Verdict = Checked | { readonly error: TimeoutError; readonly value?: undefined };

/** What waits for a schema. */
interface Waiting {
  readonly entry: string;
  readonly timeoutMs: number;
  readonly settle: (verdict: Verdict) => void;
}

/**
 * The verdict of a schema that takes its time, or a {@link TimeoutError}: a schema that never settles must not hold up
 * for ever what comes behind it. Never rejects.
 */
export function verdictInTime(
  checking: Promise<Checked>,
  entry: string,
  { scheduler, timeoutMs }: { readonly scheduler: DeadlineScheduler; readonly timeoutMs: number },
): Promise<Verdict> {
  return new Promise((settle) => {
    const deadline = new Deadline<Waiting>(giveUp, { entry, timeoutMs, settle });
    scheduler.schedule(deadline, timeoutMs);
    void checking.then((checked) => {
      scheduler.cancel(deadline);
      settle(checked);
    });
  });
}

function giveUp({ entry, timeoutMs, settle }: Waiting): void {
  settle({ error: new TimeoutError(`The data of ${entry} could not be checked within ${timeoutMs} ms`) });
}
