/** Subscribers that read too slowly: what they have not read waits in the server, and must not delay others. */
import { openConnections } from '../open-connections.mjs';
import { residentBytes } from '../process-cost.mjs';
import { SequenceCheck } from '../sequence-check.mjs';
import { until } from '../until.mjs';

const READ_EVERY_MS = 100;

/**
 * Opens them. They read normally until `startSlowly()`.
 * @param {import('../run.mjs').Run} run
 * @param {number} count
 * @param {string} channel
 * @param {import('../payload.mjs').Payloads} payloads
 */
export async function openSlowReaders(run, count, channel, payloads) {
  const { faults, pid } = run;
  const connections = await openConnections(run, { count, name: 'slow reader', channelsOf: () => [channel] });
  const checks = connections.map((_, index) => new SequenceCheck(faults, `slow reader ${index}`));
  let sent = Number.MAX_SAFE_INTEGER;
  let isSlow = false;
  let timer;
  let residentBefore = 0;
  for (const [index, connection] of connections.entries()) {
    connection.onDelivery = (from, data) => {
      const number = from === channel ? payloads.numberIn(data) : -1;
      if (number === -1) faults.add('corrupted', `slow reader ${index} got something else`);
      checks[index].accept(number, sent);
      if (isSlow) connection.pause();
    };
  }
  return {
    /** From now on each of them reads once in a while. */
    startSlowly() {
      if (count === 0) return;
      isSlow = true;
      residentBefore = residentBytes(pid);
      for (const connection of connections) connection.pause();
      timer = setInterval(() => {
        for (const connection of connections) connection.resume();
      }, READ_EVERY_MS);
    },
    /**
     * Lets them read what has piled up, and checks that it is everything.
     * @param {number} total how many messages were sent
     * @param {number} stallMs
     */
    async drain(total, stallMs) {
      if (count === 0) return {};
      const grownBytes = residentBytes(pid) - residentBefore;
      const behind = checks.reduce((sum, check) => sum + total - check.next, 0) / count;
      isSlow = false;
      clearInterval(timer);
      for (const connection of connections) connection.resume();
      const progress = () => checks.reduce((sum, check) => sum + check.next, 0);
      await until(() => checks.every((check) => check.next === total), { progress, faults, stallMs });
      sent = total;
      for (const check of checks) check.finish(total);
      return { grownBytes, behind };
    },
  };
}
