import { expect } from 'vitest';
import { faultRow } from '../fault-row.js';
import { pass, startFaultServer } from '../fault-server.js';

/** In the time that the fault lasts. */
const MOST_ATTEMPTS = 20;

faultRow(
  {
    row: '9',
    fault: 'the server refuses, then returns',
    inject: 'nobody listens for 6 s, while the clients have much to send',
    holds: `no client of ours tries more than ${MOST_ATTEMPTS} times, and all come back`,
  },
  async (run) => {
    const server = await startFaultServer();
    const load = await run.load({ port: server.port, publishEveryMs: 50 });
    await pass(run.between(100, 1200));
    const ours = load.clients.filter(({ name }) => name.startsWith('ours'));
    const before = ours.map(({ attempts }) => attempts);
    await server.kill('SIGKILL');
    await pass(6000);
    // The published client tries for each message that it is given to send; ours waits.
    const tries = ours.map(({ attempts }, index) => attempts - (before[index] ?? 0));
    expect(Math.max(...tries)).toBeLessThanOrEqual(MOST_ATTEMPTS);
    expect(Math.min(...tries)).toBeGreaterThanOrEqual(1);
    await startFaultServer({ port: server.port });
    await run.heals(performance.now());
    await run.end();
  },
);
