/** What clients do that a server turns away in the middle of connecting, because it is overloaded. */
import { create } from '@socketcluster-ts/client';
import { EventLog, startServer, until } from '@socketcluster-ts/testkit';
import published from 'socketcluster-client';
import { expect, test } from 'vitest';

test.for([
  ['our client', create],
  ['the published client', published.create],
] as const)('%s is told to try again later, and does', async ([, createClient]) => {
  const { server, port, log: serverLog } = await startServer();
  let isOverloaded = true;
  server.turnAway = () => (isOverloaded ? { code: 1013, delayMs: 300 } : undefined);
  const client = createClient({
    hostname: '127.0.0.1',
    port,
    autoReconnectOptions: { initialDelay: 100, randomness: 0, multiplier: 1 },
  });
  const log = new EventLog().record(client, ['connectAbort', 'connect']);
  // Without somebody who listens it would be thrown.
  const errors = new EventLog().record(client, ['error']);
  expect(await log.first('connectAbort')).toMatchObject({ code: 1013 });
  await errors.first('error', ({ error }) => (error as { code?: number }).code === 1013);
  // Ours as the server has asked, and up to a tenth later; the published one by its own rules.
  const expected = createClient === create ? [300, 330] : [100, 100];
  await until(() => client.pendingReconnect);
  expect(client.pendingReconnectTimeout).toBeGreaterThanOrEqual(expected[0] ?? 0);
  expect(client.pendingReconnectTimeout).toBeLessThanOrEqual(expected[1] ?? 0);
  isOverloaded = false;
  await log.first('connect');
  client.disconnect();
  // To be turned away is no fault of a client that a log should be full of.
  expect(serverLog.events).toEqual([]);
});
