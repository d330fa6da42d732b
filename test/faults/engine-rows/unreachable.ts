import { startTcpRelay, type TcpRelay } from '@socketcluster-ts/testkit';
import { expect } from 'vitest';
import type { Engine } from '../engines.js';
import { FaultCluster } from '../fault-cluster.js';
import { faultRow } from '../fault-row.js';
import { pass } from '../fault-server.js';

interface Partition {
  readonly inject: string;
  begin(relay: TcpRelay): void;
  end(relay: TcpRelay): void;
}

const HOLDS =
  'that node says that it is degraded, and afterwards that it is well; what is missing was answered with an error or is in a gap that was told; the other node serves its own';

const PARTITIONS: readonly Partition[] = [
  {
    inject: 'a relay swallows all that one node and the engine send each other',
    begin: (relay) => relay.blackhole(true),
    end: (relay) => relay.blackhole(false),
  },
  {
    inject: 'a relay swallows what the engine sends to one node',
    begin: (relay) => relay.swallow('server'),
    end: () => {},
  },
  {
    inject: 'a relay swallows what one node sends to the engine',
    begin: (relay) => relay.swallow('client'),
    end: () => {},
  },
];

/** The rows of an engine that a relay cuts off from one of two nodes. */
export function unreachableRows(engine: Engine): void {
  for (const [index, { inject, begin, end }] of PARTITIONS.entries()) {
    faultRow(
      {
        row: `14${engine.letter}${index + 1}`,
        fault: `a silent partition between a node and ${engine.name}`,
        inject,
        holds: HOLDS,
        limit: { of: 'recovery', ms: 10_000 },
      },
      async (run) => {
        const { port } = await engine.start();
        const relay = await startTcpRelay(port);
        const cluster = new FaultCluster(run);
        const cut = await cluster.add(engine.membership(relay.port));
        const other = await cluster.add(engine.membership(port));
        await cluster.calm();
        begin(relay);
        await cluster.degraded([cut]);
        // It is in vain that the node connects again meanwhile.
        await pass(run.between(0, 3000));
        end(relay);
        await cluster.heals(performance.now());
        expect(cut.gaps.length).toBeGreaterThan(0);
        expect(other.gaps).toEqual([]);
      },
    );
  }
  faultRow(
    {
      row: `14${engine.letter}4`,
      fault: `the network between a node and ${engine.name} flaps`,
      inject: '5 × RST of the connections of one node',
      holds: HOLDS,
      limit: { of: 'recovery', ms: 5000 },
    },
    async (run) => {
      const { port } = await engine.start();
      const relay = await startTcpRelay(port);
      const cluster = new FaultCluster(run);
      const cut = await cluster.add(engine.membership(relay.port));
      const other = await cluster.add(engine.membership(port));
      for (let flap = 0; flap < 5; flap += 1) {
        await pass(run.between(50, 1000));
        relay.reset();
      }
      await cluster.heals(performance.now());
      expect(cut.gaps.length).toBeGreaterThan(0);
      expect(other.gaps).toEqual([]);
    },
  );
}
