import { create } from '@socketcluster-ts/client';
import { afterTest, startTcpRelay } from '@socketcluster-ts/testkit';
import { expect } from 'vitest';
import { type FaultRow, type FaultRun, faultRow } from '../fault-row.js';
import { type FaultServer, pass, startFaultServer, untilState } from '../fault-server.js';
import { setupPath } from '../setup-path.js';
import { latencyOf, openNeverReading, openSubscriber } from '../slow-clients.js';

const MIB = 1024 * 1024;
const READS_TOO_SLOWLY = 4010;
const SLOW = 5;

const ROW = {
  fault: 'clients that read too slowly, while much is published to them',
  holds: 'the slow ones are cut off at their budget, and the others notice nothing',
  limit: { of: 'latency', ms: 200 },
} satisfies Partial<FaultRow>;

/** The time in which they would be found dead is another row. */
const SERVER = { setup: setupPath('floods'), options: { pingTimeout: 60_000 } };

/** The slow ones are cut while everybody else is served as ever. */
async function bears(run: FaultRun, server: FaultServer, slow: () => Promise<unknown>): Promise<void> {
  const load = await run.load({ port: server.port, pairs: 4 });
  const probe = create({ port: server.port });
  afterTest(() => probe.disconnect());
  await pass(run.between(100, 1200));
  await slow();
  let isOver = false;
  let mostWaiting = 0;
  const latency = latencyOf(
    () => probe.invoke('echo', 1),
    () => !isOver,
  );
  latency.catch(() => {});
  const state = await untilState(
    server,
    ({ disconnections, waitingBytes }) => {
      mostWaiting = Math.max(mostWaiting, waitingBytes);
      return disconnections[READS_TOO_SLOWLY] === SLOW && waitingBytes === 0;
    },
    run.patienceMs,
  );
  isOver = true;
  run.took(await latency);
  expect(state.disconnections).toEqual({ [READS_TOO_SLOWLY]: SLOW });
  expect(mostWaiting).toBeGreaterThan(0);
  expect(mostWaiting).toBeLessThan(SLOW * 5 * MIB);
  expect(load.endingsSince(0)).toEqual({});
}

faultRow({ ...ROW, row: '7a', inject: `${SLOW} clients stop reading` }, async (run) => {
  const server = await startFaultServer(SERVER);
  const channels = Array.from({ length: SLOW }, (_, index) => `flood/${index}`);
  await bears(run, server, () => openNeverReading(server.port, channels));
});

faultRow({ ...ROW, row: '7b', inject: `${SLOW} clients are behind a network of 40 kB/s` }, async (run) => {
  const server = await startFaultServer(SERVER);
  const relay = await startTcpRelay(server.port, { bytesPerSecond: 40_000 });
  await bears(run, server, () =>
    Promise.all(Array.from({ length: SLOW }, () => openSubscriber(relay.port, 'flood/all'))),
  );
});
