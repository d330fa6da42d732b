import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import {
  collected,
  consume,
  EventLog,
  fakeEngine,
  nextValue,
  ours,
  type ServerOptions,
  serverModule,
  startServer,
  turn,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import * as ws from 'ws';

const require = createRequire(import.meta.url);

const ENGINES: [name: string, options: ServerOptions][] = [
  ['the default', {}],
  ['`ws` by name', { wsEngine: 'ws' }],
  ['the path of a module', { wsEngine: require.resolve('ws') }],
  ['the `ws` module', { wsEngine: ws.WebSocket }],
  ['a module around `ws`', { wsEngine: { Server: class extends ws.WebSocketServer {} } }],
  ['the default with per-message deflate', { perMessageDeflate: { threshold: 0 } }],
  [
    'the default with its own options',
    { wsEngineServerOptions: { perMessageDeflate: true, clientTracking: true } },
  ],
];

describe.for(ENGINES)('over %s', ([, options]) => {
  test('a conversation goes both ways, in order, and ends', async () => {
    const { open, server } = await startServer({ ...options, pingInterval: 30 });
    const { client, socket } = await open();
    const log = new EventLog().record(server, ['disconnection', 'closure']);
    void consume(socket.procedure('asked'), (request) => {
      request.end(request.data);
    });
    const text = 'compressible '.repeat(500);
    expect(await client.call('asked', text)).toEqual({ rid: 2, data: text });
    await client.call('#subscribe', { channel: 'c' });
    for (let n = 0; n < 20; n += 1) {
      void socket.transmit('told', n);
      void server.exchange.transmitPublish('c', n % 3 === 0 ? text : n);
    }
    void socket.transmit('last');
    await client.next((packet) => packet.event === 'last');
    expect(client.received.slice(3).map((packet) => packet.event)).toEqual([
      ...Array.from({ length: 20 }, () => ['told', '#publish']).flat(),
      'last',
    ]);
    client.sendBinary(Buffer.from([1, 2, 3]));
    expect(await nextValue(socket.listener('raw'))).toEqual({ message: Buffer.from([1, 2, 3]) });
    await client.pinged(2);
    client.close(4321, 'bye');
    await log.first('closure');
    expect(log.of('disconnection')).toEqual([{ socket, code: 4321, reason: 'bye' }]);
  });

  test('the server closes with code and reason, cuts, and stops', async () => {
    const { open, server } = await startServer(options);
    const { client: ann, socket } = await open();
    const { client: bob } = await open();
    await socket.disconnect(4100, 'done');
    expect(await ann.ended()).toEqual({ code: 4100, reason: 'done' });
    await server.close();
    expect(await bob.ended()).toEqual({ code: 1006, reason: '' });
  });

  ours('bytes received are counted', async () => {
    const { open } = await startServer(options);
    const { client, socket } = await open();
    await client.fence();
    const before = socket.getBytesReceived();
    expect(before).toBeGreaterThan(0);
    client.send('x'.repeat(1000));
    await client.fence();
    expect(socket.getBytesReceived()).toBeGreaterThan(before);
  });
});

describe('an engine that is no WebSocket at all', () => {
  test('is asked and heard as the engine contract says', async () => {
    const engine = fakeEngine();
    const { server } = await startServer({ wsEngine: engine, pingInterval: 20 });
    expect(engine.server.options['path']).toBe('/socketcluster/');
    expect(engine.server.options['server']).toBe(server.httpServer);
    expect(engine.server.options.verifyClient).toHaveLength(2);
    expect(engine.server.options['clientTracking']).toBe(false);
    const log = new EventLog().record(server, ['handshake', 'connection', 'disconnection', 'closure']);
    const link = await engine.server.connect({ headers: { origin: 'http://any.example' } });
    link.receive({ event: '#handshake', cid: 1 });
    const { data } = await link.packet((packet) => packet['rid'] === 1);
    const { id } = data as { id: string };
    link.receive({ event: '#subscribe', data: { channel: 'c' }, cid: 2 });
    await link.packet((packet) => packet['rid'] === 2);
    await server.exchange.invokePublish('c', 'news');
    expect(await link.packet((packet) => packet['event'] === '#publish')).toEqual({
      event: '#publish',
      data: { channel: 'c', data: 'news' },
    });
    link.closeByPeer(4321, 'bye');
    await log.first('closure');
    expect(log.of('disconnection')).toEqual([
      { socket: expect.objectContaining({ id }), code: 4321, reason: 'bye' },
    ]);
    expect(server.clientsCount).toBe(0);
    await server.close();
    expect(engine.server.isClosed).toBe(true);
  });

  test('has refusals of the middleware and of the origin passed to it', async () => {
    const engine = fakeEngine();
    const { server } = await startServer({ wsEngine: engine, origins: 'good.example:80' });
    await expect(engine.server.connect({ headers: { origin: 'http://bad.example' } })).rejects.toThrow(
      '403 Failed to authorize socket handshake - Invalid origin: http://bad.example',
    );
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, (action) => {
        action.block(new Error('not you'));
      }),
    );
    await expect(engine.server.connect({ headers: { origin: 'http://good.example' } })).rejects.toThrow(
      '401 not you',
    );
  });

  test('has its errors emitted by the server, and a socket’s by the socket', async () => {
    const engine = fakeEngine();
    const { server, log, warning } = await startServer({ wsEngine: engine });
    const error = new Error('engine broken');
    engine.server.emit('error', error);
    expect(await log.first('error')).toEqual({ error });
    const link = await engine.server.connect();
    const aborted = nextValue(server.listener('connectionAbort'));
    link.emit('error', new Error('link broken'));
    expect(await warning()).toMatchObject({ message: 'link broken' });
    link.closeByPeer(1006);
    await aborted;
  });

  ours('that sends fewer events than promised, or more, breaks nothing', async () => {
    const engine = fakeEngine();
    const { server } = await startServer({ wsEngine: engine });
    const closures = collected(server.listener('closure'));
    const link = await engine.server.connect();
    link.receive({ event: '#handshake', cid: 1 });
    await link.packet((packet) => packet['rid'] === 1);
    link.closeByPeer(1000);
    link.emit('close', 1006, Buffer.alloc(0));
    link.emit('message', Buffer.from('{"event":"late"}'), false);
    link.emit('error', new Error('late'));
    await turn();
    await turn();
    expect(closures).toHaveLength(1);
    expect(server.clientsCount).toBe(0);
  });

  test('must have a `Server`', () => {
    const create = (wsEngine: object): unknown => serverModule.attach(createServer(), { wsEngine });
    expect(() => create({})).toThrow(expect.objectContaining({ name: 'InvalidOptionsError' }));
  });
});
