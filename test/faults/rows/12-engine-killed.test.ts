import { expect } from 'vitest';
import { ENGINES } from '../engines.js';
import { FaultCluster } from '../fault-cluster.js';
import { faultRow } from '../fault-row.js';
import { pass } from '../fault-server.js';

for (const engine of ENGINES) {
  faultRow(
    {
      row: `12${engine.letter}`,
      fault: `kill -9 of ${engine.name} under two nodes`,
      inject: 'SIGKILL, started again after 2 s',
      holds:
        'nobody is cut; what the other node did not get was answered with an error or is in a gap that was told',
      limit: { of: 'recovery', ms: 5000 },
    },
    async (run) => {
      const { port, kill, start } = await engine.start();
      const cluster = new FaultCluster(run);
      for (let n = 0; n < 2; n += 1) await cluster.add(engine.membership(port));
      await cluster.calm();
      await kill();
      await cluster.degraded();
      await pass(2000);
      await start();
      await cluster.heals(performance.now());
      for (const { gaps } of cluster.nodes) expect(new Set(gaps).size).toBeGreaterThan(0);
    },
  );
}
