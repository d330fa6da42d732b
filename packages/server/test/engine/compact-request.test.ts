import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterTest, nextValue, startServer, WireClient } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

const HEADERS: Record<string, string | string[]> = {
  cookie: ['a=1', 'b=2'],
  'set-cookie': ['x=1', 'y=2'],
  'x-twice': ['one', 'two'],
  'user-agent': ['first', 'second'],
  'X-Mixed-Case': 'Value: with, everything; in it',
  'x-empty': '',
  ['__proto__']: 'harmless',
  'x-latin': 'caf\u00e9',
};

const PATH = '/socketcluster/?room=t%20ea&n=1';

/** What an application can read of a request. */
function readable(request: IncomingMessage): unknown {
  const { method, url, httpVersion, httpVersionMajor, httpVersionMinor, complete } = request;
  const differs = (name = ''): boolean => ['sec-websocket-key', 'host'].includes(name.toLowerCase());
  const rawHeaders = request.rawHeaders.filter((_, at, all) => !differs(all[at - (at % 2)]));
  const headers = Object.entries(request.headers).filter(([name]) => !differs(name));
  const distinct = Object.entries(request.headersDistinct).filter(([name]) => !differs(name));
  return {
    method,
    url,
    httpVersion,
    httpVersionMajor,
    httpVersionMinor,
    complete,
    rawHeaders,
    headers,
    distinct,
  };
}

/** The same request as Node itself shows it. */
async function asNodeShowsIt(): Promise<unknown> {
  const plain = createServer();
  await new Promise<void>((resolve) => {
    plain.listen(0, '127.0.0.1', resolve);
  });
  const seen = new Promise<unknown>((resolve) => {
    plain.once('upgrade', (request, socket) => {
      resolve(readable(request));
      socket.destroy();
    });
  });
  const { port } = plain.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}${PATH}`, {
    perMessageDeflate: false,
    headers: HEADERS as never,
  });
  client.on('error', () => {});
  afterTest(() => new Promise((resolve) => plain.close(resolve)));
  return seen;
}

describe('socket.request', () => {
  test('shows the same as the request Node made, when it is first read long after the handshake', async () => {
    const { server, port } = await startServer();
    const connected = nextValue(server.listener('connection'));
    const client = await WireClient.connect(`ws://127.0.0.1:${port}${PATH}`, { headers: HEADERS as never });
    await client.handshake();
    const { socket } = await connected;
    await client.fence();

    expect(readable(socket.request)).toEqual(await asNodeShowsIt());
    expect(socket.request).toBe(socket.request);
    expect(socket.request.socket.remoteAddress).toBe('127.0.0.1');
    expect(Object.getPrototypeOf(socket.request.headers)).toBe(Object.prototype);
  });

  test('is the object of the `upgrade` event when the application listens to it too', async () => {
    const { server, httpServer, url } = await startServer();
    const seen: IncomingMessage[] = [];
    httpServer.prependListener('upgrade', (request: IncomingMessage & { session?: string }) => {
      seen.push(request);
      setImmediate(() => (request.session = 'late'));
    });
    const connected = nextValue(server.listener('connection'));
    const client = await WireClient.connect(url);
    await client.handshake();
    const { socket } = await connected;
    await client.fence();
    expect(socket.request).toBe(seen[0]);
    expect(socket.request).toHaveProperty('session', 'late');
  });

  test('is the object the handshake middleware saw', async () => {
    const { server, url } = await startServer();
    const seen: IncomingMessage[] = [];
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
      for await (const action of stream) {
        seen.push(action.request);
        action.allow();
      }
    });
    const connected = nextValue(server.listener('connection'));
    const client = await WireClient.connect(url);
    await client.handshake();
    const { socket } = await connected;
    await client.fence();
    expect(seen).toHaveLength(2);
    expect(seen.every((request) => request === socket.request)).toBe(true);
  });

  test('keeps what the application put on it before or after the handshake', async () => {
    const { server, url } = await startServer();
    const begun = nextValue(server.listener('handshake'));
    const client = await WireClient.connect(url);
    const { socket } = await begun;
    Object.assign(socket.request, { user: 'ann' });
    await client.handshake();
    await client.fence();
    Object.assign(socket.request, { seat: 12 });
    expect(socket.request).toMatchObject({ user: 'ann', seat: 12 });
  });
});
