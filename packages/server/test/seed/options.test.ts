import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  afterTest,
  EventLog,
  fakeEngine,
  nextValue,
  ours,
  requestUpgrade,
  type ServerOptions,
  serverModule,
  startServer,
  WireClient,
} from '@socketcluster-ts/testkit';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startClockedServer } from './clocked-server.js';

const { AGServer } = serverModule;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Writes a package `marked-engine`, whose server is the one of `ws` with a mark, into a fresh directory. */
async function writeEngine(): Promise<{ root: string; path: string }> {
  const root = await mkdtemp(join(tmpdir(), 'engine-'));
  afterTest(() => rm(root, { recursive: true }));
  const folder = join(root, 'node_modules', 'marked-engine');
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'index.js');
  const ws = createRequire(import.meta.url).resolve('ws');
  await writeFile(
    path,
    `const ws = require(${JSON.stringify(ws)});
     class Server extends ws.Server { mark = 'marked'; }
     module.exports = { Server };`,
  );
  return { root, path };
}

describe('httpServer', () => {
  test('option `httpServer`: connections come through the HTTP server that is given', async () => {
    const httpServer = createServer();
    const server = new AGServer({ httpServer });
    await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
    afterTest(() => httpServer.close());
    afterTest(() => server.close());
    const { port } = httpServer.address() as { port: number };
    const client = await WireClient.connect(`ws://127.0.0.1:${port}/socketcluster/`);
    expect(await client.handshake()).toMatchObject({ rid: 1 });
    expect(server.clientsCount).toBe(1);
  });
});

describe('wsEngine', () => {
  test("option `wsEngine`: is 'ws' by default", async () => {
    const { server, open } = await startServer();
    expect(server.options.wsEngine).toBe('ws');
    const { client } = await open();
    expect(await client.call('#subscribe', { channel: 'news' })).toEqual({ rid: 2 });
  });

  ours('option `wsEngine`: a module name is found from the working directory', async () => {
    const { root } = await writeEngine();
    vi.spyOn(process, 'cwd').mockReturnValue(root);
    const { server, open } = await startServer({ wsEngine: 'marked-engine' });
    expect(server.wsServer).toHaveProperty('mark', 'marked');
    const { client } = await open();
    expect(await client.call('#subscribe', { channel: 'news' })).toEqual({ rid: 2 });
  });

  test('option `wsEngine`: a path is loaded', async () => {
    const { path } = await writeEngine();
    const { server, open } = await startServer({ wsEngine: path });
    expect(server.wsServer).toHaveProperty('mark', 'marked');
    const { client } = await open();
    expect(await client.call('#subscribe', { channel: 'news' })).toEqual({ rid: 2 });
  });

  test('option `wsEngine`: an object with a Server is used as it is', async () => {
    class Server extends WebSocketServer {
      readonly mark = 'own';
    }
    const { server, open } = await startServer({ wsEngine: { Server } });
    expect(server.wsServer).toBeInstanceOf(Server);
    const { client } = await open();
    expect(await client.call('#subscribe', { channel: 'news' })).toEqual({ rid: 2 });
  });

  test('option `wsEngine`: a module that cannot be found is an error at once', () => {
    expect(() => new AGServer({ httpServer: createServer(), wsEngine: 'no-such-engine' })).toThrow(
      /no-such-engine/,
    );
  });
});

describe('wsEngineServerOptions', () => {
  test('option `wsEngineServerOptions`: reaches the Server of the engine', () => {
    const wsEngine = fakeEngine();
    const server = new AGServer({
      httpServer: createServer(),
      wsEngine,
      wsEngineServerOptions: { backlog: 17, path: '/mine/' },
    });
    expect(server.wsServer).toBe(wsEngine.server);
    expect(wsEngine.server.options).toMatchObject({ backlog: 17, path: '/mine/' });
  });

  test('option `wsEngineServerOptions`: its `maxPayload` limits what a client may send', async () => {
    const { open } = await startServer({ wsEngineServerOptions: { maxPayload: 200 } });
    const { client } = await open();
    client.transmit('short', 'x'.repeat(100));
    await client.fence();
    client.transmit('long', 'x'.repeat(200));
    expect((await client.ended()).code).toBe(1009);
  });
});

