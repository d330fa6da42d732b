import { startTcpRelay } from '@socketcluster-ts/testkit';
import { expect } from 'vitest';
import { faultRow } from '../fault-row.js';
import { pass, startFaultServer } from '../fault-server.js';

faultRow(
  {
    row: '8',
    fault: 'latency and jitter',
    inject: '150 ms and up to 150 ms more in each direction, for 6 s',
    holds: 'the order is kept and nobody is cut off',
  },
  async (run) => {
    const server = await startFaultServer();
    const { random } = run;
    const relay = await startTcpRelay(server.port, { latencyMs: 150, jitterMs: 150, random });
    const load = await run.load({ port: relay.port });
    await pass(6000);
    await run.heals(performance.now());
    expect(load.endingsSince(0)).toEqual({});
    const { cutOff, missedAway, unknown, refused } = await run.end();
    expect({ cutOff, missedAway, unknown, refused }).toEqual({
      cutOff: 0,
      missedAway: 0,
      unknown: 0,
      refused: 0,
    });
  },
);
