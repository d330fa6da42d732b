import { createServer } from 'node:https';
import { afterTest, collected, deferred, nextValue, startServer, until } from '@socketcluster-ts/testkit';
import { generate } from 'selfsigned';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';

const MIB = 1024 * 1024;

test('over TLS reading pauses as well, and nothing is lost', async () => {
  const pair = await generate([{ name: 'commonName', value: '127.0.0.1' }]);
  const http = createServer({ key: pair.private, cert: pair.cert });
  const { server, port } = await startServer({}, { http });
  const connection = nextValue(server.listener('connection'));
  const client = new WebSocket(`wss://127.0.0.1:${port}/socketcluster/`, { rejectUnauthorized: false });
  afterTest(() => client.terminate());
  client.once('open', () => client.send('{"event":"#handshake","cid":1}'));
  const { socket } = await connection;
  const gate = deferred();
  server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
    for await (const action of stream) {
      await gate.promise;
      action.allow();
    }
  });
  const received = collected(socket.receiver('told'));
  const data = 'x'.repeat(MIB / 4);
  for (let n = 0; n < 80; n += 1) client.send(JSON.stringify({ event: 'told', data }));
  await until(() => socket.getInboundBackpressure() >= 4);
  expect(client.bufferedAmount).toBeGreaterThan(0);
  expect(socket.getInboundBackpressure()).toBeLessThan(20);
  gate.resolve();
  await until(() => received.length === 80, 10_000);
  expect(received.every((each) => each === data)).toBe(true);
});
