import { nextValue, startServer, until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { ClientOptions, WebSocketClass } from '../src/index.js';
import { type ScriptedServer, scriptedServer } from './scripted-server.js';

/** A page that a test can say something about. */
function page(): { window: EventTarget; document: EventTarget & { visibilityState: string } } {
  return {
    window: new EventTarget(),
    document: Object.assign(new EventTarget(), { visibilityState: 'visible' }),
  };
}

/** Like that of a browser: it sends no ping frames. */
const browserWebSocket = class extends WebSocket {
  override ping = undefined as never;
} as unknown as WebSocketClass;

const QUICK: ClientOptions = { probeTimeout: 60, autoReconnectOptions: { randomness: 0 } };

/** A client whose connection is dead without its knowledge. */
async function frozen(
  options: ClientOptions,
): Promise<{ server: ScriptedServer; client: ReturnType<ScriptedServer['client']> }> {
  const server = await scriptedServer();
  const client = server.client({ ...QUICK, ...options });
  const connection = await server.connection();
  await until(() => client.state === 'open');
  connection.socket.pause();
  return { server, client };
}

describe.each([
  ['a WebSocket of ws', {}],
  ['a native WebSocket', { WebSocket: browserWebSocket }],
])('a dead connection of %s is replaced', (_name, platform) => {
  test.each(['online', 'offline', 'pageshow'])('at %s', async (type) => {
    const { window, document } = page();
    const { server, client } = await frozen({ environment: { ...platform, window, document } });
    const lost = nextValue(client.listener('disconnect'));
    window.dispatchEvent(new Event(type));
    expect(await lost).toMatchObject({ code: 4000 });
    await server.connection(1);
    await until(() => client.state === 'open');
  });
});

describe('a connection', () => {
  test('that is dead is replaced when the page is shown again, and not when it is hidden', async () => {
    const { window, document } = page();
    const { server, client } = await frozen({ environment: { window, document } });
    document.visibilityState = 'hidden';
    document.dispatchEvent(new Event('visibilitychange'));
    document.visibilityState = 'visible';
    document.dispatchEvent(new Event('visibilitychange'));
    await server.connection(1);
    await until(() => client.state === 'open');
    expect(server.connections.length).toBe(2);
  });

  test('that is dead is replaced when the clock jumped', async () => {
    let jumpedMs = 0;
    const { server, client } = await frozen({ environment: { now: () => Date.now() + jumpedMs } });
    jumpedMs = 10_000;
    await server.connection(1);
    await until(() => client.state === 'open');
    expect(server.connections.length).toBe(2);
  });

  test.each([
    ['a WebSocket of ws', undefined],
    ['a native WebSocket', browserWebSocket],
  ])('of %s that is alive stays, with our server', async (_name, given) => {
    const { port, server, warnings } = await startServer();
    const { window, document } = page();
    const client = (await scriptedServer()).client({
      ...QUICK,
      port,
      environment: { window, document, ...(given === undefined ? {} : { WebSocket: given }) },
    });
    await until(() => client.state === 'open');
    const { id } = client;
    window.dispatchEvent(new Event('online'));
    await expect(nextValue(client.listener('disconnect'), 200)).rejects.toThrow('Waited');
    expect([client.id, server.clientsCount, warnings]).toEqual([id, 1, []]);
  });

  test('that outlived a jump of the clock is not taken for stale by the next message', async () => {
    let jumpedMs = 0;
    const { port, server } = await startServer({ pingInterval: 60_000, pingTimeout: 120_000 });
    const connected = nextValue(server.listener('connection'));
    const client = (await scriptedServer()).client({
      port,
      environment: { now: () => Date.now() + jumpedMs },
    });
    await until(() => client.state === 'open');
    const { id } = client;
    const echo = nextValue((await connected).socket.procedure('echo'));
    let isAlive = false;
    client.transport?.socket.on?.('pong', () => (isAlive = true));
    jumpedMs = 200_000;
    await until(() => isAlive);
    await expect(nextValue(client.listener('disconnect'), 2500)).rejects.toThrow('Waited');
    void client.invoke('echo').catch(() => {});
    (await echo).end();
    expect(client.id).toBe(id);
  });

  test('is not asked anything with probeTimeout: 0', async () => {
    const { window, document } = page();
    const { server, client } = await frozen({ probeTimeout: 0, environment: { window, document } });
    window.dispatchEvent(new Event('online'));
    await expect(nextValue(client.listener('disconnect'), 150)).rejects.toThrow('Waited');
    expect(server.connections.length).toBe(1);
  });

  test('whose late events come after it was replaced does not touch the new one', async () => {
    const server = await scriptedServer();
    const client = server.client();
    const old = await server.connection();
    await until(() => client.state === 'open');
    client.reconnect();
    const fresh = await server.connection(1);
    await until(() => client.state === 'open');
    const said: unknown[] = [];
    void (async () => {
      for await (const data of client.receiver('said')) said.push(data);
    })();
    old.send({ event: 'said', data: 'by the old one' });
    old.socket.close(4100);
    await old.closed;
    fresh.send({ event: 'said', data: 'by the new one' });
    await until(() => said.length > 0);
    expect([said, client.state]).toEqual([['by the new one'], 'open']);
  });
});

describe('the wait for the next attempt', () => {
  test('ends when the network is back', async () => {
    const { window, document } = page();
    const server = await scriptedServer();
    const client = server.client({
      autoReconnectOptions: { initialDelay: 60_000 },
      environment: { window, document },
    });
    await until(() => client.state === 'open');
    (await server.connection()).socket.terminate();
    await until(() => client.pendingReconnect);
    window.dispatchEvent(new Event('online'));
    await server.connection(1);
    await until(() => client.state === 'open');
    expect(client.pendingReconnect).toBe(false);
  });

  test('an attempt that began without a network is begun anew when it is back', async () => {
    const { window, document } = page();
    const server = await scriptedServer({ answersHandshake: false });
    const client = server.client({ probeTimeout: 10, environment: { window, document } });
    await (await server.connection()).first('#handshake');
    const abort = nextValue(client.listener('connectAbort'));
    await until(() => {
      window.dispatchEvent(new Event('online'));
      return server.connections.length > 1;
    });
    expect(await abort).toMatchObject({ code: 4007 });
  });
});

test('an attempt that takes longer than connectTimeout ends with 4007', async () => {
  const server = await scriptedServer({ answersHandshake: false });
  const client = server.client({ connectTimeout: 30, autoReconnect: false });
  expect(await nextValue(client.listener('connectAbort'))).toEqual({
    code: 4007,
    reason: 'Client connection establishment timed out',
  });
});
