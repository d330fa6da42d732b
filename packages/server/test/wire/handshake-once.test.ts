import type { AGServer } from '@socketcluster-ts/server';
import {
  collected,
  consume,
  type Deferred,
  deferred,
  EventLog,
  ours,
  startServer,
  turn,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const LIFE_EVENTS = ['handshake', 'connection', 'connectionAbort', 'disconnection', 'closure'];
const refusal = { name: 'InvalidActionError', message: expect.any(String) };

/** Makes HANDSHAKE_SC wait for `gate`; `reached` tells that one is waiting. */
function holdHandshakes(server: AGServer): { reached: Deferred; gate: Deferred } {
  const reached = deferred();
  const gate = deferred();
  server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
    consume(stream, async (action) => {
      if (action.type === action.HANDSHAKE_SC) {
        reached.resolve();
        await gate.promise;
      }
      action.allow();
    }),
  );
  return { reached, gate };
}

describe('a second handshake', () => {
  ours('on an open socket is answered with an error and changes nothing', async () => {
    const { open, server } = await startServer();
    const log = new EventLog().record(server, LIFE_EVENTS);
    const { client, socket } = await open();
    expect(await client.call('#handshake', { authToken: null })).toMatchObject({ rid: 2, error: refusal });
    await client.fence();
    expect(log.names).toEqual(['handshake', 'connection']);
    expect(server.clientsCount).toBe(1);
    expect(socket.state).toBe('open');
    client.close(1000);
    await log.first('closure');
    expect(server.clientsCount).toBe(0);
    expect(server.pendingClientsCount).toBe(0);
  });

  ours('with a handshake middleware set does not stop the socket', async () => {
    const { open, server } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, (action) => action.allow()),
    );
    const { client } = await open();
    expect(await client.call('#handshake', {})).toMatchObject({ error: refusal });
    await client.fence();
  });

  ours('in the same array is answered with an error', async () => {
    const { connect, server } = await startServer();
    const connections = collected(server.listener('connection'));
    const client = await connect();
    client.send([
      { event: '#handshake', cid: 1 },
      { event: '#handshake', cid: 2 },
    ]);
    expect(await client.next((packet) => packet.rid === 1)).toMatchObject({
      data: { isAuthenticated: false },
    });
    expect(await client.next((packet) => packet.rid === 2)).toMatchObject({ error: refusal });
    await client.fence();
    expect(connections).toHaveLength(1);
    expect(server.clientsCount).toBe(1);
  });

  ours('while the first waits for its middleware is answered with an error', async () => {
    const { connect, server } = await startServer();
    const connections = collected(server.listener('connection'));
    const { reached, gate } = holdHandshakes(server);
    const client = await connect();
    client.send({ event: '#handshake', cid: 1 });
    client.send({ event: '#handshake', cid: 2 });
    await reached.promise;
    gate.resolve();
    expect(await client.next((packet) => packet.rid === 1)).toMatchObject({
      data: { isAuthenticated: false },
    });
    expect(await client.next((packet) => packet.rid === 2)).toMatchObject({ error: refusal });
    await client.fence();
    expect(connections).toHaveLength(1);
  });

  test('without cid closes the open socket with 4008', async () => {
    const { open, server, warning } = await startServer();
    const log = new EventLog().record(server, LIFE_EVENTS);
    const { client } = await open();
    client.send({ event: '#handshake' });
    expect(await client.ended()).toEqual({ code: 4008, reason: '' });
    await log.first('closure');
    expect(log.names).toEqual(['handshake', 'connection', 'disconnection', 'closure']);
    expect(server.clientsCount).toBe(0);
    expect(await warning((error) => error.name === 'InvalidActionError')).toMatchObject({
      message: 'Handshake request was malformatted',
    });
  });
});

