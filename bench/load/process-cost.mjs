/** What the kernel says about a process: the same source for servers in Node and in Bun. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * The processor time of all threads of a process in microseconds, user and system. Exact while the process sleeps.
 * @param {number | 'self'} pid
 */
export function cpuMicros(pid) {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ', 1)[0]);
  }
  return nanoseconds / 1000;
}

/**
 * The resident memory of a process in bytes.
 * @param {number} pid
 */
export function residentBytes(pid) {
  const kilobytes = /^Rss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1];
  return Number(kilobytes) * 1024;
}
