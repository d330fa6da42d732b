import { startTcpRelay } from '@socketcluster-ts/testkit';
import { expect } from 'vitest';
import type { CheckedLoad } from '../checked-load.js';
import { type FaultRow, type FaultRun, faultRow } from '../fault-row.js';
import { type FaultServer, PING_TIMEOUT_MS, pass, startFaultServer, untilState } from '../fault-server.js';
import { createNetworkNamespace } from '../network-namespace.js';

const NOTICE_WITHIN_MS = PING_TIMEOUT_MS + 2000;
const PONG_TIMEOUT = 4001;

const ROW = {
  fault: 'a silent partition between clients and the server',
  holds: 'both sides notice, and the server frees connections and memory',
  limit: { of: 'notice', ms: NOTICE_WITHIN_MS },
} satisfies Partial<FaultRow>;

/** Both sides notice by themselves, and the server is left with `left` connections. */
async function noticed(run: FaultRun, server: FaultServer, cut: CheckedLoad, left: number): Promise<void> {
  const before = performance.now();
  const state = await untilState(
    server,
    ({ clients, connections }) => clients === left && connections === left,
    run.patienceMs,
  );
  run.took(performance.now() - before);
  expect(state.disconnections).toEqual({ [PONG_TIMEOUT]: cut.clients.length });
  const isNoticed = (): boolean => cut.countOfSilenceNoticed(before) === cut.clients.length;
  await run.checker.until(isNoticed, 'the clients to notice', run.patienceMs);
}

faultRow(
  {
    ...ROW,
    row: '6a',
    inject: 'a relay swallows all that some of them send and get; the others notice nothing',
  },
  async (run) => {
    const server = await startFaultServer();
    const relay = await startTcpRelay(server.port);
    const cut = await run.load({ port: relay.port, pairs: 4, prefix: 'cut-' });
    const others = await run.load({ port: server.port, pairs: 4 });
    await pass(run.between(100, 1200));
    relay.blackhole(true);
    await noticed(run, server, cut, others.clients.length);
    relay.cut();
    relay.blackhole(false);
    await run.heals(performance.now());
    expect(others.endingsSince(0)).toEqual({});
  },
);

faultRow(
  { ...ROW, row: '6b', inject: 'a cable between two network namespaces swallows every packet' },
  async (run) => {
    const { host, wrapper, swallow, connectionStates } = createNetworkNamespace();
    const server = await startFaultServer({ host, wrapper });
    const cut = await run.load({ host, port: server.port, pairs: 4 });
    await pass(run.between(100, 1200));
    swallow(true);
    await noticed(run, server, cut, 0);
    // Nor does the kernel go on sending to those who are gone.
    expect(connectionStates()).toEqual([]);
    swallow(false);
    await run.heals(performance.now());
  },
);
