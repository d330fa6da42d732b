import { createServer } from 'node:http';
import { nextValue, ours, requestUpgrade, serverModule, startServer, until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const { AGServer, attach } = serverModule;

describe('constructor(options)', () => {
  test('method `constructor(options)`: makes a server of the HTTP server that it is given', async () => {
    const httpServer = createServer();
    const server = new AGServer({ httpServer, path: '/here/' });
    expect(server).toBeInstanceOf(AGServer);
    expect(server.httpServer).toBe(httpServer);
    expect(server.options.path).toBe('/here/');
  });

  test('method `constructor(options)`: fills in the documented defaults', () => {
    expect(attach(createServer()).options).toMatchObject({
      wsEngine: 'ws',
      authDefaultExpiry: 86_400,
      protocolVersion: 2,
      handshakeTimeout: 10_000,
      ackTimeout: 10_000,
      origins: '*:*',
      pingInterval: 8000,
      middlewareEmitFailures: true,
      path: '/socketcluster/',
      allowClientPublish: true,
      batchOnHandshake: false,
      batchOnHandshakeDuration: 400,
      batchInterval: 50,
      socketStreamCleanupMode: 'kill',
    });
  });

  ours('method `constructor(options)`: fills in the documented defaults that upstream has not', () => {
    expect(attach(createServer()).options).toMatchObject({
      authAlgorithm: 'HS256',
      socketChannelLimit: 1000,
      pingTimeout: 20_000,
      perMessageDeflate: false,
    });
  });

  ours('method `constructor(options)`: takes `undefined` for "not given"', () => {
    const server = attach(createServer(), { pingTimeout: undefined, path: undefined });
    expect(server.options).toMatchObject({ pingTimeout: 20_000, path: '/socketcluster/' });
  });
});

describe('close()', () => {
  test('method `close()`: terminates the open sockets and accepts no new ones', async () => {
    const http = createServer((_, response) => response.writeHead(404).end());
    const { server, open, port } = await startServer({}, { http });
    const { client } = await open();
    await server.close();
    expect(await client.ended()).toEqual({ code: 1006, reason: '' });
    await until(() => server.clientsCount === 0);
    expect(server.isReady).toBe(false);
    expect((await requestUpgrade(port)).status).toBe(404);
  });

  ours('method `close()`: terminates the sockets in their handshake, too', async () => {
    const { server, connect } = await startServer();
    const client = await connect();
    await until(() => server.pendingClientsCount === 1);
    await server.close();
    expect((await client.ended()).code).toBe(1006);
    await until(() => server.pendingClientsCount === 0);
  });

  test('method `close()`: with `true` keeps the sockets that are open', async () => {
    const { server, open } = await startServer();
    const { client, socket } = await open();
    await server.close(true);
    const called = nextValue(socket.procedure('still there?'));
    const answer = client.call('still there?');
    (await called).end('yes');
    expect(await answer).toMatchObject({ data: 'yes' });
    client.terminate();
  });

  test('method `close()`: leaves the HTTP server to its owner', async () => {
    const { server, httpServer } = await startServer();
    await server.close();
    expect(httpServer.listening).toBe(true);
  });

  test('method `close()`: rejects when the server is closed already', async () => {
    const { server } = await startServer();
    await server.close();
    await expect(server.close()).rejects.toThrow('The server is not running');
  });
});

describe('setMiddleware(type, middlewareFn)', () => {
  test('method `setMiddleware(type, middlewareFn)`: handshake middleware decides who may connect', async () => {
    const { server, port, connect } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
      for await (const action of stream) {
        if (action.type === action.HANDSHAKE_WS && action.request.headers['x-guest'] !== undefined) {
          action.block(new Error('No guests'));
        } else {
          action.allow();
        }
      }
    });
    expect(await requestUpgrade(port, { headers: { 'X-Guest': '1' } })).toMatchObject({
      status: 401,
      body: 'No guests',
    });
    const client = await connect();
    expect(await client.handshake()).toMatchObject({ data: { isAuthenticated: false } });
  });

  test('method `setMiddleware(type, middlewareFn)`: inbound raw middleware sees and replaces frames', async () => {
    const { server, open } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND_RAW, async (stream) => {
      for await (const action of stream) {
        const frame = String(action.data);
        if (frame.includes('drop me')) action.block();
        else action.allow({ data: frame.replace('teh', 'the') });
      }
    });
    const { client, socket } = await open();
    const heard = nextValue(socket.receiver('word'));
    client.transmit('word', 'drop me');
    client.transmit('word', 'teh');
    expect(await heard).toBe('the');
  });

  test('method `setMiddleware(type, middlewareFn)`: inbound middleware blocks, allows and replaces', async () => {
    const { server, open } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
      for await (const action of stream) {
        if (action.type === action.SUBSCRIBE) action.block(new Error('Closed channel'));
        else if (action.type === action.INVOKE) action.allow({ data: `${String(action.data)}!` });
        else action.allow();
      }
    });
    const { client, socket } = await open();
    expect(await client.call('#subscribe', { channel: 'news' })).toMatchObject({
      error: { message: 'Closed channel' },
    });
    const called = nextValue(socket.procedure('shout'));
    client.send({ event: 'shout', data: 'hey', cid: 9 });
    expect((await called).data).toBe('hey!');
  });

  test('method `setMiddleware(type, middlewareFn)`: outbound middleware decides per receiver', async () => {
    const { server, open } = await startServer();
    const muted = new Set<unknown>();
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async (stream) => {
      for await (const action of stream) {
        if (muted.has(action.socket)) action.block();
        else action.allow({ data: `${action.channel}: ${String(action.data)}` });
      }
    });
    const silent = await open();
    const listening = await open();
    muted.add(silent.socket);
    await silent.client.call('#subscribe', { channel: 'news' });
    await listening.client.call('#subscribe', { channel: 'news' });
    await server.exchange.invokePublish('news', 'hello');

    expect(await listening.client.next()).toMatchObject({ data: { data: 'news: hello' } });
    await silent.client.fence();
    expect(silent.client.received.filter(({ event }) => event === '#publish')).toEqual([]);
  });

  test('method `setMiddleware(type, middlewareFn)`: does not see what the server publishes itself', async () => {
    const { server, open } = await startServer();
    const seen: string[] = [];
    server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
      for await (const action of stream) {
        seen.push(action.type);
        action.allow();
      }
    });
    const { client } = await open();
    await client.call('#subscribe', { channel: 'news' });
    await server.exchange.invokePublish('news', 1);
    await client.next((packet) => packet.event === '#publish');
    expect(seen).toEqual(['subscribe']);
  });

  test('method `setMiddleware(type, middlewareFn)`: refuses unknown types and a second function', async () => {
    const { server } = await startServer();
    const middleware = async (): Promise<void> => {};
    expect(() => server.setMiddleware('sideways' as never, middleware)).toThrow(
      expect.objectContaining({
        name: 'InvalidArgumentsError',
        message: 'Middleware sideways type is not supported',
      }),
    );
    server.setMiddleware(server.MIDDLEWARE_INBOUND, middleware);
    expect(() => server.setMiddleware(server.MIDDLEWARE_INBOUND, middleware)).toThrow(
      expect.objectContaining({
        name: 'InvalidActionError',
        message: 'Middleware inbound type has already been set',
      }),
    );
  });
});

