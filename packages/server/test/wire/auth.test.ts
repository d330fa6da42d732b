import { createHmac, generateKeyPairSync } from 'node:crypto';
import { EventLog, ours, type StartedServer, startServer, turn } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const SERVER_EVENTS = [
  'handshake',
  'connection',
  'warning',
  'badSocketAuthToken',
  'deauthentication',
  'authentication',
  'authenticationStateChange',
];

const inPast = (): number => Math.floor(Date.now() / 1000) - 60;
const inFuture = (): number => Math.floor(Date.now() / 1000) + 3600;

async function tokenOf(kind: string, { sign }: StartedServer): Promise<string> {
  if (kind === 'expired') return sign({ user: 'ann', exp: inPast() });
  if (kind === 'not yet active') return sign({ user: 'ann', nbf: inFuture() });
  if (kind === 'forged') return `${await sign({ user: 'ann' })}AAAA`;
  return 'nonsense';
}

const BAD_TOKENS = [
  [
    'expired',
    {
      name: 'AuthTokenExpiredError',
      message: 'jwt expired',
      expiry: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      isBadToken: true,
    },
  ],
  ['forged', { name: 'AuthTokenInvalidError', message: 'invalid signature', isBadToken: true }],
  ['malformed', { name: 'AuthTokenInvalidError', message: 'jwt malformed', isBadToken: true }],
] as const;