describe('a socket that closes while its handshake is being decided', () => {
  for (const how of ['terminate', 'close'] as const) {
    for (const kind of ['no token', 'a bad token', 'a valid token'] as const) {
      // A valid token is the one case that upstream gets right.
      const declare = kind === 'a valid token' ? test : ours;
      declare(`by ${how} with ${kind} never becomes a client`, async () => {
        const { connect, server, sign } = await startServer();
        const log = new EventLog().record(server, LIFE_EVENTS);
        const { reached, gate } = holdHandshakes(server);
        const tokens = { 'no token': null, 'a bad token': 'x', 'a valid token': await sign({ user: 'ann' }) };
        const client = await connect();
        client.send({ event: '#handshake', data: { authToken: tokens[kind] }, cid: 1 });
        await reached.promise;
        client[how]();
        await log.first('closure');
        gate.resolve();
        await (await connect()).handshake();
        await turn();
        expect(log.of('closure')).toHaveLength(1);
        expect(log.of('connection')).toHaveLength(1);
        expect(server.clientsCount).toBe(1);
        expect(Object.keys(server.clients)).toHaveLength(1);
        expect(server.pendingClientsCount).toBe(0);
      });
    }
  }

  test('during a slow token verification never becomes a client', async () => {
    const reached = deferred();
    const gate = deferred();
    const { connect, server } = await startServer({
      authEngine: {
        verifyToken: async () => {
          reached.resolve();
          await gate.promise;
          return { user: 'ann' };
        },
        signToken: async () => 'unused',
      },
    });
    const log = new EventLog().record(server, [
      ...LIFE_EVENTS,
      'authentication',
      'authenticationStateChange',
    ]);
    const client = await connect();
    client.send({ event: '#handshake', data: { authToken: 'x' }, cid: 1 });
    await reached.promise;
    client.terminate();
    await log.first('closure');
    gate.resolve();
    await (await connect()).handshake();
    await log.first('authentication');
    await turn();
    expect(log.of('closure')).toHaveLength(1);
    expect(log.of('connection')).toHaveLength(1);
    expect(log.of('authentication')).toHaveLength(1);
    expect(server.clientsCount).toBe(1);
  });

  test('during its AUTHENTICATE action never becomes a client', async () => {
    const { connect, server, sign } = await startServer();
    const log = new EventLog().record(server, [...LIFE_EVENTS, 'authentication']);
    const reached = deferred();
    const gate = deferred();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, async (action) => {
        reached.resolve();
        await gate.promise;
        action.allow();
      }),
    );
    const client = await connect();
    client.send({ event: '#handshake', data: { authToken: await sign({ user: 'ann' }) }, cid: 1 });
    await reached.promise;
    client.terminate();
    await log.first('closure');
    gate.resolve();
    await (await connect()).handshake();
    await turn();
    expect(log.of('closure')).toHaveLength(1);
    expect(log.of('connection')).toHaveLength(1);
    expect(log.of('authentication')).toHaveLength(0);
    expect(server.clientsCount).toBe(1);
  });
});

describe('handshakeTimeout', () => {
  test('closes a socket that sends no handshake with 4005', async () => {
    const { connect, server } = await startServer({ handshakeTimeout: 50 });
    const log = new EventLog().record(server, LIFE_EVENTS);
    const client = await connect();
    expect(await client.ended()).toEqual({ code: 4005, reason: '' });
    await log.first('closure');
    expect(log.of('connectionAbort')).toMatchObject([
      { code: 4005, reason: 'Did not receive #handshake from client before timeout' },
    ]);
    expect(server.pendingClientsCount).toBe(0);
  });

  test('does not touch a socket that shook hands in time', async () => {
    const { connect, open } = await startServer({ handshakeTimeout: 200 });
    const { client } = await open();
    expect(await (await connect()).ended()).toMatchObject({ code: 4005 });
    await client.fence();
  });

  ours('runs on while a middleware decides HANDSHAKE_SC', async () => {
    const { connect, server } = await startServer({ handshakeTimeout: 100 });
    const log = new EventLog().record(server, LIFE_EVENTS);
    const { reached, gate } = holdHandshakes(server);
    const client = await connect();
    client.send({ event: '#handshake', cid: 1 });
    await reached.promise;
    expect(await client.ended()).toEqual({ code: 4005, reason: '' });
    gate.resolve();
    await log.first('closure');
    await turn();
    expect(log.names).toEqual(['handshake', 'connectionAbort', 'closure']);
    expect(client.received).toEqual([]);
  });

  ours('runs on while a token is verified', async () => {
    const { connect } = await startServer({
      handshakeTimeout: 100,
      authEngine: { verifyToken: () => new Promise<never>(() => {}), signToken: async () => 'unused' },
    });
    const client = await connect();
    client.send({ event: '#handshake', data: { authToken: 'x' }, cid: 1 });
    expect(await client.ended()).toEqual({ code: 4005, reason: '' });
  });

  ours('runs on while a middleware decides AUTHENTICATE', async () => {
    const { connect, server, sign } = await startServer({ handshakeTimeout: 100 });
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) => consume(stream, () => new Promise(() => {})));
    const client = await connect();
    client.send({ event: '#handshake', data: { authToken: await sign({ user: 'ann' }) }, cid: 1 });
    expect(await client.ended()).toEqual({ code: 4005, reason: '' });
  });
});
