import {
  consume,
  holdUpgrades,
  nextValue,
  RawConnection,
  requestUpgrade,
  startServer,
  until,
  upgradeRequest,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

describe('limits.maxConnections', () => {
  test('refuses one too many with 503 and Retry-After, and takes another when one has gone', async () => {
    const { port, open, server, warnings } = await startServer({ limits: { maxConnections: 2 } });
    const { client } = await open();
    await open();
    for (let count = 0; count < 3; count += 1) {
      const { status, headers, body } = await requestUpgrade(port);
      expect(status).toBe(503);
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(body).toBe('There are too many connections');
    }
    // One warning, however many are refused.
    expect(warnings).toMatchObject([
      { name: 'ResourceLimitError', message: expect.stringContaining('too many connections') },
    ]);
    client.terminate();
    await until(() => server.clientsCount === 1);
    expect(await requestUpgrade(port)).toMatchObject({ status: 101 });
  });

  test('leaves those who are connected alone', async () => {
    const { port, open } = await startServer({ limits: { maxConnections: 1 } });
    const { client, socket } = await open();
    void consume(socket.procedure('echo'), (request) => {
      request.end(request.data);
    });
    for (let count = 0; count < 20; count += 1) {
      const refused = requestUpgrade(port);
      expect(await client.call('echo', count)).toMatchObject({ data: count });
      expect(await refused).toMatchObject({ status: 503 });
    }
  });
});

describe('a refusal', () => {
  test('is the same for requests that the library answers', async () => {
    const { port, open } = await startServer({ limits: { maxConnections: 1 } });
    await open();
    const { status, headers, body } = await requestUpgrade(port, {
      headers: { 'Sec-WebSocket-Protocol': 'chat' },
    });
    expect([status, body]).toEqual([503, 'There are too many connections']);
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
  });

  test('comes before the middleware is asked, and is not told to it', async () => {
    const { port, open, server } = await startServer({ limits: { maxConnections: 1 } });
    await open();
    const seen: string[] = [];
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, (action) => {
        seen.push(action.type);
        action.allow();
      }),
    );
    expect(await requestUpgrade(port)).toMatchObject({ status: 503 });
    expect(seen).toEqual([]);
  });
});

describe('limits.maxPendingHandshakes', () => {
  test('counts connections before their handshake, not those after it', async () => {
    const { port, open, connect } = await startServer({ limits: { maxPendingHandshakes: 2 } });
    await open();
    await open();
    const first = await connect();
    await connect();
    expect(await requestUpgrade(port)).toMatchObject({
      status: 503,
      body: 'There are too many unfinished handshakes',
    });
    await first.handshake();
    expect(await requestUpgrade(port)).toMatchObject({ status: 101 });
  });

  test('counts requests that wait for a middleware', async () => {
    const { port, server } = await startServer({ limits: { maxPendingHandshakes: 1 } });
    const held = holdUpgrades(server);
    const asked = requestUpgrade(port);
    await held.reached;
    expect(await requestUpgrade(port)).toMatchObject({ status: 503 });
    held.release();
    expect(await asked).toMatchObject({ status: 101 });
    await until(() => server.pendingClientsCount === 0);
    expect(await requestUpgrade(port)).toMatchObject({ status: 101 });
  });
});

describe('limits.maxConnectionsPerAddress', () => {
  test('refuses one too many with 429, and takes another when a connection has gone', async () => {
    const { port, open } = await startServer({ limits: { maxConnectionsPerAddress: 2 } });
    const { client } = await open();
    await open();
    const { status, headers, body } = await requestUpgrade(port);
    expect([status, body]).toEqual([429, 'Too many connections of one address']);
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    client.terminate();
    await until2xx(port);
  });

  test('counts a connection that sends nothing after its upgrade', async () => {
    const { port } = await startServer({ limits: { maxConnectionsPerAddress: 1 } });
    const raw = await RawConnection.upgrade(port);
    expect(await requestUpgrade(port)).toMatchObject({ status: 429 });
    raw.reset();
    await until2xx(port);
  });

  test('counts the clients behind a trusted proxy by the address that it reports', async () => {
    const options = { limits: { maxConnectionsPerAddress: 1 }, trustedProxies: ['127.0.0.0/8'] };
    const { port, open, server } = await startServer(options);
    const connected = nextValue(server.listener('connection'));
    await open({ headers: { 'X-Forwarded-For': '203.0.113.9, 198.51.100.1' } });
    const { socket } = await connected;
    expect(socket).toMatchObject({ remoteAddress: '127.0.0.1', forwardedForAddress: '198.51.100.1' });
    const from = async (address: string): Promise<number> =>
      (await requestUpgrade(port, { headers: { 'X-Forwarded-For': address } })).status;
    expect(await from('198.51.100.1')).toBe(429);
    // What a client writes there itself does not make it another one.
    expect(await from('192.0.2.44, 198.51.100.1')).toBe(429);
    expect(await from('198.51.100.2')).toBe(101);
  });

  test('does not believe X-Forwarded-For of anybody else', async () => {
    const { port, open } = await startServer({
      limits: { maxConnectionsPerAddress: 1 },
      trustedProxies: ['10.0.0.0/8'],
    });
    const { socket } = await open({ headers: { 'X-Forwarded-For': '198.51.100.1' } });
    expect(socket.forwardedForAddress).toBeUndefined();
    const headers = { 'X-Forwarded-For': '198.51.100.2' };
    expect(await requestUpgrade(port, { headers })).toMatchObject({ status: 429 });
  });
});

describe('limits.upgradesPerSecond', () => {
  test('takes four times as many at once, then answers 429 with the seconds to wait', async () => {
    const { port } = await startServer({ limits: { upgradesPerSecond: 0.5 } });
    expect(await requestUpgrade(port)).toMatchObject({ status: 101 });
    expect(await requestUpgrade(port)).toMatchObject({ status: 101 });
    const { status, headers, body } = await requestUpgrade(port);
    expect([status, body]).toEqual([429, 'Too many connection attempts of one address']);
    expect(headers['retry-after']).toMatch(/^[12]$/);
  });
});

describe('the option trustedProxies', () => {
  test.for([
    [['localhost'], /trustedProxies.*an array of 1/],
    ['10.0.0.1', /trustedProxies.*"10.0.0.1"/],
    [[7], /trustedProxies/],
  ] as const)('refuses %j', async ([trustedProxies, message]) => {
    await expect(startServer({ trustedProxies: trustedProxies as never })).rejects.toThrow(message);
  });
});

describe('a refused connection', () => {
  test('is ended, whatever else it sends', async () => {
    const { port, open } = await startServer({ limits: { maxConnections: 1 } });
    await open();
    const raw = await RawConnection.open(port);
    raw.write(upgradeRequest(port));
    raw.write(upgradeRequest(port));
    expect(await raw.head()).toMatch(/^HTTP\/1.1 503 .*\r\nConnection: close\r\n/s);
    await raw.ended();
  });
});

/** The server hears a moment later that a connection has gone. */
async function until2xx(port: number): Promise<void> {
  for (;;) {
    const { status } = await requestUpgrade(port);
    if (status === 101) return;
    expect(status).toBe(429);
  }
}
