import type { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import {
  consume,
  deferred,
  holdUpgrades,
  ours,
  requestUpgrade,
  startServer,
  until,
  WireClient,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

describe('an upgrade request', () => {
  test('for the path, with or without a query, goes through', async () => {
    const { port } = await startServer();
    expect(await requestUpgrade(port)).toMatchObject({ status: 101 });
    expect(await requestUpgrade(port, { path: '/socketcluster/?a=1&b=/x' })).toMatchObject({ status: 101 });
  });

  test.for(['/', '/socketcluster', '/socketcluster/x', '/Socketcluster/', '//socketcluster/'])(
    'for %s is answered with 400',
    async (path) => {
      const { port } = await startServer();
      expect(await requestUpgrade(port, { path })).toMatchObject({ status: 400 });
    },
  );

  test('for the path it was given goes through, for the default one not', async () => {
    const { port, server } = await startServer({ path: '/custom/' });
    expect(server.getPath()).toBe('/custom/');
    expect(await requestUpgrade(port, { path: '/custom/' })).toMatchObject({ status: 101 });
    expect(await requestUpgrade(port)).toMatchObject({ status: 400 });
  });

  test('that is no valid WebSocket request is answered with 4xx', async () => {
    const { port } = await startServer();
    expect(await requestUpgrade(port, { headers: { 'Sec-WebSocket-Version': '7' } })).toMatchObject({
      status: expect.toSatisfy((status: number) => status === 400 || status === 426),
    });
    expect(await requestUpgrade(port, { headers: { 'Sec-WebSocket-Key': 'short' } })).toMatchObject({
      status: 400,
    });
    expect((await requestUpgrade(port, { method: 'POST' })).status).toBeGreaterThanOrEqual(400);
  });

  test('gets the first subprotocol it offers', async () => {
    const { url } = await startServer();
    const client = await WireClient.connect(url, { subprotocols: ['first', 'second'] });
    expect(client.subprotocol).toBe('first');
  });

  test('after `close()` of the server is left to the HTTP server', async () => {
    const http = createServer((_, response) => {
      response.writeHead(501).end();
    });
    const { port, server } = await startServer({}, { http });
    expect(await requestUpgrade(port)).toMatchObject({ status: 101 });
    await server.close();
    expect(await requestUpgrade(port)).toMatchObject({ status: 501 });
  });

  test('while `close()` of the server waits in the middleware is answered with 503', async () => {
    const { port, server } = await startServer();
    const held = holdUpgrades(server);
    const answer = requestUpgrade(port);
    await held.reached;
    await server.close();
    held.release();
    expect(await answer).toMatchObject({ status: 503 });
    expect(server.clientsCount + server.pendingClientsCount).toBe(0);
  });
});

describe('HANDSHAKE_WS', () => {
  test('sees the request, and may let it pass', async () => {
    const { server, url } = await startServer();
    const seen: unknown[] = [];
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, (action) => {
        if (action.type === action.HANDSHAKE_WS) {
          seen.push(
            action.request.url,
            action.request.headers['x-test'],
            'socket' in action && action.socket,
          );
        }
        action.allow();
      }),
    );
    const client = await WireClient.connect(`${url}?token=1`, { headers: { 'x-test': 'yes' } });
    await client.handshake();
    expect(seen.slice(0, 2)).toEqual(['/socketcluster/?token=1', 'yes']);
    expect(seen[2]).toBeFalsy();
    expect(server.clients[client.id]?.request.url).toBe('/socketcluster/?token=1');
  });

  test.for([
    ['an error', new Error('not you'), 'not you'],
    ['a string', 'go away', 'go away'],
    ['nothing', undefined, 'The handshakeWS AGAction was blocked by handshake middleware'],
  ] as const)('blocked with %s answers 401 with its message, and warns', async ([, reason, body]) => {
    const { port, server, log } = await startServer();
    const handshakes: unknown[] = [];
    void consume(server.listener('handshake'), (event) => handshakes.push(event));
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, (action) => {
        action.block(reason);
      }),
    );
    expect(await requestUpgrade(port)).toMatchObject({ status: 401, body });
    await log.first('warning');
    expect(handshakes).toEqual([]);
    expect(server.pendingClientsCount).toBe(0);
  });

  ours('blocked answers in plain text, whatever is in the message', async () => {
    const { port, server } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, (action) => {
        action.block(new Error('<script>alert("é")</script>\r\nX-Injected: 1'));
      }),
    );
    const { status, headers, body } = await requestUpgrade(port);
    expect(status).toBe(401);
    expect(headers['content-type']).toMatch(/^text\/plain/);
    expect(headers).not.toHaveProperty('x-injected');
    expect(body).toBe('<script>alert("é")</script>\r\nX-Injected: 1');
    expect(Number(headers['content-length'])).toBe(Buffer.byteLength(body));
  });

  test('blocked with a silent error hides its message and warns with it', async () => {
    const { port, server, warning } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, (action) => {
        action.block(Object.assign(new Error('secret'), { silent: true }));
      }),
    );
    const { status, body } = await requestUpgrade(port);
    expect(status).toBe(401);
    expect(body).not.toContain('secret');
    expect(await warning()).toMatchObject({ message: 'secret' });
  });

  ours('that never decides is answered with 408 at the handshake timeout', async () => {
    const { port, server } = await startServer({ handshakeTimeout: 80 });
    const gate = deferred();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, async (action) => {
        await gate.promise;
        action.allow();
      }),
    );
    expect(await requestUpgrade(port)).toMatchObject({ status: 408 });
    gate.resolve();
    server.removeMiddleware(server.MIDDLEWARE_HANDSHAKE);
    expect(await requestUpgrade(port)).toMatchObject({ status: 101 });
    expect(server.clientsCount).toBe(0);
  });

  ours('that decides late leaves only the rest of the handshake timeout to the client', async () => {
    const { open, connect, server, url } = await startServer({ handshakeTimeout: 600, pingInterval: 20 });
    const { client: clock } = await open();
    const reached = deferred();
    const gate = deferred();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, async (action) => {
        if (action.request.url?.endsWith('slow')) {
          reached.resolve();
          await gate.promise;
        }
        action.allow();
      }),
    );
    const connecting = WireClient.connect(`${url}?slow`, { autoPong: false });
    await reached.promise;
    await clock.pinged(clock.pings + 5);
    const later = await connect({ autoPong: false });
    await clock.pinged(clock.pings + 5);
    gate.resolve();
    const earlier = await connecting;
    const first = await Promise.race(
      [earlier, later].map(async (client) => client.closed.then(() => client)),
    );
    expect(first).toBe(earlier);
    expect(await earlier.ended()).toEqual({ code: 4005, reason: '' });
    expect(await later.ended()).toEqual({ code: 4005, reason: '' });
  });
});

