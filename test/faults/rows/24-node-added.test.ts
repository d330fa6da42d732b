import { expect } from 'vitest';
import { startBalancer } from '../balancer.js';
import { ENGINES } from '../engines.js';
import { FaultCluster } from '../fault-cluster.js';
import { faultRow } from '../fault-row.js';
import { untilState } from '../fault-server.js';
import { setupPath } from '../setup-path.js';

for (const engine of ENGINES) {
  faultRow(
    {
      row: `24${engine.letter}`,
      fault: `a cluster on ${engine.name} grows and shrinks`,
      inject: 'a third node with clients of its own, which then drains and ends',
      holds: 'its clients go to another node with 1012; nobody else notices, and nothing is missing',
      limit: { of: 'recovery', ms: 5000 },
    },
    async (run) => {
      const { port } = await engine.start();
      const cluster = new FaultCluster(run);
      const staying = [
        await cluster.add(engine.membership(port)),
        await cluster.add(engine.membership(port)),
      ];
      await cluster.calm();
      const balancer = await startBalancer();
      const third = await cluster.add(engine.membership(port), {
        setup: setupPath('drains'),
        entrance: balancer,
      });
      await cluster.calm();
      for (const { server } of staying) balancer.add(server.port);
      balancer.remove(third.server.port);
      const { code } = await third.server.kill('SIGTERM');
      expect(code).toBe(0);
      await run.heals(performance.now());
      for (const { name, endings } of third.load.clients) {
        // The published client that has something to send while it is being closed says 1005 to itself.
        const allowed = name.includes('published') ? [1012, 1005] : [1012];
        expect(endings.map((ending) => ending.code)).toEqual([expect.toBeOneOf(allowed)]);
      }
      let clients = 0;
      for (const { server, load, gaps } of staying) {
        const state = await untilState(server, ({ isReady }) => isReady, run.patienceMs);
        clients += state.clients;
        expect(load.endingsSince(0)).toEqual({});
        expect(gaps).toEqual([]);
      }
      expect(clients).toBe(3 * third.load.clients.length);
    },
  );
}
