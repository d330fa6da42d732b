import { freePort } from '@socketcluster-ts/testkit/free-port';
import { Crowd, pass, peakPerSecond, percentile } from './crowd.mjs';
import { startHaproxy } from './haproxy.mjs';
import { ServerProcess } from './server-process.mjs';

/** Who restarts, and who is connected. */
export const PAIRS = [
  { label: 'ours', server: 'ours', library: 'ours' },
  { label: 'ours, published client', server: 'ours', library: 'published' },
  { label: 'published', server: 'upstream', library: 'published' },
];

const CALL_EVERY_MS = 100;

/**
 * Restarts two servers behind HAProxy, one after the other, while clients call; a pause in between lets all be back.
 * @param {{ label: string, server: 'ours' | 'upstream', library: 'ours' | 'published' }} pair
 * @param {number} count how many clients
 */
export async function measureRolling({ label, server, library }, count) {
  const servers = [];
  for (let index = 0; index < 2; index += 1) servers.push(new ServerProcess(server, await freePort()));
  for (const each of servers) await each.start();
  const proxy = await startHaproxy(servers.map(({ port }) => port));
  const crowd = new Crowd({ library, count, port: proxy.port, callEveryMs: CALL_EVERY_MS });
  try {
    await crowd.isComplete();
    await pass(2000);
    crowd.connects = [];
    const exitMs = [];
    for (const each of servers) {
      exitMs.push(await each.end('SIGTERM'));
      await each.start();
      await crowd.isComplete();
      // HAProxy looks every two seconds whether it is there again.
      await pass(5000);
    }
    const away = crowd.connects.map(({ awayMs }) => awayMs);
    const codes = {};
    for (const { code } of crowd.closes) codes[code] = (codes[code] ?? 0) + 1;
    return {
      label,
      clients: count,
      restarts: servers.length,
      awayMs: { median: percentile(away, 50), p99: percentile(away, 99), most: percentile(away, 100) },
      callsAnswered: crowd.answered,
      callsLost: crowd.failed.sent,
      callsFailedUnsent: crowd.failed.unsent,
      peakConnectsPerSecond: peakPerSecond(crowd.connects.map(({ at }) => at)),
      exitMs: Math.max(...exitMs),
      codes,
    };
  } finally {
    crowd.leave();
    await proxy.end();
    for (const each of servers) await each.end('SIGKILL');
  }
}
