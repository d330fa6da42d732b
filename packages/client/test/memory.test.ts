import { turn, until } from '@socketcluster-ts/testkit';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { WebSocketClass } from '../src/index.js';
import { scriptedServer } from './scripted-server.js';

/** Collects garbage until the condition holds; whether it came to that. */
async function collectUntil(condition: () => boolean): Promise<boolean> {
  for (let round = 0; round < 100; round++) {
    // What a WeakRef looked at stays alive until the end of the turn.
    await turn();
    globalThis.gc?.();
    await turn();
    if (condition()) return true;
  }
  return false;
}

test('connections that were given up are not kept', async () => {
  const refs: WeakRef<object>[] = [];
  const recording = class extends WebSocket {
    constructor(address: string) {
      super(address);
      refs.push(new WeakRef(this));
    }
  } as unknown as WebSocketClass;
  const server = await scriptedServer();
  const client = server.client({ environment: { WebSocket: recording } });
  client.subscribe('a');
  for (let count = 1; count <= 20; count++) {
    await until(() => client.isSubscribed('a'));
    client.reconnect();
    await server.connection(count);
  }
  await until(() => client.isSubscribed('a'));
  for (const { socket } of server.connections.slice(0, -1)) socket.terminate();
  const kept = (): number => refs.filter((ref) => ref.deref() !== undefined).length;
  expect(await collectUntil(() => kept() <= 2)).toBe(true);
});

test('10,000 calls, channels and listeners that came and went leave nothing that waits', async () => {
  const server = await scriptedServer();
  const client = server.client();
  const connection = await server.connection();
  await until(() => client.state === 'open');
  const channels = Array.from({ length: 10_000 }, (_, index) => `channel ${index}`);
  const consumers = channels.map((name) => client.channel(name).listener('subscribe').createConsumer());
  for (const name of channels) client.subscribe(name);
  await until(() => client.subscriptions().length === channels.length, 10_000);
  for (const name of channels) client.unsubscribe(name);
  for (const consumer of consumers) void consumer.return();
  const calls = channels.map((name) => client.invoke('echo', name, { timeout: 60_000 }));
  await until(() => connection.of('echo').length === calls.length, 10_000);
  connection.send(connection.of('echo').map(({ cid, data }) => ({ rid: cid, data })));
  expect(await Promise.all(calls)).toEqual(channels);
  expect([client.subscriptions(true), client.getBackpressure()]).toEqual([[], 0]);
  expect(client.getAllChannelListenersConsumerStatsList()).toEqual([]);
});

test('a call that waits for its answer does not keep what was sent', async () => {
  const server = await scriptedServer();
  const client = server.client();
  const connection = await server.connection();
  await until(() => client.state === 'open');
  const sent: WeakRef<object>[] = [];
  const answers: Promise<unknown>[] = [];
  const call = (count: number): void => {
    for (let index = 0; index < count; index++) {
      const data = { index };
      sent.push(new WeakRef(data));
      answers.push(client.invoke('slow', data, { timeout: 60_000 }));
    }
  };
  call(3);
  client.startBatch();
  call(3);
  client.flushBatch();
  await until(() => connection.of('slow').length === 6);
  expect(await collectUntil(() => sent.every((ref) => ref.deref() === undefined))).toBe(true);
  connection.send(connection.of('slow').map(({ cid }) => ({ rid: cid })));
  expect(await Promise.all(answers)).toHaveLength(6);
});
