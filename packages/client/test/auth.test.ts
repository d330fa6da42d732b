import { collected, EventLog, nextValue, startServer, until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { type ClientAuthEngine, create } from '../src/index.js';
import { scriptedServer } from './scripted-server.js';

const EVENTS = ['authenticate', 'deauthenticate', 'authStateChange', 'removeAuthToken'];

/** A token of these claims; nobody here verifies it. */
const token = (claims: object): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;

/** An auth engine that shows what is kept. */
function store(kept: string | null = null): ClientAuthEngine & { kept: string | null; names: string[] } {
  const names: string[] = [];
  return {
    names,
    kept,
    async saveToken(name, saved) {
      names.push(name);
      this.kept = saved;
    },
    async removeToken() {
      const old = this.kept;
      this.kept = null;
      return old;
    },
    async loadToken() {
      return this.kept;
    },
  };
}

describe('a token', () => {
  test('that the server sets is kept, decoded and shown with the next handshake', async () => {
    const server = await scriptedServer();
    const authEngine = store();
    const client = server.client({ authEngine });
    const log = new EventLog().record(client, EVENTS);
    const connection = await server.connection();
    await connection.first('#handshake');
    const signed = token({ name: 'Ädä ☃' });
    connection.send({ event: '#setAuthToken', data: { token: signed }, cid: 1 });
    await until(() => connection.packets.length === 2);
    expect(connection.packets[1]).toEqual({ rid: 1 });
    expect([client.authState, client.signedAuthToken, client.authToken]).toEqual([
      'authenticated',
      signed,
      { name: 'Ädä ☃' },
    ]);
    await log.first('authenticate');
    expect(log.names).toEqual(['authStateChange', 'authenticate']);
    expect(authEngine).toMatchObject({ kept: signed, names: [client.authTokenName] });
    client.reconnect();
    const second = await server.connection(1);
    expect((await second.first('#handshake')).data).toMatchObject({ authToken: signed });
  });

  test('that the server removes is forgotten', async () => {
    const signed = token({ a: 1 });
    const server = await scriptedServer({ status: { isAuthenticated: true } });
    const authEngine = store(signed);
    const client = server.client({ authEngine });
    await until(() => client.authState === 'authenticated');
    const log = new EventLog().record(client, EVENTS);
    (await server.connection()).send({ event: '#removeAuthToken', cid: 4 });
    expect(await log.first('removeAuthToken')).toEqual({ oldAuthToken: signed });
    expect(log.of('deauthenticate')).toEqual([{ oldSignedAuthToken: signed, oldAuthToken: { a: 1 } }]);
    expect(log.of('authStateChange')).toEqual([
      { oldAuthState: 'authenticated', newAuthState: 'unauthenticated' },
    ]);
    expect([client.authToken, authEngine.kept]).toEqual([null, null]);
  });

  test('shown with authenticate() is kept when it is accepted, and only then', async () => {
    const server = await scriptedServer();
    const authEngine = store();
    const client = server.client({ authEngine });
    const connection = await server.connection();
    const good = client.authenticate(token({ a: 1 }));
    connection.send({
      rid: (await connection.first('#authenticate')).cid,
      data: { isAuthenticated: true, authError: null },
    });
    expect(await good).toEqual({ isAuthenticated: true, authError: null });
    expect(authEngine.kept).toBe(token({ a: 1 }));
    const bad = client.authenticate(token({ b: 1 }));
    await until(() => connection.of('#authenticate').length === 2);
    connection.send({
      rid: connection.of('#authenticate')[1]?.cid,
      data: { isAuthenticated: false, authError: { name: 'AuthError', message: 'no' } },
    });
    expect(await bad).toMatchObject({ isAuthenticated: false, authError: { name: 'AuthError' } });
    expect(authEngine.kept).toBe(token({ a: 1 }));
    expect(client.authState).toBe('unauthenticated');
  });

  test('of which nothing is known because the connection was lost stays', async () => {
    const server = await scriptedServer({ status: { isAuthenticated: true } });
    const client = server.client({ authEngine: store(token({ a: 1 })) });
    const connection = await server.connection();
    await until(() => client.authState === 'authenticated');
    const call = client.authenticate(token({ b: 1 }));
    await connection.first('#authenticate');
    connection.socket.terminate();
    await expect(call).rejects.toMatchObject({ name: 'BadConnectionError' });
    expect(client.authToken).toEqual({ a: 1 });
  });

  test('is given up by deauthenticate(), here and at the server', async () => {
    const { port, server } = await startServer();
    const authEngine = store();
    const client = (await scriptedServer()).client({ port, authEngine });
    const { socket } = await nextValue(server.listener('connection'));
    await socket.setAuthToken({ a: 1 });
    await until(() => authEngine.kept !== null);
    const told = nextValue(socket.listener('deauthenticate'));
    await client.deauthenticate();
    expect([client.authState, authEngine.kept]).toEqual(['unauthenticated', null]);
    await told;
  });

  test('that is missing in #setAuthToken is an error answer, and an error event', async () => {
    const server = await scriptedServer();
    const client = server.client();
    const told = nextValue(client.listener('error'));
    const connection = await server.connection();
    await connection.first('#handshake');
    connection.send({ event: '#setAuthToken', cid: 1 });
    expect((await told).error).toMatchObject({ name: 'InvalidMessageError' });
    await until(() => connection.packets.length === 2);
    expect(connection.packets[1]?.error).toEqual({
      name: 'InvalidMessageError',
      message: 'No token data provided by #setAuthToken event',
    });
  });

  test('whose payload is no JSON gives that part as it is', async () => {
    const server = await scriptedServer({ status: { isAuthenticated: true } });
    const client = server.client({ authEngine: store('a.b.c') });
    await until(() => client.authState === 'authenticated');
    expect(client.authToken).toBe('b');
  });
});

describe('an auth engine', () => {
  test('that cannot load ends the attempt with 4003', async () => {
    const server = await scriptedServer();
    const authEngine = { ...store(), loadToken: () => Promise.reject(new Error('locked')) };
    const client = server.client({ authEngine, autoReconnect: false });
    expect(await nextValue(client.listener('connectAbort'))).toEqual({ code: 4003, reason: 'Error: locked' });
  });

  test.each([
    ['a frozen error', Object.freeze(new Error('no'))],
    ['an object without a text', Object.create(null)],
  ])('that rejects with %s ends the attempt with 4003', async (_name, reason: unknown) => {
    const server = await scriptedServer();
    const authEngine = { ...store(), loadToken: () => Promise.reject(reason) };
    const client = server.client({ authEngine, autoReconnect: false });
    expect(await nextValue(client.listener('connectAbort'))).toMatchObject({ code: 4003 });
  });

  test('that cannot save is an error event, and the client is authenticated all the same', async () => {
    const server = await scriptedServer();
    const authEngine = {
      ...store(),
      saveToken: () => {
        throw new Error('full');
      },
    };
    const client = server.client({ authEngine });
    const errors = collected(client.listener('error'));
    const connection = await server.connection();
    await connection.first('#handshake');
    connection.send({ event: '#setAuthToken', data: { token: token({}) } });
    await until(() => errors.length === 1);
    expect(errors[0]?.error).toMatchObject({ message: 'full' });
    expect(client.authState).toBe('authenticated');
  });

  test('may have its methods replaced on the client', async () => {
    const client = create({ autoConnect: false });
    client.auth.loadToken = () => Promise.resolve('from elsewhere');
    const server = await scriptedServer();
    client.connect({ port: server.port, hostname: '127.0.0.1' });
    expect((await (await server.connection()).first('#handshake')).data).toMatchObject({
      authToken: 'from elsewhere',
    });
    await client.close();
  });
});
