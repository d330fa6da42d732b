import { EventLog, nextValue, ours, startServer } from '@socketcluster-ts/testkit';
import jsonwebtoken from 'jsonwebtoken';
import { expect } from 'vitest';

const authKey = 'a secret of thirty-two bytes, or more';

function tokenOf(claims: object): string {
  return jsonwebtoken.sign(claims, authKey);
}

ours('C9: a bad token on an authenticated socket changes its state, and tells the token it had', async () => {
  const { server, open } = await startServer({ authKey });
  const { client, socket } = await open({ authToken: tokenOf({ name: 'ada' }) });
  const log = new EventLog().record(server, ['deauthentication', 'authenticationStateChange']);
  const answer = await client.call('#authenticate', 'not a token');
  expect(answer.error).toMatchObject({ name: 'AuthTokenInvalidError', isBadToken: true });
  expect(await client.next()).toEqual({ event: '#removeAuthToken' });
  expect(log.of('authenticationStateChange')).toEqual([
    { socket, oldAuthState: 'authenticated', newAuthState: 'unauthenticated' },
  ]);
  expect(log.of('deauthentication')).toEqual([
    { socket, oldAuthToken: expect.objectContaining({ name: 'ada' }) },
  ]);
  expect(socket.authState).toBe('unauthenticated');
});

ours('C9: a token that is not active yet never takes the state away without an event', async () => {
  const { server, open } = await startServer({ authKey });
  const { client, socket } = await open({ authToken: tokenOf({ name: 'ada' }) });
  const log = new EventLog().record(server, ['authenticationStateChange']);
  const nbf = Math.floor(Date.now() / 1000) + 600;
  const answer = await client.call('#authenticate', tokenOf({ name: 'ada', nbf }));
  expect(answer.data).toMatchObject({
    isAuthenticated: false,
    authError: { name: 'AuthTokenNotBeforeError', isBadToken: false },
  });
  await client.fence();
  const changes = log.of('authenticationStateChange').map(({ newAuthState }) => newAuthState);
  expect(changes).toEqual(socket.authState === 'authenticated' ? [] : ['unauthenticated']);
  expect(socket.authToken === null).toBe(socket.authState === 'unauthenticated');
});

ours('C10: a blocked authentication leaves neither token nor signed token', async () => {
  const { server, open } = await startServer({ authKey });
  server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
    for await (const action of stream) {
      if (action.type === action.AUTHENTICATE) action.block(new Error('Not today'));
      else action.allow();
    }
  });
  const { client, socket } = await open();
  const answer = await client.call('#authenticate', tokenOf({ name: 'ada' }));
  expect(answer.data).toMatchObject({ isAuthenticated: false, authError: { message: 'Not today' } });
  expect(socket.authToken).toBeNull();
  expect(socket.signedAuthToken).toBeNull();
  expect(socket.authState).toBe('unauthenticated');
});

ours('C11: a token that cannot be signed does not leave the socket authenticated', async () => {
  const { open } = await startServer({ authKey });
  const { client, socket } = await open();
  const failed = nextValue(socket.listener('error'));
  await expect(
    socket.setAuthToken({ name: 'ada' }, { expiresIn: 'never ever' as never }),
  ).rejects.toBeInstanceOf(Error);
  await failed;
  expect((await client.ended()).code).toBe(4002);
  expect(socket.authState).toBe('unauthenticated');
  expect(socket.authToken).toBeNull();
});

ours('C22: `authDefaultExpiry: null` makes tokens without an expiry', async () => {
  const { open } = await startServer({ authKey, authDefaultExpiry: null });
  const { client, socket } = await open();
  await socket.setAuthToken({ name: 'ada' });
  expect(await client.next()).toMatchObject({ event: '#setAuthToken' });
  expect(socket.authToken).toMatchObject({ name: 'ada', iat: expect.any(Number) });
  expect(socket.authToken).not.toHaveProperty('exp');
  expect(socket.state).toBe('open');
});

ours('C24: an auth engine that resolves null leaves the socket unauthenticated', async () => {
  const { open } = await startServer({ authEngine: { verifyToken: async () => null } });
  const { client, socket } = await open({ authToken: 'any' });
  expect(client.received[0]).toMatchObject({ data: { isAuthenticated: false } });
  expect(socket.authState).toBe('unauthenticated');
  expect(socket.authToken).toBeNull();
});
