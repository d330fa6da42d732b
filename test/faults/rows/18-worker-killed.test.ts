import { expect } from 'vitest';
import { startFaultPool } from '../fault-pool.js';
import { faultRow } from '../fault-row.js';
import { pass } from '../fault-server.js';

faultRow(
  {
    row: '18',
    fault: 'kill -9 of a worker of serve()',
    inject: 'SIGKILL of one of two',
    holds: 'only its clients are cut, it is replaced, and nothing is missing between those that stay',
    limit: { of: 'recovery', ms: 2000 },
  },
  async (run) => {
    const pool = await startFaultPool(2);
    const load = await run.load({ port: pool.port, acrossNodes: true });
    await pass(run.between(100, 1200));
    const served = await Promise.all(
      load.clients.map(({ socket }) => socket.invoke('who') as Promise<number>),
    );
    const victim = pool.workers[0]?.pid ?? 0;
    const its = load.clients.filter((_, index) => served[index] === victim);
    expect(its.length).toBeGreaterThan(0);
    expect(its.length).toBeLessThan(load.clients.length);
    const since = performance.now();
    process.kill(victim, 'SIGKILL');
    await pool.replaced(victim, run.patienceMs);
    await run.heals(since);
    expect(load.endingsSince(since)).toEqual({ 1006: its.length });
    for (const { endings } of its) expect(endings).toHaveLength(1);
    expect(pool.process.exitCode).toBeNull();
    const pids = await Promise.all(load.clients.map(({ socket }) => socket.invoke('who')));
    expect(pids).not.toContain(victim);
  },
);
