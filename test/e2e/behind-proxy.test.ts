import { createServer, type IncomingMessage, type Server } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { create as createOurs } from '@socketcluster-ts/client';
import {
  afterTest,
  answer,
  EventLog,
  nextValue,
  onConnection,
  type ServerOptions,
  type StartedServer,
  socketOf,
  startServer,
  take,
  WireClient,
  withDeadline,
} from '@socketcluster-ts/testkit';
import published from 'socketcluster-client';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Proxy, startHaproxy, startNginx } from './proxies.js';

const PROXIES = [
  ['nginx', startNginx],
  ['HAProxy', startHaproxy],
] as const;
const CLIENTS = [
  ['our client', createOurs],
  ['the published client', published.create],
] as const;
const BOTH = PROXIES.flatMap(([proxy, start]) =>
  CLIENTS.map(([client, create]) => [`${client} behind ${proxy}`, start, create] as const),
);

type Create = typeof createOurs;

/** A server as the configurations expect it: it tells its health, and knows which requests reached it. */
interface ServerBehind extends StartedServer {
  readonly requests: IncomingMessage[];
}

async function startBehind(options: ServerOptions = {}): Promise<ServerBehind> {
  const requests: IncomingMessage[] = [];
  const http = createServer((incoming, response) => {
    if (incoming.url === '/health') {
      response.end('healthy');
      return;
    }
    requests.push(incoming);
    response.writeHead(404).end();
  });
  http.on('upgrade', (incoming: IncomingMessage) => requests.push(incoming));
  return { ...(await startServer({ trustedProxies: ['127.0.0.1'], ...options }, { http })), requests };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  afterTest(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function connect(proxy: Proxy, create: Create): Promise<ReturnType<Create>> {
  const client = create({
    hostname: '127.0.0.1',
    port: proxy.port,
    secure: proxy.secure,
    wsOptions: { rejectUnauthorized: false },
  });
  afterTest(() => {
    client.disconnect();
  });
  await nextValue(client.listener('connect'));
  return client;
}

/** A connection that is nothing but frames, through the proxy. */
async function connectWire(
  proxy: Proxy,
  { path = '/socketcluster/', headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<WireClient> {
  const url = `${proxy.secure ? 'wss' : 'ws'}://127.0.0.1:${proxy.port}${path}`;
  const socket = new WebSocket(url, { headers, rejectUnauthorized: false });
  const client = new WireClient(socket);
  afterTest(() => {
    client.terminate();
  });
  await withDeadline(
    new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    }),
    'a connection through the proxy',
  );
  return client;
}

describe.each(BOTH)('%s', (_, start, create) => {
  test('calls, is called, publishes and is published to', async () => {
    const started = await startBehind();
    onConnection(started, (socket) => answer(socket, 'double', (data) => (data as number) * 2));
    const client = await connect(await start([started.port]), create);
    answer(client, 'triple', (data) => (data as number) * 3);
    expect(await client.invoke('double', 21)).toBe(42);
    expect(await (await socketOf(started, client)).invoke('triple', 14)).toBe(42);

    const channel = client.subscribe('news');
    await nextValue(channel.listener('subscribe'));
    const heard = take(channel, 2);
    await client.invokePublish('news', 'from the client');
    await started.server.exchange.invokePublish('news', 'from the server');
    expect(await heard).toEqual(['from the client', 'from the server']);
  });

  test('sends and receives large messages, and is refused beyond maxPayload', async () => {
    const started = await startBehind({ maxPayload: 1_000_000 });
    onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
    const client = await connect(await start([started.port]), create);
    const text = 'é'.repeat(450_000);
    expect(await client.invoke('echo', text)).toBe(text);
    const gone = nextValue(client.listener('disconnect'));
    const refused = client.invoke('echo', 'x'.repeat(1_000_001)).catch((error: Error) => error.name);
    expect(await gone).toMatchObject({ code: 1009 });
    expect(await refused).toBe('BadConnectionError');
  });
});

describe.each(PROXIES)('behind %s', (name, start) => {
  test('clients stay connected while nothing is said, thanks to the pings', async () => {
    const started = await startBehind({ pingInterval: 200, pingTimeout: 10_000 });
    const proxy = await start([started.port], { idleSeconds: 2 });
    const clients = await Promise.all(CLIENTS.map(([, create]) => connect(proxy, create)));
    const ids = clients.map(({ id }) => id);
    const wire = await connectWire(proxy);
    await wire.handshake();
    // More than twice as long as the proxy allows for silence.
    await wire.pinged(25, 12_000);
    expect(clients.map(({ state }) => state)).toEqual(['open', 'open']);
    expect(clients.map(({ id }) => id)).toEqual(ids);
    expect(wire.closeInfo).toBeUndefined();
  });

  test('a connection is cut when nothing at all is said', async () => {
    const started = await startBehind({ pingTimeoutDisabled: true });
    const wire = await connectWire(await start([started.port], { idleSeconds: 1 }));
    await wire.handshake();
    expect(await wire.ended(10_000)).toMatchObject({ code: 1006 });
  });

  test('the address of the client is the one that the proxy saw, whatever the client claims', async () => {
    const started = await startBehind();
    const wire = await connectWire(await start([started.port]), {
      headers: { 'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'gopher' },
    });
    await wire.handshake();
    expect(started.requests[0]?.headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': name === 'nginx' ? 'https' : 'http',
    });
    expect(started.server.clients[wire.id]).toMatchObject({ forwardedForAddress: '127.0.0.1' });
  });

  test('only its path is there: any other is answered with 404 and does not reach the server', async () => {
    const started = await startBehind({ path: null });
    const proxy = await start([started.port]);
    for (const path of [
      '/',
      '/socketcluster',
      '/socketcluster/x',
      '/SocketCluster/',
      '/health',
      '/socketcluster//',
    ]) {
      await expect(connectWire(proxy, { path })).rejects.toThrow('Unexpected server response: 404');
    }
    expect(started.requests).toEqual([]);
    await connectWire(proxy, { path: '/socketcluster/?room=tea' });
    expect(started.requests).toMatchObject([{ url: '/socketcluster/?room=tea' }]);
  });

  test('the pages of the own host are admitted by origins: self, and no others', async () => {
    const started = await startBehind({ origins: 'self' });
    const proxy = await start([started.port]);
    const own = `${proxy.secure ? 'https' : 'http'}://127.0.0.1:${proxy.port}`;
    const wire = await connectWire(proxy, { headers: { Origin: own } });
    expect(await wire.handshake()).not.toHaveProperty('error');
    for (const origin of ['https://evil.example', `http://127.0.0.1:${started.port}`]) {
      await expect(connectWire(proxy, { headers: { Origin: origin } })).rejects.toThrow(
        'Unexpected server response: 403',
      );
    }
  });

  test('headers of 4,000 bytes arrive, and endless ones are refused by the proxy', async () => {
    const started = await startBehind();
    const proxy = await start([started.port]);
    const cookie = `session=${'c'.repeat(3992)}`;
    const wire = await connectWire(proxy, { headers: { Cookie: cookie } });
    await wire.handshake();
    expect(started.requests[0]?.headers.cookie).toBe(cookie);
    await expect(connectWire(proxy, { headers: { Cookie: 'c'.repeat(40_000) } })).rejects.toThrow(
      /Unexpected server response: 4\d\d/,
    );
    expect(started.requests).toHaveLength(1);
  });

  test('a server that takes no more connections is passed over', async () => {
    let refusals = 0;
    const full = createServer((_, response) => response.end('healthy'));
    full.on('upgrade', (_incoming, socket) => {
      refusals += 1;
      socket.end('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n');
    });
    const fullPort = await listen(full);
    const started = await startBehind();
    const proxy = await start([fullPort, started.port]);
    for (let count = 0; count < 4; count += 1) {
      const wire = await connectWire(proxy);
      expect(await wire.handshake()).not.toHaveProperty('error');
    }
    expect(refusals).toBeGreaterThan(0);
    expect(started.server.clientsCount).toBe(4);
  });

  test('a close code of the server arrives, and a connection of the client that is reset is noticed', async () => {
    const started = await startBehind();
    const proxy = await start([started.port]);
    const kicked = await connectWire(proxy);
    await kicked.handshake();
    await started.server.clients[kicked.id]?.disconnect(4100, 'Bye');
    expect(await kicked.ended()).toEqual({ code: 4100, reason: 'Bye' });
    const wire = await connectWire(proxy);
    await wire.handshake();
    const closures = new EventLog().record(started.server, ['closure']);
    wire.terminate();
    await closures.first('closure');
    expect(started.server.clientsCount).toBe(0);
  });
});

test('nginx ends TLS: what it is spoken to without is refused', async () => {
  const started = await startBehind();
  const { port } = await startNginx([started.port]);
  await expect(connectWire({ port, secure: false })).rejects.toThrow('Unexpected server response: 400');
  const status = await withDeadline(
    new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, path: '/', rejectUnauthorized: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    }),
    'an answer over TLS',
  );
  expect(status).toBe(404);
});
