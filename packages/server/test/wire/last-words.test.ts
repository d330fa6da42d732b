import type { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import { spawnServer, startServer, until, WireClient } from '@socketcluster-ts/testkit';
import { expect, test } from 'vitest';

const app = fileURLToPath(new URL('./last-words-app.ts', import.meta.url));

test('what was published when a process exits by itself arrives', async () => {
  const started = await spawnServer({ setup: app });
  const client = await WireClient.connect(`ws://127.0.0.1:${started.port}/socketcluster/`);
  await client.handshake();
  await client.call('#subscribe', { channel: 'c' });
  client.send({ event: 'exit', cid: 99 });
  expect(await client.next()).toEqual({ event: '#publish', data: { channel: 'c', data: 'the last' } });
});

test.each([undefined, null, {}, Symbol('name')])(
  'a channel that is named by no text and no number (%s) is told to who names it',
  async (name) => {
    const { server } = await startServer();
    const { exchange } = server;
    const error = {
      name: 'InvalidArgumentsError',
      message: /^The name of a channel must be a string or a number/,
    };
    expect(() => exchange.subscribe(name as never)).toThrow(error.message);
    expect(() => exchange.channel(name as never)).toThrow(error.message);
    await expect(exchange.invokePublish(name as never, 1)).rejects.toThrow(error.message);
    const told = exchange.listener('error').once();
    await exchange.transmitPublish(name as never, 1);
    expect(String((await told).error)).toContain(error.name);
  },
);

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
