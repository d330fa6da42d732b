import { freePort } from '@socketcluster-ts/testkit/free-port';
import { Connection } from '../load/connection.mjs';
import * as dialect from '../load/dialects/socket-cluster.mjs';
import { Faults } from '../load/faults.mjs';
import { inParallel } from '../load/open-connections.mjs';
import { pass, peakPerSecond, percentile } from './crowd.mjs';
import { ServerProcess } from './server-process.mjs';

/** Who is killed. */
export const KILLED = [
  { label: 'ours', server: 'ours' },
  { label: 'published', server: 'upstream' },
];

/** Everybody is back within so many ms. */
const WITHIN_MS = 1000;
const AT_ONCE = 64;

/**
 * Kills a server with many clients and starts another on its port, to which all come at once. The clients are no library: they do nothing but
 * the handshake, so that the server is what is measured.
 * @param {{ label: string, server: 'ours' | 'upstream' }} killed
 * @param {number} count how many clients
 */
export async function measureStorm({ label, server }, count) {
  const process = new ServerProcess(server, await freePort());
  await process.start();
  const target = { port: process.port, dialect, faults: new Faults() };
  const open = async (index) => {
    const connection = new Connection(target, `client ${index}`);
    connections.push(connection);
    await connection.open();
  };
  let connections = [];
  try {
    await inParallel(count, AT_ONCE, open);
    await pass(2000);
    const steady = await process.state();
    for (const connection of connections) connection.destroy();
    connections = [];
    await process.end('SIGKILL');
    await process.start();
    const since = performance.now();
    const [handshakes, connectedAt] = [[], []];
    let failed = 0;
    await inParallel(count, count, async (index) => {
      await pass(Math.random() * WITHIN_MS);
      const before = performance.now();
      try {
        await open(index);
        handshakes.push(performance.now() - before);
        connectedAt.push(performance.now());
      } catch {
        failed += 1;
      }
    });
    const backMs = performance.now() - since;
    const after = await process.state();
    return {
      label,
      clients: count,
      backMs,
      handshakeMs: { median: percentile(handshakes, 50), p99: percentile(handshakes, 99) },
      failed,
      peakConnectsPerSecond: peakPerSecond(connectedAt),
      memory: { steadyMiB: steady.rssBytes / 2 ** 20, peakMiB: after.peakRssBytes / 2 ** 20 },
    };
  } finally {
    for (const connection of connections) connection.destroy();
    await process.end('SIGKILL');
  }
}
