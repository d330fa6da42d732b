import { expect } from 'vitest';
import { faultRow } from '../fault-row.js';
import { PING_TIMEOUT_MS, pass, startFaultServer, untilState } from '../fault-server.js';

faultRow(
  {
    row: '2',
    fault: 'the server is paused for longer than pingTimeout',
    inject: 'SIGSTOP for 10 s',
    holds: 'all clients notice, come back, and leave no ghosts',
    limit: { of: 'recovery', ms: 5000 },
  },
  async (run) => {
    const server = await startFaultServer();
    const load = await run.load({ port: server.port });
    await pass(run.between(100, 1200));
    const before = performance.now();
    server.pause();
    await pass(10_000);
    // Everybody was told by its own clock, and by nothing else.
    expect(load.countOfSilenceNoticed(before)).toBe(load.clients.length);
    const noticedAfter = load.clients.map(({ endings }) => (endings.at(-1)?.at ?? 0) - before);
    expect(Math.min(...noticedAfter)).toBeGreaterThan(PING_TIMEOUT_MS - 1000 - 100);
    server.resume();
    await run.heals(performance.now());
    const state = await untilState(
      server,
      ({ clients, pendingClients, connections }) =>
        clients === load.clients.length && pendingClients === 0 && connections === clients,
      10_000,
    );
    expect(state.clients).toBe(load.clients.length);
  },
);
