import { WireClient } from '@socketcluster-ts/testkit';
import jwt from 'jsonwebtoken';
import { expect } from 'vitest';
import { faultRow } from '../fault-row.js';
import { startFaultServer } from '../fault-server.js';

const SKEW_S = 5;
const DEADLINE_MS = 15_000;
const authKey = 'a secret of at least thirty-two bytes';
const NOTHING = { expired: undefined, early: undefined };

/** What servers say about tokens from a clock that is 5 s off, in either direction. */
async function refusals(port: number): Promise<Record<keyof typeof NOTHING, unknown>> {
  const now = Math.floor(Date.now() / 1000);
  const outcomes: Record<keyof typeof NOTHING, unknown> = { ...NOTHING };
  for (const [kind, claims] of [
    ['expired', { exp: now - SKEW_S }],
    ['early', { nbf: now + SKEW_S }],
  ] as const) {
    const client = await WireClient.connect(`ws://127.0.0.1:${port}/socketcluster/`);
    const { data } = await client.handshake(jwt.sign(claims, authKey));
    const { authError } = data as { authError?: { message: string } };
    outcomes[kind] = authError?.message;
    // A refused token is no reason to be cut off.
    expect((await client.call('echo', kind, DEADLINE_MS)).data).toBe(kind);
    client.terminate();
  }
  return outcomes;
}

faultRow(
  {
    row: '11',
    fault: 'tokens come from a clock that is wrong',
    inject: `exp ${SKEW_S} s ago, nbf in ${SKEW_S} s`,
    holds: 'refused with a clear error, accepted within authClockTolerance; the others notice nothing',
  },
  async (run) => {
    const strict = await startFaultServer({ options: { authKey } });
    const tolerant = await startFaultServer({ options: { authKey, authClockTolerance: 60 } });
    const load = await run.load({ port: strict.port });
    expect(await refusals(strict.port)).toEqual({ expired: 'jwt expired', early: 'jwt not active' });
    expect(await refusals(tolerant.port)).toEqual(NOTHING);
    await run.heals(performance.now());
    expect(load.endingsSince(0)).toEqual({});
    await run.end();
  },
);
