import { EventLog, nextValue, startServer, turn, until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { AGClientSocket, create } from '../src/index.js';
import { scriptedServer } from './scripted-server.js';

const LIFE = ['connect', 'connectAbort', 'disconnect', 'close', 'error'];

describe('connecting', () => {
  test('the first packet is the handshake, and tells what the client knows beyond the protocol', async () => {
    const server = await scriptedServer();
    const client = server.client();
    expect(client.state).toBe('connecting');
    const { packets } = await server.connection();
    await until(() => client.state === 'open');
    expect(packets).toEqual([
      { event: '#handshake', data: { authToken: null, ext: ['abort', 'gap', 'retry'] }, cid: 1 },
    ]);
  });

  test('connect tells id, ping timeout and authentication', async () => {
    const server = await scriptedServer({ status: { id: 'x1', pingTimeout: 5000 } });
    const client = server.client();
    const event = await nextValue(client.listener('connect'));
    expect(event).toMatchObject({ id: 'x1', pingTimeout: 5000, isAuthenticated: false, authToken: null });
    expect([client.id, client.pingTimeout]).toEqual(['x1', 5000]);
  });

  test('numbers of calls count up on the wire, and are not reset by a reconnect', async () => {
    const server = await scriptedServer();
    const client = server.client();
    client.invoke('early').catch(() => {});
    const first = await server.connection();
    await first.first('early');
    client.reconnect();
    const second = await server.connection(1);
    await second.first('#handshake');
    expect([...first.packets, ...second.packets].map(({ cid }) => cid)).toEqual([1, 2, 3]);
  });

  test('subscriptions precede what waited for the connection, and keep their priority', async () => {
    const server = await scriptedServer();
    const client = server.client();
    void client.transmit('hello');
    client.subscribe('low');
    client.subscribe('high', { priority: 2 });
    const connection = await server.connection();
    await connection.first('hello');
    expect(
      connection.packets.map(({ event, data }) => [event, (data as { channel?: string })?.channel]),
    ).toEqual([
      ['#handshake', undefined],
      ['#subscribe', 'high'],
      ['#subscribe', 'low'],
      ['hello', undefined],
    ]);
  });

  test('packets in the same frame as the answer to the handshake find the client open', async () => {
    const server = await scriptedServer({ answersHandshake: false });
    const client = server.client();
    const hello = nextValue(client.receiver('hello'));
    const connection = await server.connection();
    const { cid } = await connection.first('#handshake');
    connection.send([
      { rid: cid, data: { id: 'x', pingTimeout: 1000 } },
      { event: 'hello', data: 1 },
    ]);
    expect(await hello).toBe(1);
    expect(client.state).toBe('open');
  });

  test('autoConnect: false leaves it to connect(), or to the first message', async () => {
    const server = await scriptedServer();
    const client = server.client({ autoConnect: false });
    await turn();
    expect([client.state, server.connections.length]).toEqual(['closed', 0]);
    void client.transmit('hello', { a: 1 });
    const connection = await server.connection();
    expect(await connection.first('hello')).toEqual({ event: 'hello', data: { a: 1 } });
  });

  test('connect(options) closes the connection there is and uses the new options', async () => {
    const [one, two] = [await scriptedServer(), await scriptedServer()];
    const client = one.client();
    await until(() => client.state === 'open');
    const first = await one.connection();
    const { clientId } = client;
    client.connect({ port: two.port, ackTimeout: 77, authTokenName: 'other' });
    expect(await first.closed).toEqual({
      code: 1000,
      reason: 'Socket was disconnected by the client to initiate a new connection',
    });
    await two.connection();
    expect([client.ackTimeout, client.authTokenName, client.clientId]).toEqual([77, 'other', clientId]);
  });

  test('a handshake that is refused ends the attempt with its code and reason', async () => {
    const server = await scriptedServer({ answersHandshake: false });
    const client = server.client({ autoReconnect: false });
    const log = new EventLog().record(client, LIFE);
    const connection = await server.connection();
    const { cid } = await connection.first('#handshake');
    connection.send({ rid: cid, error: { name: 'NopeError', message: 'no', statusCode: 4100 } });
    const end = { code: 4100, reason: 'NopeError: no' };
    expect(await log.first('close')).toEqual(end);
    expect(log.names.filter((name) => name !== 'error')).toEqual(['connectAbort', 'close']);
    expect((await connection.closed).code).toBe(4100);
  });

  test('a handshake refused with a text ends with 4003, and the client comes back', async () => {
    const server = await scriptedServer({ answersHandshake: false });
    const client = server.client({ autoReconnectOptions: { initialDelay: 1, randomness: 0 } });
    const abort = nextValue(client.listener('connectAbort'));
    const connection = await server.connection();
    const { cid } = await connection.first('#handshake');
    connection.send({ rid: cid, error: 'just no' });
    expect(await abort).toEqual({ code: 4003, reason: 'just no' });
    await server.connection(1);
  });

  test('a handshake that is not answered ends with 4003', async () => {
    const server = await scriptedServer({ answersHandshake: false });
    const client = server.client({ ackTimeout: 30, autoReconnect: false });
    expect(await nextValue(client.listener('connectAbort'))).toEqual({
      code: 4003,
      reason: 'TimeoutError: Event response for #handshake event timed out',
    });
  });

  test('a port where nobody listens ends the attempt with 1006, and the error tells why', async () => {
    const client = create({ hostname: '127.0.0.1', port: 9, autoReconnect: false });
    const { error } = await nextValue(client.listener('error'));
    expect(error).toMatchObject({ name: 'SocketProtocolError', code: 1006, cause: { code: 'ECONNREFUSED' } });
  });

  test('an address that is none is an error event, not a throw', async () => {
    const client = create({ hostname: 'no host', autoReconnect: false });
    const { error } = await nextValue(client.listener('error'));
    expect(error).toMatchObject({ name: 'SocketProtocolError', cause: { name: 'SyntaxError' } });
    expect(client.state).toBe('closed');
  });
});

describe('ending', () => {
  test('the events of a lost connection come in order, after its calls were rejected', async () => {
    const server = await scriptedServer();
    const client = server.client({ autoReconnect: false });
    const log = new EventLog().record(client, LIFE);
    await log.first('connect');
    const call = client.invoke('slow').catch((error: unknown) => {
      expect(log.names).not.toContain('disconnect');
      return error;
    });
    const connection = await server.connection();
    await connection.first('slow');
    connection.socket.close(4321, 'because');
    expect(await call).toMatchObject({
      name: 'BadConnectionError',
      type: 'disconnect',
      code: 4321,
      reason: 'because',
      delivery: 'unknown',
    });
    await log.first('error');
    expect(log.names).toEqual(['connect', 'disconnect', 'close', 'error']);
    expect(log.of('disconnect')).toEqual([{ code: 4321, reason: 'because' }]);
  });

  test('disconnect() closes at once, and does not come back', async () => {
    const { server, port } = await startServer();
    const client = create({ hostname: '127.0.0.1', port });
    await nextValue(client.listener('connect'));
    const left = nextValue(server.listener('disconnection'));
    client.disconnect(1000, 'bye');
    expect([client.state, client.id, client.pendingReconnect]).toEqual(['closed', null, false]);
    expect(await left).toMatchObject({ code: 1000, reason: 'bye' });
  });

  test('disconnect() takes a number only', () => {
    const client = new AGClientSocket({ autoConnect: false });
    expect(() => client.disconnect('1000' as never)).toThrow(
      expect.objectContaining({ name: 'InvalidArgumentsError' }) as Error,
    );
  });

  test('a ping that does not come ends the connection with 4000', async () => {
    const server = await scriptedServer({ status: { pingTimeout: 40 } });
    const client = server.client({ autoReconnect: false });
    expect(await nextValue(client.listener('disconnect'))).toEqual({
      code: 4000,
      reason: 'Server ping timed out',
    });
  });

  test.each([
    [1, '#1', '#2'],
    [2, '', ''],
  ] as const)(
    'a ping of protocol %s is answered at once, past a batch',
    async (protocolVersion, ping, pong) => {
      const server = await scriptedServer();
      const client = server.client({ protocolVersion });
      const connection = await server.connection();
      await until(() => client.state === 'open');
      client.startBatch();
      void client.transmit('later');
      connection.send(ping);
      await until(() => connection.frames.includes(pong));
      expect(connection.of('later')).toEqual([]);
    },
  );
});