describe('origins', () => {
  const table: [origins: string | string[], origin: string | undefined, isAllowed: boolean][] = [
    ['*:*', 'http://any.example', true],
    ['*:*', undefined, true],
    ['*:*', 'null', true],
    ['good.example:80', 'http://good.example', true],
    ['good.example:80', 'http://good.example:80', true],
    ['good.example:443', 'https://good.example', true],
    ['good.example:80', 'https://good.example', false],
    ['good.example:8000', 'http://good.example:8000', true],
    ['good.example:*', 'http://good.example:1234', true],
    ['good.example:*', 'https://bad.example', false],
    ['*:8080', 'http://any.example:8080', true],
    ['*:80', undefined, true],
    ['good.example:80', undefined, false],
    [['a.example:80', 'b.example:*'], 'http://b.example:99', true],
    [['a.example:80', 'b.example:*'], 'http://c.example', false],
  ];

  test.for(table)('%j decide on %s: %s', async ([origins, origin, isAllowed]) => {
    const { port, server, warnings } = await startServer({ origins });
    const answer = await requestUpgrade(port, origin === undefined ? {} : { headers: { Origin: origin } });
    expect(answer.status).toBe(isAllowed ? 101 : 403);
    if (isAllowed) return;
    expect(answer.body).toMatch(/^Failed to authorize socket handshake - Invalid origin: /);
    expect(warnings).toMatchObject([{ name: 'ServerProtocolError' }]);
    expect(server.pendingClientsCount).toBe(0);
  });

  ours.each<[string | string[], string, boolean]>([
    ['nota.com:80', 'http://a.com', false],
    ['a.com:8000', 'http://a.com:80', false],
    ['*:8080', 'http://any.example', false],
    ['good.example:80, other.example:80', 'http://other.example', true],
    ['good.example:80 other.example:80', 'http://good.example', true],
    ['Good.Example:80', 'http://gOOd.eXample', true],
    ['http://good.example:80', 'http://good.example', true],
    ['https://good.example', 'https://good.example', true],
    ['https://good.example', 'https://good.example:8443', false],
    ['https://good.example:443', 'http://good.example:443', false],
    ['münchen.example:*', 'https://xn--mnchen-3ya.example', true],
    ['[::1]:8000', 'http://[::1]:8000', true],
    ['[0:0:0:0:0:0:0:1]:*', 'http://[::1]:8000', true],
    ['127.0.0.1:*', 'http://127.1', true],
    ['good.example:*', 'http://good.example.', false],
    ['good.example:*', 'http://good.example:80@evil.example', false],
    ['good.example:*', 'http://good.example, http://evil.example', false],
    ['good.example:*', 'http://evil.example#good.example', false],
    ['good.example:*', 'http://evil.example\\good.example', false],
    ['good.example:*', 'http://user:pw@good.example', false],
    ['good.example:*', 'ftp://good.example', false],
    ['good.example:*', 'http://good.example.evil.example', false],
    ['good.example:*', 'http://evil.example/good.example', false],
    ['good.example:*', 'good.example', false],
    ['good.example:*', 'http://', false],
  ])('%j decide on %s: %s', async ([origins, origin, isAllowed]) => {
    const { port } = await startServer({ origins });
    const answer = await requestUpgrade(port, { headers: { Origin: origin } });
    expect(answer.status).toBe(isAllowed ? 101 : 403);
    if (!isAllowed) expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  });

  ours('may admit requests without one', async () => {
    const { port } = await startServer({ origins: 'good.example:80', allowMissingOrigin: true });
    expect(await requestUpgrade(port)).toMatchObject({ status: 101 });
    expect(await requestUpgrade(port, { headers: { Origin: 'http://bad.example' } })).toMatchObject({
      status: 403,
    });
  });

  ours('are echoed in the refusal with at most 64 characters', async () => {
    const { port } = await startServer({ origins: 'good.example:80' });
    const origin = `http://${'x'.repeat(2000)}.example`;
    const { body } = await requestUpgrade(port, { headers: { Origin: origin } });
    expect(body).toContain(origin.slice(0, 30));
    expect(body).not.toContain(origin.slice(0, 66));
  });

  test('are refused after the middleware has seen the request', async () => {
    const { port, server } = await startServer({ origins: 'good.example:80' });
    const seen: string[] = [];
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, (action) => {
        seen.push(action.type);
        action.allow();
      }),
    );
    expect(await requestUpgrade(port, { headers: { Origin: 'http://bad.example' } })).toMatchObject({
      status: 403,
    });
    expect(seen).toEqual(['handshakeWS']);
  });
});

test('a WebSocket that is handed over twice has one socket', async () => {
  const { server, open, warnings } = await startServer();
  const wsServer = server.wsServer as EventEmitter;
  wsServer.once('connection', (...given: unknown[]) => wsServer.emit('connection', ...given));
  const { client } = await open();
  expect([server.clientsCount, server.pendingClientsCount]).toEqual([1, 0]);
  client.webSocket.close(1000);
  await until(() => server.clientsCount === 0);
  expect(warnings).toEqual([]);
});