describe('perMessageDeflate', () => {
  const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };

  test('option `perMessageDeflate`: is off by default, the offer of a client is not taken', async () => {
    const { port } = await startServer();
    const { status, headers } = await requestUpgrade(port, { headers: offer });
    expect(status).toBe(101);
    expect(headers['sec-websocket-extensions']).toBeUndefined();
  });

  test('option `perMessageDeflate`: with `true` compression is agreed on, and works', async () => {
    const { port, server, url } = await startServer({ perMessageDeflate: true });
    const { headers } = await requestUpgrade(port, { headers: offer });
    expect(headers['sec-websocket-extensions']).toContain('permessage-deflate');

    const long = 'all work and no play '.repeat(500);
    const socket = new WebSocket(url);
    afterTest(() => socket.terminate());
    const connection = nextValue(server.listener('connection'));
    socket.on('open', () => socket.send('{"event":"#handshake","cid":1}'));
    const heard = nextValue((await connection).socket.receiver('text'));
    expect(socket.extensions).toContain('permessage-deflate');
    socket.send(JSON.stringify({ event: 'text', data: long }));
    expect(await heard).toBe(long);
    const echoed = new Promise((resolve) => {
      socket.on('message', (data: Buffer) => {
        if (data.includes('"event":"text"')) resolve(JSON.parse(data.toString()));
      });
    });
    void (await connection).socket.transmit('text', long);
    expect(await echoed).toEqual({ event: 'text', data: long });
  });

  test('option `perMessageDeflate`: an object is handed to the engine', async () => {
    const { port } = await startServer({ perMessageDeflate: { serverMaxWindowBits: 10 } });
    const { headers } = await requestUpgrade(port, { headers: offer });
    expect(headers['sec-websocket-extensions']).toContain('server_max_window_bits=10');
  });
});

describe('protocolVersion', () => {
  test('option `protocolVersion`: 2, the default, pings with an empty frame', async () => {
    const { connect, advance } = startClockedServer({ pingInterval: 1000 });
    const { peer, socket } = await connect();
    await advance(1030);
    expect(peer.sent.at(-1)?.toString()).toBe('');
    expect(socket.protocolVersion).toBe(2);
  });

  test('option `protocolVersion`: 1 pings with `#1` and takes `#2` for a pong', async () => {
    const { connect, advance } = startClockedServer({
      protocolVersion: 1,
      pingInterval: 1000,
      pingTimeout: 3000,
    });
    const { peer, socket } = await connect();
    const raw = new EventLog().record(socket, ['raw']);
    for (let second = 0; second < 6; second += 1) {
      await advance(1000);
      peer.receive('#2');
    }
    await advance(0);
    expect(peer.sent.at(-1)?.toString()).toBe('#1');
    expect(peer.closeInfo).toBeUndefined();
    expect(raw.events).toEqual([]);
    expect(socket.protocolVersion).toBe(1);
  });
});

describe('origins', () => {
  async function statusFor(options: ServerOptions, origin?: string): Promise<number> {
    const { port } = await startServer(options);
    const { status } = await requestUpgrade(port, {
      headers: origin === undefined ? {} : { Origin: origin },
    });
    return status;
  }

  test('option `origins`: by default every origin may connect, and none', async () => {
    expect(await statusFor({}, 'https://anywhere.example')).toBe(101);
    expect(await statusFor({})).toBe(101);
  });

  test.each([
    ['chat.example:443', 'https://chat.example', 101],
    ['chat.example:80', 'http://chat.example', 101],
    ['chat.example:443', 'https://other.example', 403],
    ['chat.example:443', 'https://chat.example:8443', 403],
    ['chat.example:*', 'https://chat.example:8443', 101],
    ['*:8443', 'https://other.example:8443', 101],
    ['*:8443', 'https://other.example', 403],
  ])('option `origins`: %j answers %s with %i', async (origins, origin, status) => {
    expect(await statusFor({ origins }, origin)).toBe(status);
  });

  test('option `origins`: may be an array', async () => {
    const origins = ['chat.example:443', 'mobile.example:443'];
    expect(await statusFor({ origins }, 'https://mobile.example')).toBe(101);
    expect(await statusFor({ origins }, 'https://other.example')).toBe(403);
  });

  test('option `origins`: a refused origin is told in the answer and as a warning', async () => {
    const { port, warning } = await startServer({ origins: 'chat.example:443' });
    const text = 'Failed to authorize socket handshake - Invalid origin: https://evil.example';
    const answer = await requestUpgrade(port, { headers: { Origin: 'https://evil.example' } });
    expect(answer).toMatchObject({ status: 403, body: text });
    expect(await warning()).toMatchObject({ name: 'ServerProtocolError', message: text });
  });
});

