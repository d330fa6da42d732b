import { nextValue, socketOf, startServer, until } from '@socketcluster-ts/testkit';
import { expect, test } from 'vitest';
import { connectClient } from './client.js';
import { leaveOutWith } from './left-out.js';

const NOT_THERE = 'it knows no users, no several keys and no revocation';
const OLD = { kid: 'old', key: 'the old secret of a server, thirty-nine bytes' };
const NEW = { kid: 'new', key: 'the new secret of a server, thirty-nine bytes' };

test('every client of a user is told to log out, to leave a channel, and to go', async () => {
  leaveOutWith('the published server', NOT_THERE);
  const started = await startServer();
  const clients = [await connectClient(started), await connectClient(started)];
  for (const client of clients) {
    const subscribed = nextValue(client.subscribe('room').listener('subscribe'));
    const authenticated = nextValue(client.listener('authenticate'));
    await subscribed;
    await (await socketOf(started, client)).setAuthToken({ sub: 'ann' });
    await authenticated;
  }
  const ann = started.server.users('ann');
  const sockets = ann.sockets();
  expect(sockets.map(({ id }) => id)).toEqual(clients.map(({ id }) => id));

  const kicked = clients.map((client) => nextValue(client.listener('kickOut')));
  expect(await ann.kickOut('room', 'closed')).toBe(2);
  expect(await Promise.all(kicked)).toEqual([
    { channel: 'room', message: 'closed' },
    { channel: 'room', message: 'closed' },
  ]);

  const out = clients.map((client) => nextValue(client.listener('deauthenticate')));
  expect(await ann.deauthenticate({ rejectOnFailedDelivery: true })).toBe(2);
  await Promise.all(out);
  for (const client of clients) expect(client.authState).toBe('unauthenticated');

  const gone = clients.map((client) => nextValue(client.listener('disconnect')));
  for (const socket of sockets) void socket.disconnect(4100, 'banned');
  expect(await Promise.all(gone)).toMatchObject([{ code: 4100 }, { code: 4100 }]);
});

test('a client whose token was revoked is logged out, and stays so when it comes back', async () => {
  leaveOutWith('the published server', NOT_THERE);
  const revoked = new Set<unknown>();
  const started = await startServer({ isTokenRevoked: ({ jti }) => revoked.has(jti) });
  const client = await connectClient(started);
  const authenticated = nextValue(client.listener('authenticate'));
  await (await socketOf(started, client)).setAuthToken({ sub: 'ann', jti: '1' });
  const { signedAuthToken } = await authenticated;
  revoked.add('1');
  const out = nextValue(client.listener('deauthenticate'));
  expect(await started.server.recheckTokens()).toBe(1);
  await out;
  expect(await client.auth.loadToken(client.authTokenName)).toBeNull();
  await expect(client.authenticate(String(signedAuthToken))).rejects.toMatchObject({
    name: 'AuthTokenInvalidError',
    message: 'The auth token was revoked',
  });
});

test('a client stays logged in while the keys of the server are replaced, over a new connection too', async () => {
  leaveOutWith('the published server', NOT_THERE);
  const started = await startServer({ authKeys: [OLD] });
  const { server } = started;
  const client = await connectClient(started);
  const authenticated = nextValue(client.listener('authenticate'));
  await (await socketOf(started, client)).setAuthToken({ sub: 'ann' });
  await authenticated;
  server.setAuthKeys([NEW, OLD]);
  const again = nextValue(client.listener('connect'));
  (await socketOf(started, client)).terminate();
  expect(await again).toMatchObject({ isAuthenticated: true });
  expect(client.authState).toBe('authenticated');
  await until(() => server.users('ann').sockets()[0]?.id === client.id);
});