describe('removeMiddleware(type, middlewareFn)', () => {
  test('method `removeMiddleware(type, middlewareFn)`: actions no longer pass through the function', async () => {
    const { server, open } = await startServer();
    const block = async (stream: AsyncIterable<{ block(): void }>): Promise<void> => {
      for await (const action of stream) action.block();
    };
    server.setMiddleware(server.MIDDLEWARE_INBOUND, block);
    const { client } = await open();
    expect(await client.call('#subscribe', { channel: 'news' })).toHaveProperty('error');

    server.removeMiddleware(server.MIDDLEWARE_INBOUND, block);
    expect(server.hasMiddleware(server.MIDDLEWARE_INBOUND)).toBe(false);
    expect(await client.call('#subscribe', { channel: 'news' })).not.toHaveProperty('error');
  });

  test('method `removeMiddleware(type, middlewareFn)`: the function may be left out', async () => {
    const { server } = await startServer();
    server.removeMiddleware(server.MIDDLEWARE_OUTBOUND);
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async () => {});
    server.removeMiddleware(server.MIDDLEWARE_OUTBOUND);
    expect(server.hasMiddleware(server.MIDDLEWARE_OUTBOUND)).toBe(false);
  });

  ours(
    'method `removeMiddleware(type, middlewareFn)`: another function than the one set does nothing',
    async () => {
      const { server } = await startServer();
      server.setMiddleware(server.MIDDLEWARE_INBOUND, async () => {});
      server.removeMiddleware(server.MIDDLEWARE_INBOUND, async () => {});
      expect(server.hasMiddleware(server.MIDDLEWARE_INBOUND)).toBe(true);
    },
  );
});

test('`AGServer` and its instances have the middleware constants', async () => {
  const { server } = await startServer();
  const constants = {
    MIDDLEWARE_HANDSHAKE: 'handshake',
    MIDDLEWARE_INBOUND_RAW: 'inboundRaw',
    MIDDLEWARE_INBOUND: 'inbound',
    MIDDLEWARE_OUTBOUND: 'outbound',
  };
  for (const [name, value] of Object.entries(constants)) {
    expect(Reflect.get(server, name)).toBe(value);
    expect(Reflect.get(AGServer, name)).toBe(value);
  }
});
