import { WireClient } from '@socketcluster-ts/testkit';
import jwt from 'jsonwebtoken';
import { expect } from 'vitest';
import { type FaultRun, faultRow } from '../fault-row.js';
import { type FaultServer, pass, startFaultServer, untilState } from '../fault-server.js';
import { setupPath } from '../setup-path.js';

const HOUR_S = 3600;
const DEADLINE_MS = 15_000;
const ACK_TIMEOUT_MS = 500;
const authKey = 'a secret of at least thirty-two bytes';

/** What became of a call that nobody answers, and after how long. */
interface Unanswered {
  readonly outcome: string;
  readonly ms: number;
}

async function startOnClock(): Promise<FaultServer> {
  return startFaultServer({ setup: setupPath('clock'), options: { authKey } });
}

/** A client with a token that has so many seconds left. */
async function logIn(server: FaultServer, sub: string, secondsLeft: number): Promise<WireClient> {
  const client = await WireClient.connect(`ws://${server.host}:${server.port}/socketcluster/`);
  await client.handshake(jwt.sign({ sub }, authKey, { expiresIn: secondsLeft }));
  return client;
}

/** Sets the clock of the server, and resolves when connections and timers had time to be cut by it, which they are not. */
async function setClock(run: FaultRun, server: FaultServer, seconds: number): Promise<void> {
  const load = await run.load({ port: server.port });
  await pass(run.between(100, 1200));
  const before = performance.now();
  const operator = await logIn(server, 'operator', 24 * HOUR_S);
  await operator.call('set clock', seconds, DEADLINE_MS);
  await run.heals(performance.now());
  // Longer than pingTimeout: a heartbeat on the wall clock has noticed by now.
  await operator.pinged(operator.pings + 4, DEADLINE_MS);
  expect(load.endingsSince(before)).toEqual({});
  expect(operator.closeInfo).toBeUndefined();
  const { outcome, ms } = (await operator.call('call me', ACK_TIMEOUT_MS, DEADLINE_MS)).data as Unanswered;
  expect(outcome).toBe('TimeoutError');
  expect(ms).toBeGreaterThanOrEqual(ACK_TIMEOUT_MS - 1);
  await untilState(server, ({ clients }) => clients > load.clients.length, DEADLINE_MS);
}

async function who(client: WireClient): Promise<unknown> {
  return (await client.call('who', undefined, DEADLINE_MS)).data ?? null;
}

faultRow(
  {
    row: '10a',
    fault: 'the clock of the server is set ahead',
    inject: 'Date shifted by +1 h in the process',
    holds: 'tokens expire that last less, others stay; connections and timers are not affected',
  },
  async (run) => {
    const server = await startOnClock();
    const short = await logIn(server, 'short', HOUR_S / 2);
    const long = await logIn(server, 'long', 2 * HOUR_S);
    expect([await who(short), await who(long)]).toEqual(['short', 'long']);
    await setClock(run, server, HOUR_S);
    await short.next(({ event }) => event === '#removeAuthToken', DEADLINE_MS);
    expect([await who(short), await who(long)]).toEqual([null, 'long']);
    await run.end();
  },
);

faultRow(
  {
    row: '10b',
    fault: 'the clock of the server is set back',
    inject: 'Date shifted by -1 h in the process',
    holds: 'tokens stay beyond what was their time; connections and timers are not affected',
  },
  async (run) => {
    const server = await startOnClock();
    const exp = Math.ceil(Date.now() / 1000) + 6;
    const client = await logIn(server, 'short', exp - Math.floor(Date.now() / 1000));
    await setClock(run, server, -HOUR_S);
    await pass(Math.max(0, exp * 1000 + 1000 - Date.now()));
    expect(await who(client)).toBe('short');
    await run.end();
  },
);
