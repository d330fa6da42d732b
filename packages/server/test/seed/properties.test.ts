import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  afterTest,
  isOracleMode,
  nextValue,
  serverModule,
  startServer,
  until,
} from '@socketcluster-ts/testkit';
import { expect, test } from 'vitest';

const { AGServer, attach, listen } = serverModule;

test('property `exchange`: publishes to clients and hears what clients publish', async () => {
  const { server, open } = await startServer();
  const { client } = await open();
  await client.call('#subscribe', { channel: 'news' });
  const heard = nextValue(server.exchange.subscribe('news'));

  await server.exchange.invokePublish('news', 'from the server');
  expect(await client.next()).toEqual({
    event: '#publish',
    data: { channel: 'news', data: 'from the server' },
  });
  expect(await heard).toBe('from the server');

  const next = nextValue(server.exchange.channel('news'));
  client.transmit('#publish', { channel: 'news', data: 'from a client' });
  expect(await next).toBe('from a client');
});

test('property `exchange`: is the one object that every socket holds as `socket.exchange`', async () => {
  const { server, open } = await startServer();
  const { socket } = await open();
  expect(socket.exchange).toBe(server.exchange);
});

test('property `clients`: holds a socket under its id from the end of its handshake until it closes', async () => {
  const { server, connect } = await startServer();
  const client = await connect();
  await until(() => server.pendingClientsCount === 1);
  expect(Object.keys(server.clients)).toEqual([]);

  await client.handshake();
  expect(Object.keys(server.clients)).toEqual([client.id]);
  expect(server.clients[client.id]).toBeInstanceOf(serverModule.AGServerSocket);
  expect(server.clients[client.id]?.state).toBe('open');

  const closed = nextValue(server.listener('closure'));
  client.close();
  await closed;
  await until(() => Object.keys(server.clients).length === 0);
});

test('property `clientsCount`: counts the open sockets', async () => {
  const { server, connect, open } = await startServer();
  expect(server.clientsCount).toBe(0);
  const first = await open();
  await open();
  await connect();
  await until(() => server.pendingClientsCount === 1);
  expect(server.clientsCount).toBe(2);

  first.client.close();
  await until(() => server.clientsCount === 1);
  expect(Object.keys(server.clients)).toHaveLength(1);
});

test('property `pendingClients`: holds a socket by its id while its handshake is not complete', async () => {
  const { server, connect } = await startServer();
  const begun = nextValue(server.listener('handshake'));
  const client = await connect();
  const { socket } = await begun;
  expect(Object.keys(server.pendingClients)).toEqual([socket.id]);
  expect(server.pendingClients[socket.id]).toBe(socket);
  expect(socket.state).toBe('connecting');

  await client.handshake();
  expect(client.id).toBe(socket.id);
  expect(JSON.stringify(server.pendingClients)).toBe('{}');
  expect(server.clients[socket.id]).toBe(socket);
});

test('property `pendingClients`: lets go of a socket that closes before its handshake', async () => {
  const { server, connect } = await startServer();
  const client = await connect();
  await until(() => Object.keys(server.pendingClients).length === 1);
  client.close();
  await until(() => Object.keys(server.pendingClients).length === 0);
  expect(Object.keys(server.clients)).toEqual([]);
});

test('property `pendingClientsCount`: counts the sockets in their handshake', async () => {
  const { server, connect } = await startServer();
  expect(server.pendingClientsCount).toBe(0);
  const first = await connect();
  const second = await connect();
  await until(() => server.pendingClientsCount === 2);

  await first.handshake();
  expect(server.pendingClientsCount).toBe(1);
  second.close();
  await until(() => server.pendingClientsCount === 0);
});

test('property `sourcePort`: is the port that clients connect to', async ({ skip }) => {
  skip(isOracleMode, 'upstream has no such property');
  const { server, port } = await startServer();
  expect(server.sourcePort).toBe(port);
});

test('property `sourcePort`: is null before the HTTP server listens, and the option wins', ({ skip }) => {
  skip(isOracleMode, 'upstream has no such property');
  expect(attach(createServer()).sourcePort).toBeNull();
  expect(attach(createServer(), { sourcePort: 80 }).sourcePort).toBe(80);
});

test('property `sourcePort`: is the port given to `listen()` while it is not bound yet', async ({ skip }) => {
  skip(isOracleMode, 'upstream has no such property');
  const free = createServer().listen(0, '127.0.0.1');
  await nextListening(free);
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));

  const server = listen(port);
  afterTest(() => server.httpServer.close());
  afterTest(() => server.close());
  expect(server.sourcePort).toBe(port);
});

test('property `httpServer`: is the server that was attached to', () => {
  const httpServer = createServer();
  expect(attach(httpServer).httpServer).toBe(httpServer);
  expect(new AGServer({ httpServer }).httpServer).toBe(httpServer);
});

test('property `httpServer`: of `listen()` it answers ordinary requests with 501', async () => {
  const server = listen(0);
  afterTest(() => server.httpServer.close());
  afterTest(() => server.close());
  await nextListening(server.httpServer);
  const { port } = server.httpServer.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/`);
  expect(response.status).toBe(501);
  expect(await response.text()).toBe('Not Implemented');
});

test('property `secure`: tells whether the HTTP server speaks TLS, and the option wins', ({ skip }) => {
  skip(isOracleMode, 'upstream has no such property');
  expect(attach(createServer()).secure).toBe(false);
  expect(attach(createSecureServer()).secure).toBe(true);
  expect(attach(createServer(), { secure: true }).secure).toBe(true);
});

test('property `host`: is the address that the HTTP server is bound to, and the option wins', async ({
  skip,
}) => {
  skip(isOracleMode, 'upstream has no such property');
  const { server } = await startServer();
  expect(server.host).toBe('127.0.0.1');
  expect(attach(createServer()).host).toBeNull();
  expect(attach(createServer(), { host: 'chat.example' }).host).toBe('chat.example');
});

test('property `ackTimeout`: is the option, and a changed value holds for the next invoke', async () => {
  const { server, open } = await startServer({ ackTimeout: 60_000 });
  expect(server.ackTimeout).toBe(60_000);
  const { client, socket } = await open();

  server.ackTimeout = 10;
  await expect(socket.invoke('nobody answers')).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(await client.next()).toMatchObject({ event: 'nobody answers' });
});

async function nextListening(server: {
  listening: boolean;
  once(event: 'listening', listener: () => void): unknown;
}): Promise<void> {
  if (server.listening) return;
  await new Promise<void>((resolve) => server.once('listening', resolve));
}
