import { collected, type ServerOptions, startServer, until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { startClockedServer } from '../seed/clocked-server.js';

const KIB = 1024;
/** The preset for clients one does not trust, which demands more of its owner too. */
const PUBLIC: ServerOptions = { limits: 'public', origins: '*:*', authKey: 'k'.repeat(32) };

describe("the preset 'public'", () => {
  test('closes with 1009 above 256 KiB', async () => {
    const { open } = await startServer(PUBLIC);
    const { client, socket } = await open();
    const received = collected(socket.listener('raw'));
    client.send('x'.repeat(256 * KIB));
    await until(() => received.length === 1);
    client.send('x'.repeat(256 * KIB + 1));
    expect(await client.ended()).toMatchObject({ code: 1009 });
  });

  test('has 128 channels for a socket, and those it has it may subscribe again', async () => {
    const { open } = await startServer(PUBLIC);
    const { client, socket } = await open();
    for (let n = 0; n < 128; n += 1) await client.call('#subscribe', { channel: `c${n}` });
    expect(await client.call('#subscribe', { channel: 'another' })).toHaveProperty('error');
    expect(await client.call('#subscribe', { channel: 'c5' })).not.toHaveProperty('error');
    await client.call('#unsubscribe', 'c7');
    expect(await client.call('#subscribe', { channel: 'another' })).not.toHaveProperty('error');
    expect(socket.subscriptions()).toHaveLength(128);
  });

  test('takes data nested 32 deep, not deeper', async () => {
    const { open } = await startServer(PUBLIC);
    const { client } = await open();
    const publish = async (depth: number, cid: number): Promise<unknown> => {
      const data = '['.repeat(depth) + ']'.repeat(depth);
      client.send(`{"event":"#publish","data":{"channel":"c","data":${data}},"cid":${cid}}`);
      return client.next(({ rid }) => rid === cid);
    };
    expect(await publish(32, 100)).toEqual({ rid: 100 });
    expect(await publish(33, 101)).toHaveProperty('error');
  });

  test('has a client that renews all its channels at once wait for nothing', async () => {
    const { open } = await startServer(PUBLIC);
    const { client, socket } = await open();
    const renewals = Array.from({ length: 128 }, (_, n) => [
      { event: '#unsubscribe', data: `c${n}` },
      { event: '#subscribe', data: { channel: `c${n}` }, cid: 10 + n },
    ]);
    client.send(renewals.flat());
    for (let n = 0; n < 128; n += 1) expect(await client.next()).toEqual({ rid: 10 + n });
    expect(socket.subscriptions()).toHaveLength(128);
    await client.fence();
  });

  test('is not in the way of a client that sends 1,000 messages at once, nor is any message lost', async () => {
    const { open } = await startServer(PUBLIC);
    const { client, socket } = await open();
    const received = collected(socket.receiver('told'));
    for (let n = 0; n < 1000; n += 1) client.send({ event: 'told', data: n });
    await until(() => received.length === 1000);
    expect(received).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  });
});

test('a batch of any length delays nobody for longer than 256 packets', async () => {
  const { open } = await startServer();
  const { client, socket } = await open();
  const { client: bystander } = await open();
  const received = collected(socket.receiver('told'));
  client.send(Array.from({ length: 10_000 }, () => ({ event: 'told' })));
  await until(() => received.length > 0);
  await bystander.call('#unsubscribe', 'nothing');
  expect(received.length).toBeLessThan(10_000);
  await until(() => received.length === 10_000);
});

describe('after a while', () => {
  test('refused tokens are forgotten: 20 of them in each 10 s', async () => {
    const { connect, advance } = startClockedServer();
    const { peer } = await connect();
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 20; n += 1) peer.receive({ event: '#authenticate', data: 'wrong', cid: 10 });
      await advance(10_000);
      peer.receive('');
      expect(peer.closeInfo).toBeUndefined();
    }
    for (let n = 0; n < 21; n += 1) peer.receive({ event: '#authenticate', data: 'wrong', cid: 10 });
    await advance(100);
    expect(peer.closeInfo).toEqual({ code: 1008, reason: '' });
  });

  test('calls that the application never answers are forgotten: 1,000 of them in a minute', async () => {
    const { connect, advance } = startClockedServer();
    const { peer, socket } = await connect();
    const requests = collected(socket.procedure('leave it'));
    const call = async (count: number): Promise<number> => {
      for (let n = 0; n < count; n += 1) peer.receive({ event: 'leave it', cid: 1 });
      await advance(100);
      return requests.length;
    };
    expect(await call(1001)).toBe(1000);
    for (let second = 0; second < 60; second += 1) {
      peer.receive('');
      await advance(1000);
    }
    expect(await call(1001)).toBe(2000);
    expect(await call(100)).toBe(2000);
  });
});
