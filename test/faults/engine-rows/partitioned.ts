import { expect } from 'vitest';
import type { Engine } from '../engines.js';
import { FaultCluster } from '../fault-cluster.js';
import { faultRow } from '../fault-row.js';
import { pass } from '../fault-server.js';
import { createNetworkNamespace } from '../network-namespace.js';

const WAYS = [
  ['both', 'every packet between two nodes and the engine'],
  ['out', 'every packet of the engine to two nodes'],
  ['in', 'every packet of two nodes to the engine'],
] as const;

/** The rows of an engine that the kernel cuts off from two nodes. */
export function partitionedRows(engine: Engine): void {
  for (const [index, [way, what]] of WAYS.entries()) {
    faultRow(
      {
        row: `14${engine.letter}${index + 5}`,
        fault: `a partition between two nodes and ${engine.name}`,
        inject: `a cable between two network namespaces swallows ${what}`,
        holds: 'both say that they are degraded, and afterwards that they are well; a gap is told',
        limit: { of: 'recovery', ms: 10_000 },
      },
      async (run) => {
        const namespace = createNetworkNamespace();
        const { port } = await engine.start(namespace);
        const cluster = new FaultCluster(run);
        for (let n = 0; n < 2; n += 1) await cluster.add(engine.membership(port, namespace.host));
        await cluster.calm();
        namespace.swallow(true, way);
        await cluster.degraded();
        await pass(run.between(0, 3000));
        namespace.swallow(false, way);
        await cluster.heals(performance.now());
        for (const { gaps } of cluster.nodes) expect(gaps.length).toBeGreaterThan(0);
      },
    );
  }
}
