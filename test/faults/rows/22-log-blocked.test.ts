import { closeSync, openSync } from 'node:fs';
import { afterTest } from '@socketcluster-ts/testkit';
import { expect } from 'vitest';
import { type FaultRun, faultRow } from '../fault-row.js';
import { type FaultServerOptions, pass, startFaultServer } from '../fault-server.js';
import { setupPath } from '../setup-path.js';
import { failedCall, refusedHandshake } from '../troubled-clients.js';

/** What the kernel keeps of a pipe that nobody reads, at least. */
const LEAST_PIPE_BYTES = 4096;

/** Serves a load and gives the server all reasons to warn, with a log that takes nothing. */
async function serveWithoutLog(run: FaultRun, stderr: FaultServerOptions['stderr']) {
  const server = await startFaultServer({
    setup: setupPath('troubled-middleware'),
    options: { authKey: 'short', handshakeTimeout: 1000 },
    stderr: stderr ?? 'kept',
  });
  const load = await run.load({ port: server.port });
  for (let round = 0; round < 3; round += 1) {
    await pass(run.between(50, 300));
    await Promise.all([
      ...(['throw', 'block', 'hang'] as const).map((trouble) => refusedHandshake(server.port, trouble)),
      ...(['throw', 'reject', 'block'] as const).map((trouble) => failedCall(server.port, trouble)),
    ]);
  }
  await run.heals(performance.now());
  expect((await server.state()).warnings).toBeGreaterThan(12);
  expect(load.endingsSince(0)).toEqual({});
  expect(server.exit).toBeUndefined();
  return server;
}

faultRow(
  {
    row: '22a',
    fault: 'nobody reads the log',
    inject: 'the error output is a pipe that is not read, while everything is done to be warned of',
    holds: 'no stall; the few lines that are written fit into any pipe',
  },
  async (run) => {
    const server = await serveWithoutLog(run, 'unread');
    let bytes = 0;
    server.process.stderr?.on('data', (chunk: Buffer) => (bytes += chunk.length));
    const ended = new Promise((resolve) => server.process.stderr?.once('end', resolve));
    await run.end();
    await server.kill();
    await ended;
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(LEAST_PIPE_BYTES);
  },
);

faultRow(
  {
    row: '22b',
    fault: 'the disk of the log is full',
    inject: 'the error output is a full device',
    holds: 'no stall and no crash',
  },
  async (run) => {
    const full = openSync('/dev/full', 'w');
    afterTest(() => closeSync(full));
    await serveWithoutLog(run, full);
  },
);
