import { expect } from 'vitest';
import { faultRow } from '../fault-row.js';
import { pass, startFaultServer, untilState } from '../fault-server.js';
import { setupPath } from '../setup-path.js';
import { failedCall, refusedHandshake } from '../troubled-clients.js';

const HANDSHAKE_TIMEOUT_MS = 2000;
/** What a caller is told of a middleware that failed: no details. */
const FAILED = 'SilentMiddlewareBlockedError';
const TROUBLES = ['hang', 'throw', 'reject', 'block'] as const;

faultRow(
  {
    row: '21',
    fault: 'a middleware never settles, throws or rejects',
    inject: 'four clients each whose handshake or call runs into that',
    holds: 'their sockets are freed by handshakeTimeout, each failure is an event, the others notice nothing',
    limit: { of: 'cut', ms: HANDSHAKE_TIMEOUT_MS + 500 },
  },
  async (run) => {
    const options = { handshakeTimeout: HANDSHAKE_TIMEOUT_MS };
    const server = await startFaultServer({ setup: setupPath('troubled-middleware'), options });
    const load = await run.load({ port: server.port });
    const troubled = Array.from({ length: 4 }, async () => {
      await pass(run.between(0, 1500));
      const begun = performance.now();
      const handshakes = await Promise.all(TROUBLES.map((trouble) => refusedHandshake(server.port, trouble)));
      run.took(performance.now() - begun);
      const calls = await Promise.all(TROUBLES.map((trouble) => failedCall(server.port, trouble)));
      return { handshakes, calls };
    });
    for (const { handshakes, calls } of await Promise.all(troubled)) {
      // 4005 is the handshake timeout, 4008 a refused handshake.
      expect(handshakes).toEqual([4005, 4008, 4008, 4008]);
      expect(calls).toEqual(['TimeoutError', FAILED, FAILED, 'Error']);
    }
    await run.heals(performance.now());
    expect(load.endingsSince(0)).toEqual({});
    const { warnings } = await untilState(
      server,
      ({ clients, pendingClients, connections }) =>
        clients === load.clients.length && pendingClients === 0 && connections === clients,
      run.patienceMs,
    );
    // All but the calls that hang.
    expect(warnings).toBeGreaterThanOrEqual(4 * (2 * TROUBLES.length - 1));
  },
);
