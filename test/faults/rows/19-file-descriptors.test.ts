import { execFileSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { afterTest, programPath, requestUpgrade } from '@socketcluster-ts/testkit';
import { expect } from 'vitest';
import { faultRow } from '../fault-row.js';
import { pass, startFaultServer, untilState } from '../fault-server.js';

const DESCRIPTORS = 256;

faultRow(
  {
    row: '19',
    fault: 'out of file descriptors',
    inject: `a process that may have ${DESCRIPTORS} of them, and 400 connections that ask for one`,
    holds:
      'new connections fail softly, those that are there work, and when some have gone new ones are taken',
  },
  async (run) => {
    const server = await startFaultServer();
    execFileSync(programPath('prlimit'), ['--pid', String(server.process.pid), `--nofile=${DESCRIPTORS}`]);
    const load = await run.load({ port: server.port, pairs: 6 });
    const before = performance.now();
    const flood = Array.from({ length: 400 }, () => openConnection(server.port));
    await untilState(server, ({ connections }) => connections > DESCRIPTORS / 2, run.patienceMs);
    await pass(run.between(1000, 2000));
    // Nobody who is connected has lost the connection, and everybody is served.
    await run.heals(performance.now());
    expect(load.endingsSince(before)).toEqual({});
    for (const socket of flood) socket.destroy();
    await untilState(server, ({ connections }) => connections < DESCRIPTORS / 2, run.patienceMs);
    expect(await requestUpgrade(server.port)).toMatchObject({ status: 101 });
    expect(server.exit).toBeUndefined();
    await run.end();
  },
);

/** Connects and says nothing; whether it is taken is not of interest. */
function openConnection(port: number): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  afterTest(() => socket.destroy());
  return socket;
}