describe('a token in the handshake', () => {
  test.for([
    ['null', '{"event":"#handshake","data":{"authToken":null},"cid":1}'],
    ['empty', '{"event":"#handshake","data":{"authToken":""},"cid":1}'],
    ['missing', '{"event":"#handshake","data":{},"cid":1}'],
  ] as const)('that is %s leaves the socket unauthenticated without an error', async ([, text]) => {
    const { connect, server } = await startServer();
    const log = new EventLog().record(server, SERVER_EVENTS);
    const client = await connect();
    client.send(text);
    expect((await client.next()).data).toEqual({
      id: expect.any(String),
      pingTimeout: server.pingTimeout,
      isAuthenticated: false,
    });
    await log.first('connection');
    await client.fence();
    expect(log.names).toEqual(['handshake', 'connection']);
  });

  test('that is valid authenticates the socket and is not sent back', async () => {
    const { open, sign, server } = await startServer();
    const log = new EventLog().record(server, SERVER_EVENTS);
    const signed = await sign({ user: 'ann', exp: inFuture() });
    const { client, socket } = await open({ authToken: signed });
    await client.fence();
    expect(client.received).toHaveLength(3);
    expect(client.received[0]).toMatchObject({ data: { isAuthenticated: true } });
    expect(client.received[0]?.data).not.toHaveProperty('authError');
    expect(socket.authState).toBe('authenticated');
    expect(socket.authToken).toMatchObject({ user: 'ann' });
    expect(socket.signedAuthToken).toBe(signed);
    expect(log.names).toEqual(['handshake', 'connection', 'authenticationStateChange', 'authentication']);
    expect(log.of('authenticationStateChange')).toEqual([
      {
        socket,
        oldAuthState: 'unauthenticated',
        newAuthState: 'authenticated',
        authToken: socket.authToken,
      },
    ]);
    expect(log.of('authentication')).toEqual([{ socket, authToken: socket.authToken }]);
  });

  test.for(BAD_TOKENS)(
    'that is %s is told in the reply, and then to be removed',
    async ([kind, authError]) => {
      const started = await startServer();
      const { connect, server } = started;
      const log = new EventLog().record(server, SERVER_EVENTS);
      const client = await connect();
      const token = await tokenOf(kind, started);
      const reply = await client.handshake(token);
      expect(reply.data).toEqual({
        id: client.id,
        pingTimeout: server.pingTimeout,
        authError,
        isAuthenticated: false,
      });
      expect(Object.keys(reply.data as object)).toEqual([
        'id',
        'pingTimeout',
        'authError',
        'isAuthenticated',
      ]);
      expect(await client.next()).toEqual({ event: '#removeAuthToken' });
      await log.first('connection');
      await client.fence();
      expect(log.names).toEqual([
        'handshake',
        'warning',
        'badSocketAuthToken',
        'deauthentication',
        'connection',
      ]);
      const socket = server.clients[client.id];
      expect(log.of('badSocketAuthToken')).toMatchObject([
        { socket, signedAuthToken: token, authError: { name: authError.name, isBadToken: true } },
      ]);
      expect(log.of('connection')).toMatchObject([
        { isAuthenticated: false, authError: { name: authError.name } },
      ]);
      expect(log.of('connection')[0]?.['authError']).toBeInstanceOf(Error);
      expect(socket).toMatchObject({ authState: 'unauthenticated', authToken: null, signedAuthToken: null });
    },
  );

  test('that is not yet active is told in the reply and kept by the client', async () => {
    const started = await startServer();
    const { connect, server } = started;
    const log = new EventLog().record(server, SERVER_EVENTS);
    const client = await connect();
    expect((await client.handshake(await tokenOf('not yet active', started))).data).toEqual({
      id: client.id,
      pingTimeout: server.pingTimeout,
      authError: {
        name: 'AuthTokenNotBeforeError',
        message: 'jwt not active',
        date: expect.any(String),
        isBadToken: false,
      },
      isAuthenticated: false,
    });
    await log.first('connection');
    await client.fence();
    expect(client.received).toHaveLength(3);
    expect(log.names).toEqual(['handshake', 'warning', 'connection']);
  });

  test.for([5, true, {}, ['x']])('that is %j is a bad token', async (authToken) => {
    const { connect, server } = await startServer();
    const client = await connect();
    client.send({ event: '#handshake', data: { authToken }, cid: 1 });
    expect((await client.next()).data).toMatchObject({
      isAuthenticated: false,
      authError: { message: 'Invalid token format - Token must be a string', isBadToken: true },
    });
    expect(await client.next()).toEqual({ event: '#removeAuthToken' });
    expect(server.clientsCount).toBe(1);
  });

  test.for([
    [false, ['handshake', 'warning', 'connection']],
    [true, ['handshake', 'warning', 'badSocketAuthToken', 'deauthentication', 'connection']],
  ] as const)(
    'blocked by AUTHENTICATE with isBadToken %s connects unauthenticated',
    async ([isBadToken, names]) => {
      const { connect, server, sign } = await startServer();
      const log = new EventLog().record(server, SERVER_EVENTS);
      server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
        for await (const action of stream) {
          if (action.type !== action.AUTHENTICATE) action.allow();
          else
            action.block(
              Object.assign(new Error('not today'), { name: 'NotTodayError' }, isBadToken && { isBadToken }),
            );
        }
      });
      const client = await connect();
      const reply = await client.handshake(await sign({ user: 'ann' }));
      expect(reply.data).toMatchObject({
        isAuthenticated: false,
        authError: { name: 'NotTodayError', message: 'not today' },
      });
      await log.first('connection');
      await client.fence();
      expect(client.received.filter((packet) => packet.event === '#removeAuthToken')).toHaveLength(
        isBadToken ? 1 : 0,
      );
      expect(log.names).toEqual(names);
      expect(server.clients[client.id]).toMatchObject({ authState: 'unauthenticated', authToken: null });
    },
  );

  ours('of any other algorithm than the one configured is refused, whatever its header says', async () => {
    const { connect, server } = await startServer({ authKey: 'k'.repeat(40) });
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const none = `${part({ alg: 'none', typ: 'JWT' })}.${part({ user: 'ann' })}.`;
    const strong = await server.auth.signToken?.({ user: 'ann' }, server.signatureKey, {
      algorithm: 'HS384',
    });
    for (const token of [none, strong]) {
      const reply = await (await connect()).handshake(token);
      expect(reply.data).toMatchObject({
        isAuthenticated: false,
        authError: { name: 'AuthTokenInvalidError', isBadToken: true },
      });
    }
  });

  test('signed with the public key as if it were a secret is refused', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const { connect, open } = await startServer({
      authPrivateKey: privateKey,
      authPublicKey: publicKey,
      authAlgorithm: 'RS256',
    });
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const unsigned = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ user: 'ann' })}`;
    const forged = `${unsigned}.${createHmac('sha256', publicKey).update(unsigned).digest('base64url')}`;
    expect((await (await connect()).handshake(forged)).data).toMatchObject({
      isAuthenticated: false,
      authError: { name: 'AuthTokenInvalidError', message: 'invalid algorithm' },
    });
    const { client, socket } = await open();
    await socket.setAuthToken({ user: 'ann' });
    const { token } = (await client.next()).data as { token: string };
    expect((await (await connect()).handshake(token)).data).toMatchObject({ isAuthenticated: true });
  });

  ours('longer than `maxTokenBytes` is a bad token', async () => {
    const { connect, sign } = await startServer({ limits: { maxTokenBytes: 500 } });
    const short = await sign({ user: 'ann' });
    const long = await sign({ user: 'a'.repeat(500) });
    expect((await (await connect()).handshake(short)).data).toMatchObject({ isAuthenticated: true });
    expect((await (await connect()).handshake(long)).data).toMatchObject({
      isAuthenticated: false,
      authError: { isBadToken: true },
    });
  });

  ours('may have 8 KiB by default', async () => {
    const { connect, sign } = await startServer();
    const accepted = await sign({ user: 'a'.repeat(5000) });
    const refused = await sign({ user: 'a'.repeat(6500) });
    expect(accepted.length).toBeLessThan(8192);
    expect(refused.length).toBeGreaterThan(8192);
    expect((await (await connect()).handshake(accepted)).data).toMatchObject({ isAuthenticated: true });
    expect((await (await connect()).handshake(refused)).data).toMatchObject({ isAuthenticated: false });
  });

  ours('whose payload is no object does not authenticate', async () => {
    const { connect, server, sign } = await startServer();
    const jwt = await sign({ user: 'ann' });
    server.setAuthEngine({ verifyToken: async () => null, signToken: async () => jwt });
    const client = await connect();
    expect((await client.handshake(jwt)).data).toMatchObject({ isAuthenticated: false });
    await turn();
    expect(server.clients[client.id]).toMatchObject({ authState: 'unauthenticated', authToken: null });
  });

  test('may be decided by a custom engine, which may authenticate a client that sent none', async () => {
    const seen: unknown[] = [];
    const { open } = await startServer({
      authEngine: {
        verifyToken: async (token: unknown) => {
          seen.push(token);
          return { user: 'anonymous' };
        },
        signToken: async () => 'unused',
      },
    });
    const { socket } = await open();
    expect(seen).toEqual([null]);
    expect(socket).toMatchObject({ authState: 'authenticated', authToken: { user: 'anonymous' } });
  });
});
