import { expect } from 'vitest';
import { startBalancer } from '../balancer.js';
import { ENGINES } from '../engines.js';
import { FaultCluster } from '../fault-cluster.js';
import { faultRow } from '../fault-row.js';
import { untilState } from '../fault-server.js';

for (const engine of ENGINES) {
  faultRow(
    {
      row: `23${engine.letter}`,
      fault: `kill -9 of one of two nodes on ${engine.name}`,
      inject: 'SIGKILL; a balancer gives its clients to the other one',
      holds: 'only its clients are cut, and connect to the other; nothing is missing there',
      limit: { of: 'recovery', ms: 5000 },
    },
    async (run) => {
      const { port } = await engine.start();
      const cluster = new FaultCluster(run);
      const balancer = await startBalancer();
      const left = await cluster.add(engine.membership(port));
      const killed = await cluster.add(engine.membership(port), { entrance: balancer });
      balancer.add(left.server.port);
      await cluster.calm();
      const since = performance.now();
      await killed.server.kill('SIGKILL');
      await run.heals(since);
      const all = left.load.clients.length + killed.load.clients.length;
      await untilState(left.server, ({ clients, isReady }) => clients === all && isReady, run.patienceMs);
      expect(killed.load.endingsSince(since)).toEqual({ 1006: killed.load.clients.length });
      expect(left.load.endingsSince(0)).toEqual({});
      expect(left.gaps).toEqual([]);
    },
  );
}
