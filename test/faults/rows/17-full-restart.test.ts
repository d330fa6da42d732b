import { type AGClientSocket, create } from '@socketcluster-ts/client';
import { afterTest, until } from '@socketcluster-ts/testkit';
import { expect } from 'vitest';
import { faultRow } from '../fault-row.js';
import { pass, startFaultServer, untilState } from '../fault-server.js';

const IDLE_CLIENTS = 1000;
const BACK_DEADLINE_MS = 60_000;
/** The most that the heap of the server may grow, for the same clients. */
const MOST_GROWTH = 1.5;

faultRow(
  {
    row: '17',
    fault: 'full restart with a thousand clients',
    inject: 'SIGKILL, another on its port after 1 s; all come back within a second',
    holds: 'nobody is refused, nobody fails after the upgrade, the server needs no more memory than before',
    limit: { of: 'recovery', ms: 30_000 },
  },
  async (run) => {
    const server = await startFaultServer();
    const load = await run.load({ port: server.port, pairs: 4 });
    const crowd = Array.from({ length: IDLE_CLIENTS }, () => member(server.port));
    const everybody = IDLE_CLIENTS + load.clients.length;
    const steady = await untilState(server, ({ clients }) => clients === everybody, BACK_DEADLINE_MS);
    await server.kill('SIGKILL');
    await pass(1000);
    const next = await startFaultServer({ port: server.port });
    const since = performance.now();
    const after = await untilState(next, ({ clients }) => clients === everybody, BACK_DEADLINE_MS);
    run.took(performance.now() - since);
    await run.heals(since);
    // The server counts a client before that has read the answer.
    await until(() => crowd.every(({ state }) => state === 'open'), BACK_DEADLINE_MS);
    expect(after.heapBytes).toBeLessThan(steady.heapBytes * MOST_GROWTH);
    expect([next.exit, after.pendingClients, after.disconnections]).toEqual([undefined, 0, {}]);
    await run.end();
  },
);

/** One of the crowd: it listens to nothing. */
function member(port: number): AGClientSocket {
  const client = create({
    hostname: '127.0.0.1',
    port,
    // On a busy machine it may take a while until a thousand have had their turn.
    connectTimeout: BACK_DEADLINE_MS,
    autoReconnectOptions: { initialDelay: 100, randomness: 900, multiplier: 1, maxDelay: 1000 },
  });
  afterTest(() => client.disconnect());
  return client;
}
