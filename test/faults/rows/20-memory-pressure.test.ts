import { expect } from 'vitest';
import { faultRow } from '../fault-row.js';
import { pass, startFaultServer, untilState } from '../fault-server.js';
import { setupPath } from '../setup-path.js';
import { openNeverReading } from '../slow-clients.js';

const MIB = 1024 * 1024;
const HEAP_MIB = 256;
const READERS = 16;

faultRow(
  {
    row: '20',
    fault: 'memory pressure',
    inject: `a heap of ${HEAP_MIB} MiB, no budget for one client, and ${READERS} clients that never read`,
    holds: 'the budget for all clients cuts the largest, the process lives, and publishers go on',
  },
  async (run) => {
    const server = await startFaultServer({
      setup: setupPath('floods'),
      // As little as a client could be cut for by anything else: it may take its time, and as much as it likes.
      options: { limits: { outboundBudget: 0 }, pingTimeout: 60_000 },
      execArgv: [`--max-old-space-size=${HEAP_MIB}`],
    });
    const load = await run.load({ port: server.port, pairs: 4 });
    await pass(run.between(100, 1200));
    await openNeverReading(
      server.port,
      Array.from({ length: READERS }, (_, index) => `flood/${index}`),
    );
    const budget = (HEAP_MIB * MIB) / 4;
    let mostWaiting = 0;
    const { disconnections, mostResidentBytes } = await untilState(
      server,
      (state) => {
        mostWaiting = Math.max(mostWaiting, state.waitingBytes);
        return (state.disconnections[4010] ?? 0) >= READERS / 2;
      },
      60_000,
    );
    expect(Object.keys(disconnections)).toEqual(['4010']);
    expect(mostWaiting).toBeGreaterThan(budget / 2);
    // V8 has a few MiB more than it was given.
    expect(mostWaiting).toBeLessThan(budget * 1.3);
    expect(mostResidentBytes).toBeLessThan(2 * HEAP_MIB * MIB);
    await run.heals(performance.now());
    expect(load.endingsSince(0)).toEqual({});
    expect(server.exit).toBeUndefined();
  },
);
