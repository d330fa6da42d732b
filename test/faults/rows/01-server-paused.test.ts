import { expect } from 'vitest';
import { faultRow } from '../fault-row.js';
import { pass, startFaultServer, untilState } from '../fault-server.js';

faultRow(
  {
    row: '1',
    fault: 'the server is paused for less than pingTimeout',
    inject: 'SIGSTOP for 2 s',
    holds: 'nobody is cut off, nothing is lost or doubled',
  },
  async (run) => {
    // The pause and the time between two pings must together be clearly less than the timeout.
    const server = await startFaultServer({ options: { pingInterval: 250 } });
    const load = await run.load({ port: server.port });
    await pass(run.between(100, 1200));
    const before = performance.now();
    server.pause();
    await pass(2000);
    server.resume();
    await run.heals(performance.now());
    // A pong that was late is noticed by now.
    await pass(1000);
    expect(load.endingsSince(before)).toEqual({});
    await untilState(server, ({ clients }) => clients === load.clients.length, 5000);
    const { cutOff, missedAway, unknown, refused } = await run.end();
    expect({ cutOff, missedAway, unknown, refused }).toEqual({
      cutOff: 0,
      missedAway: 0,
      unknown: 0,
      refused: 0,
    });
  },
);
