import { expect } from 'vitest';
import { faultRow } from '../fault-row.js';
import { pass, startFaultServer, untilState } from '../fault-server.js';

faultRow(
  {
    row: '3',
    fault: 'kill -9 of the server under load',
    inject: 'SIGKILL, another on its port after 2 s',
    holds: 'all 30 come back; nothing is doubled or out of order; what was not acknowledged fails',
    limit: { of: 'recovery', ms: 5000 },
  },
  async (run) => {
    const server = await startFaultServer();
    const load = await run.load({ port: server.port, pairs: 15 });
    await pass(run.between(100, 1200));
    const before = performance.now();
    await server.kill('SIGKILL');
    await pass(2000);
    const next = await startFaultServer({ port: server.port });
    await run.heals(performance.now());
    const endings = load.endingsSince(before);
    expect(Object.keys(endings)).toEqual(['1006']);
    await untilState(next, ({ clients }) => clients === load.clients.length, 5000);
    const { pending } = await run.end();
    expect(pending).toBe(0);
  },
);