describe('socketChannelLimit', () => {
  ours(
    'option `socketChannelLimit`: by default the 1001st channel is refused, a held one is not',
    async () => {
      const { open } = await startServer();
      const { client, socket } = await open();
      const subscribe = (index: number): object => ({
        event: '#subscribe',
        data: { channel: `channel ${index}` },
        cid: index + 10,
      });
      client.send(Array.from({ length: 1001 }, (_, index) => subscribe(index)));
      expect(await client.next(({ rid }) => rid === 1009)).toEqual({ rid: 1009 });
      const refused = await client.next(({ rid }) => rid === 1010);
      expect(refused.error).toMatchObject({
        name: expect.any(String),
        message: expect.stringContaining('1000'),
      });
      expect(socket.subscriptions()).toHaveLength(1000);

      expect(await client.call('#subscribe', { channel: 'channel 0' })).not.toHaveProperty('error');
      expect(socket.subscriptions()).toHaveLength(1000);
    },
  );

  test('option `socketChannelLimit`: another limit holds, and a channel given up makes room', async () => {
    const { open } = await startServer({ socketChannelLimit: 2 });
    const { client } = await open();
    await client.call('#subscribe', { channel: 'a' });
    await client.call('#subscribe', { channel: 'b' });
    expect(await client.call('#subscribe', { channel: 'c' })).toHaveProperty('error');
    await client.call('#unsubscribe', 'a');
    expect(await client.call('#subscribe', { channel: 'c' })).not.toHaveProperty('error');
  });

  test.each([null, 0, false, Number.POSITIVE_INFINITY])(
    'option `socketChannelLimit`: %j means no limit',
    async (socketChannelLimit) => {
      const { open } = await startServer({ socketChannelLimit } as ServerOptions);
      const { client, socket } = await open();
      client.send(
        Array.from({ length: 1100 }, (_, index) => ({
          event: '#subscribe',
          data: { channel: `channel ${index}` },
          cid: index + 10,
        })),
      );
      expect(await client.next(({ rid }) => rid === 1109)).toEqual({ rid: 1109 });
      expect(socket.subscriptions()).toHaveLength(1100);
    },
  );
});

describe('middlewareEmitFailures', () => {
  async function failuresOf(options: ServerOptions): Promise<string[]> {
    const { server, open } = await startServer(options);
    server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
      for await (const action of stream) {
        if (action.type === action.SUBSCRIBE) action.block(new Error('Members only'));
        else action.allow();
      }
    });
    const { client, socket } = await open();
    const log = new EventLog().record(socket, ['error'], 'socket ').record(server, ['warning'], 'server ');
    expect(await client.call('#subscribe', { channel: 'a' })).toMatchObject({
      error: { message: 'Members only' },
    });
    await client.fence();
    return log.names.toSorted();
  }

  test('option `middlewareEmitFailures`: by default a blocked action is an error event and a warning', async () => {
    expect(await failuresOf({})).toEqual(['server warning', 'socket error']);
  });

  test('option `middlewareEmitFailures`: with `false` only the client is told', async () => {
    expect(await failuresOf({ middlewareEmitFailures: false })).toEqual([]);
  });
});

describe('path', () => {
  test('option `path`: is /socketcluster/ by default, with any query and nothing else', async () => {
    const { port } = await startServer();
    expect((await requestUpgrade(port, { path: '/socketcluster/?a=1' })).status).toBe(101);
    expect((await requestUpgrade(port, { path: '/socketcluster' })).status).toBe(400);
    expect((await requestUpgrade(port, { path: '/socketcluster/more' })).status).toBe(400);
  });

  test('option `path`: another path replaces the default', async () => {
    const { server, port } = await startServer({ path: '/live' });
    expect(server.getPath()).toBe('/live');
    expect((await requestUpgrade(port, { path: '/live' })).status).toBe(101);
    expect((await requestUpgrade(port, { path: '/socketcluster/' })).status).toBe(400);
  });

  test('option `path`: `null` takes every path', async () => {
    const { port } = await startServer({ path: null });
    expect((await requestUpgrade(port, { path: '/wherever' })).status).toBe(101);
  });
});

describe('allowClientPublish', () => {
  test('option `allowClientPublish`: clients may publish by default', async () => {
    const { open } = await startServer();
    const { client } = await open();
    expect(await client.call('#publish', { channel: 'news', data: 1 })).toEqual({ rid: 2 });
  });

  test('option `allowClientPublish`: with `false` only the server may, and middleware is not asked', async () => {
    const { server, open } = await startServer({ allowClientPublish: false });
    const asked: string[] = [];
    server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
      for await (const action of stream) {
        asked.push(action.type);
        action.allow();
      }
    });
    const { client } = await open();
    await client.call('#subscribe', { channel: 'news' });
    expect(await client.call('#publish', { channel: 'news', data: 'mine' })).toMatchObject({
      error: { name: 'InvalidActionError', message: 'Client publish feature is disabled' },
    });
    await server.exchange.invokePublish('news', 'yours');
    expect(await client.next()).toEqual({ event: '#publish', data: { channel: 'news', data: 'yours' } });
    expect(asked).toEqual(['subscribe']);
  });
});
