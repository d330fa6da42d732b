import { startTcpRelay } from '@socketcluster-ts/testkit';
import { expect } from 'vitest';
import type { Engine } from '../engines.js';
import { FaultCluster, MAX_BUFFERED_MESSAGES } from '../fault-cluster.js';
import { faultRow } from '../fault-row.js';
import { pass } from '../fault-server.js';

const LATENCY_MS = 500;

/** The rows of an engine that pauses, or is far away. */
export function slowRows(engine: Engine): void {
  faultRow(
    {
      row: `13${engine.letter}1`,
      fault: `${engine.name} pauses under two nodes`,
      inject: 'SIGSTOP for 1, 5 and 10 s',
      holds:
        'what waits at a node is bounded, the rest is answered with an error; after 1 s nothing is missing',
      limit: { of: 'recovery', ms: 10_000 },
    },
    async (run) => {
      const { port, signal } = await engine.start();
      const cluster = new FaultCluster(run);
      for (let n = 0; n < 2; n += 1) await cluster.add(engine.membership(port));
      for (const seconds of [1, 5, 10]) {
        await cluster.calm();
        signal('SIGSTOP');
        const [waited] = await Promise.all([
          cluster.lasts(seconds * 1000),
          seconds < 10 ? undefined : cluster.degraded(),
        ]);
        expect(waited).toBeGreaterThan(seconds < 10 ? 0 : MAX_BUFFERED_MESSAGES / 2);
        signal('SIGCONT');
        await cluster.heals(performance.now());
        if (seconds > 1) continue;
        for (const { gaps } of cluster.nodes) expect(gaps).toEqual([]);
        expect(await cluster.failedPublishes()).toBe(0);
      }
      expect(await cluster.failedPublishes()).toBeGreaterThan(0);
    },
  );
  faultRow(
    {
      row: `13${engine.letter}2`,
      fault: `${engine.name} is far away from one of two nodes`,
      inject: `${LATENCY_MS} ms in each direction`,
      holds: 'order is kept, nothing is missing, nobody is cut, and both nodes are ready',
    },
    async (run) => {
      const { port } = await engine.start();
      const far = await startTcpRelay(port, { latencyMs: LATENCY_MS });
      const cluster = new FaultCluster(run);
      await cluster.add(engine.membership(port));
      await cluster.add(engine.membership(far.port));
      await pass(run.between(3000, 5000));
      await cluster.heals(performance.now());
      for (const { gaps } of cluster.nodes) expect(gaps).toEqual([]);
      expect(await cluster.failedPublishes()).toBe(0);
    },
  );
}
