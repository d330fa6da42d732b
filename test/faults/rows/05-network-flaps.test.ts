import { startTcpRelay } from '@socketcluster-ts/testkit';
import { expect } from 'vitest';
import { faultRow } from '../fault-row.js';
import { pass, startFaultServer, untilState } from '../fault-server.js';

const FLAPS = 10;

faultRow(
  {
    row: '5',
    fault: 'the network of the clients flaps',
    inject: '10 × RST of all connections',
    holds: 'counts are exact, all come back, nothing is doubled',
    limit: { of: 'recovery', ms: 2000 },
  },
  async (run) => {
    const server = await startFaultServer();
    const relay = await startTcpRelay(server.port);
    const load = await run.load({ port: relay.port });
    for (let flap = 0; flap < FLAPS; flap += 1) {
      await pass(run.between(50, 1000));
      relay.reset();
    }
    await run.heals(performance.now());
    const state = await untilState(
      server,
      ({ clients, pendingClients, connections }) =>
        clients === load.clients.length && pendingClients === 0 && connections === clients,
      5000,
    );
    // Every connection that began has ended, but for those that stand.
    const ended = Object.values(state.disconnections).reduce((sum, count) => sum + count, 0);
    const connected = load.clients.reduce((sum, { connects }) => sum + connects, 0);
    expect(ended).toBeGreaterThanOrEqual(connected - load.clients.length);
    expect(ended).toBeLessThanOrEqual(relay.connectionCount - load.clients.length);
    expect(Math.max(...load.clients.map(({ endings }) => endings.length))).toBeGreaterThan(FLAPS / 4);
  },
);
