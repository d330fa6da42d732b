import { EventLog, until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { scriptedServer } from './scripted-server.js';

const AGREED = { status: { ext: ['abort', 'retry'] } };

describe('a server that announces by a call of #retry that it will close', () => {
  test('gets nothing more but answers, and the next connection the rest', async () => {
    const server = await scriptedServer(AGREED);
    const client = server.client({ environment: { random: () => 0 } });
    const connection = await server.connection();
    await until(() => client.state === 'open');
    const before = client.invoke('before');
    connection.send({ event: '#retry', data: { delayMs: 50 }, cid: 7 });
    connection.send({ event: 'ask', cid: 8 });
    for await (const request of client.procedure('ask')) {
      request.end('answered');
      break;
    }
    const held = client.invoke('held');
    void client.transmit('told');
    const sent = (): unknown[] => connection.packets.map((packet) => packet.event ?? packet.rid);
    await until(() => sent().includes(8));
    expect(sent()).toEqual(['#handshake', 'before', 7, 8]);
    connection.send({ rid: 2, data: 'late, but not lost' });
    expect(await before).toBe('late, but not lost');
    connection.socket.close(1012);
    const next = await server.connection(1);
    await next.first('told');
    expect(next.packets.map((packet) => packet.event)).toEqual(['#handshake', 'held', 'told']);
    next.send({ rid: next.packets[1]?.cid, data: 'done' });
    expect(await held).toBe('done');
  });

  test('and does not, gets what was held back after ackTimeout', async () => {
    const server = await scriptedServer(AGREED);
    const client = server.client({ ackTimeout: 300 });
    const connection = await server.connection();
    await until(() => client.state === 'open');
    connection.send({ event: '#retry', data: { delayMs: 50 }, cid: 7 });
    await until(() => connection.packets.some((packet) => packet.rid === 7));
    void client.transmit('told', 1, { ackTimeout: 10_000 });
    await connection.first('told');
    expect(client.state).toBe('open');
  });
});

test('what is sent meanwhile does not make a client come back before the server wants it', async () => {
  const server = await scriptedServer(AGREED);
  const client = server.client({ environment: { random: () => 0 } });
  const log = new EventLog().record(client, ['disconnect', 'connecting']);
  const connection = await server.connection();
  await until(() => client.state === 'open');
  connection.send({ event: '#retry', data: { delayMs: 60_000 } });
  connection.socket.close(1012);
  await log.first('disconnect');
  void client.transmit('a');
  void client.invoke('b').catch(() => {});
  expect([client.state, client.pendingReconnect, client.pendingReconnectTimeout]).toEqual([
    'closed',
    true,
    60_000,
  ]);
});

test('a server may say when to come back before it has answered the handshake', async () => {
  const server = await scriptedServer({ answersHandshake: false });
  const client = server.client({ environment: { random: () => 0 } });
  const connection = await server.connection();
  await connection.first('#handshake');
  connection.send({ event: '#retry', data: { delayMs: 7000 } });
  connection.socket.close(1013);
  await until(() => client.pendingReconnect);
  expect(client.pendingReconnectTimeout).toBe(7000);
});
