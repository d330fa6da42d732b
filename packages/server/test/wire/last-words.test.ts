import { fileURLToPath } from 'node:url';
import { spawnServer, WireClient } from '@socketcluster-ts/testkit';
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
