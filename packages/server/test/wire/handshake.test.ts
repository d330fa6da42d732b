import {
  type Connected,
  consume,
  EventLog,
  encodeFrame,
  nextValue,
  ours,
  RawConnection,
  startServer,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const LIFE_EVENTS = [
  'handshake',
  'connection',
  'connectionAbort',
  'disconnection',
  'closure',
  'authentication',
  'authenticationStateChange',
];

describe('the handshake reply', () => {
  test('tells the id, the ping timeout and the authentication state, in this order', async () => {
    const { connect, server } = await startServer();
    const client = await connect();
    const reply = await client.handshake();
    expect(reply).toEqual({
      rid: 1,
      data: {
        id: expect.stringMatching(/^[\w-]{20}$/),
        pingTimeout: server.pingTimeout,
        isAuthenticated: false,
      },
    });
    expect(Object.keys(reply.data as object)).toEqual(['id', 'pingTimeout', 'isAuthenticated']);
    expect(Object.keys(server.clients)).toEqual([client.id]);
  });

  ours('announces a ping timeout of 20 seconds by default', async () => {
    const { connect } = await startServer();
    const client = await connect();
    expect((await client.handshake()).data).toMatchObject({ pingTimeout: 20_000 });
  });

  test.for([0, 7, -3, 1.5, 1e15])('carries the cid %s of the request', async (cid) => {
    const { connect } = await startServer();
    const client = await connect();
    client.send({ event: '#handshake', data: { authToken: null }, cid });
    expect(await client.next()).toMatchObject({ rid: cid, data: { isAuthenticated: false } });
  });

  test.for([
    ['without data', '{"event":"#handshake","cid":1}'],
    ['with data null', '{"event":"#handshake","data":null,"cid":1}'],
    ['with empty data', '{"event":"#handshake","data":{},"cid":1}'],
    ['with unknown fields', '{"x":1,"cid":1,"data":{"authToken":null,"y":2},"event":"#handshake"}'],
    ['behind JSON white space', ' \n\r\t{"event":"#handshake","data":{"authToken":null},"cid":1}'],
    ['in an array', '[{"event":"#handshake","data":{"authToken":null},"cid":1}]'],
  ] as const)('comes to a request %s', async ([, text]) => {
    const { connect } = await startServer();
    const client = await connect();
    client.send(text);
    expect(await client.next()).toMatchObject({ rid: 1, data: { isAuthenticated: false } });
  });

  test('comes to a request in a binary frame', async () => {
    const { connect } = await startServer();
    const client = await connect();
    client.sendBinary('{"event":"#handshake","cid":1}');
    expect(await client.next()).toMatchObject({ rid: 1, data: { isAuthenticated: false } });
  });

  test('comes after an empty array, which holds no packet', async () => {
    const { connect } = await startServer();
    const client = await connect();
    client.send('[]');
    expect(await client.handshake()).toMatchObject({ rid: 1, data: { isAuthenticated: false } });
  });

  test('precedes what the application sends on connection', async () => {
    const { connect, server } = await startServer();
    void consume(server.listener('connection'), ({ socket }) => socket.transmit('welcome'));
    const client = await connect();
    client.send({ event: '#handshake', cid: 1 });
    expect(await client.next()).toMatchObject({ rid: 1 });
    expect(await client.next()).toEqual({ event: 'welcome' });
  });
});

describe('a malformed handshake', () => {
  test.for([
    ['without cid', '{"event":"#handshake","data":{"authToken":null}}'],
    ['with a string cid', '{"event":"#handshake","data":{"authToken":null},"cid":"1"}'],
    ['with cid null', '{"event":"#handshake","data":{"authToken":null},"cid":null}'],
  ] as const)('%s closes with 4008 and warns', async ([, text]) => {
    const { connect, server, warning } = await startServer();
    const log = new EventLog().record(server, LIFE_EVENTS);
    const client = await connect();
    client.send(text);
    expect(await client.ended()).toEqual({ code: 4008, reason: '' });
    await log.first('closure');
    expect(log.of('connectionAbort')).toMatchObject([
      { code: 4008, reason: 'Server rejected handshake from client' },
    ]);
    expect(log.names).toEqual(['handshake', 'connectionAbort', 'closure']);
    expect(await warning((error) => error.name === 'InvalidActionError')).toMatchObject({
      message: 'Handshake request was malformatted',
    });
  });

  ours('with a cid that is not finite closes with 4008', async () => {
    const { connect } = await startServer();
    const client = await connect();
    client.send('{"event":"#handshake","cid":1e999}');
    expect(await client.ended()).toMatchObject({ code: 4008 });
  });
});

describe('packets behind the handshake', () => {
  async function answerOnConnection(): Promise<{
    started: Awaited<ReturnType<typeof startServer>>;
    transmitted: unknown[];
  }> {
    const started = await startServer();
    const transmitted: unknown[] = [];
    void consume(started.server.listener('connection'), ({ socket }: { socket: Connected['socket'] }) => {
      void consume(socket.receiver('custom'), (data) => transmitted.push(data));
      void consume(socket.procedure('custom'), (request) => {
        request.end('answer');
      });
    });
    return { started, transmitted };
  }
  const packets = [
    { event: '#handshake', data: { authToken: null }, cid: 1 },
    { event: 'custom', data: 'first' },
    { event: '#subscribe', data: { channel: 'c' }, cid: 2 },
    { event: 'custom', cid: 3 },
  ];

  test('in the same array reach receivers and procedures made in the connection loop', async () => {
    const { started, transmitted } = await answerOnConnection();
    const client = await started.connect();
    client.send(packets);
    expect(await client.next()).toMatchObject({ rid: 1, data: { isAuthenticated: false } });
    expect(await client.next()).toEqual({ rid: 2 });
    expect(await client.next()).toEqual({ rid: 3, data: 'answer' });
    expect(transmitted).toEqual(['first']);
  });

  test('in the same segment reach receivers and procedures made in the connection loop', async () => {
    const { started, transmitted } = await answerOnConnection();
    const raw = await RawConnection.upgrade(started.port);
    raw.write(Buffer.concat(packets.map((packet) => encodeFrame(JSON.stringify(packet)))));
    await raw.frame((frame) => frame.payload.toString() === '{"rid":3,"data":"answer"}');
    expect(raw.frames.map((frame) => JSON.parse(frame.payload.toString()) as object)).toMatchObject([
      { rid: 1 },
      { rid: 2 },
      { rid: 3 },
    ]);
    expect(transmitted).toEqual(['first']);
  });
});

describe('server state and events', () => {
  test('a socket is pending from `handshake` on and a client from its reply on', async () => {
    const { connect, server } = await startServer();
    const log = new EventLog().record(server, LIFE_EVENTS);
    const client = await connect();
    const { socket } = (await log.first('handshake')) as unknown as Connected;
    expect(Object.keys(server.pendingClients)).toEqual([socket.id]);
    expect([server.pendingClientsCount, server.clientsCount]).toEqual([1, 0]);
    expect(socket.state).toBe('connecting');
    const connected = nextValue(socket.listener('connect'));
    await client.handshake();
    expect(client.id).toBe(socket.id);
    expect(JSON.stringify(server.pendingClients)).toBe('{}');
    expect(Object.keys(server.clients)).toEqual([socket.id]);
    expect([server.pendingClientsCount, server.clientsCount]).toEqual([0, 1]);
    const expected = { id: socket.id, pingTimeout: server.pingTimeout, isAuthenticated: false };
    expect(await connected).toEqual(expected);
    expect(await log.first('connection')).toEqual({ socket, ...expected });
    expect(log.names).toEqual(['handshake', 'connection']);
  });

  test('an authenticated socket connects, changes its state and authenticates, in this order', async () => {
    const { open, server, sign } = await startServer();
    const log = new EventLog().record(server, LIFE_EVENTS);
    const { client, socket } = await open({ authToken: await sign({ user: 'ann' }) });
    await log.first('authentication');
    expect(log.names).toEqual(['handshake', 'connection', 'authenticationStateChange', 'authentication']);
    expect(log.of('connection')).toEqual([
      { socket, id: client.id, pingTimeout: server.pingTimeout, isAuthenticated: true },
    ]);
  });

  test('consumers made in the connection loop see the authentication of that handshake', async () => {
    const { connect, server, sign } = await startServer();
    const seen = new EventLog();
    void consume(server.listener('connection'), ({ socket }) => {
      seen.record(socket, ['authStateChange', 'authenticate']);
    });
    const client = await connect();
    await client.handshake(await sign({ user: 'ann' }));
    await seen.first('authenticate');
    expect(seen.names).toEqual(['authStateChange', 'authenticate']);
    expect(seen.of('authStateChange')).toMatchObject([
      { oldAuthState: 'unauthenticated', newAuthState: 'authenticated', authToken: { user: 'ann' } },
    ]);
  });

  test('a hundred clients connect at once, each under its own id', async () => {
    const { open, server } = await startServer();
    const opened = await Promise.all(Array.from({ length: 100 }, () => open()));
    expect(new Set(opened.map(({ client }) => client.id)).size).toBe(100);
    expect(server.clientsCount).toBe(100);
    expect(server.pendingClientsCount).toBe(0);
  });
});
