import { expect } from 'vitest';
import { faultRow } from '../fault-row.js';
import { pass, startFaultServer, untilState } from '../fault-server.js';
import { setupPath } from '../setup-path.js';

faultRow(
  {
    row: '4',
    fault: 'planned restart under load',
    inject: 'SIGTERM to a server that drains, another on its port when it has ended',
    holds:
      'everybody is closed with 1012, the process ends by itself, our clients lose no call that was sent',
    limit: { of: 'exit', ms: 15_000 },
  },
  async (run) => {
    const setup = setupPath('drains');
    const server = await startFaultServer({ setup });
    const load = await run.load({ port: server.port, pairs: 10, publishEveryMs: 100 });
    await pass(run.between(100, 1200));
    const before = performance.now();
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    run.took(performance.now() - before);
    const next = await startFaultServer({ port: server.port, setup });
    await run.heals(performance.now());
    const ours = load.clients.filter(({ name }) => name.startsWith('ours'));
    expect(ours.map(({ endings }) => endings.map(({ code }) => code))).toEqual(ours.map(() => [1012]));
    // The published client says 1005 when it has something to send between the close frame and the close.
    const { 1012: planned = 0, 1005: early = 0, ...others } = load.endingsSince(before);
    expect([planned + early, others]).toEqual([load.clients.length, {}]);
    // What it sends in that moment it loses; ours knows not to.
    expect(ours.map(({ unknownCalls }) => unknownCalls)).toEqual(ours.map(() => 0));
    await untilState(next, ({ clients }) => clients === load.clients.length, run.patienceMs);
    await run.end();
  },
);
