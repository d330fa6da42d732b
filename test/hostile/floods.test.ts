import { encodeFrame, OPCODES, type WireClient } from '@socketcluster-ts/testkit';
import { describe, expect } from 'vitest';
import { underAttack } from './under-attack.js';

const { continuation, text } = OPCODES;

/** Sends all of them as one batch, numbered from 10, and gives how many were answered with an error. */
async function refusedOf(client: WireClient, packets: readonly object[]): Promise<number> {
  client.send(packets.map((packet, index) => ({ ...packet, cid: index + 10 })));
  await client.next(({ rid }) => rid === packets.length + 9, 15_000);
  return client.received.filter(({ rid, error }) => Number(rid) >= 10 && error !== undefined).length;
}

const subscribe = (index: number): object => ({ event: '#subscribe', data: { channel: `channel ${index}` } });

describe.each([
  { preset: 'default', channels: 1000, calls: 1000, packets: 10_000 },
  { preset: 'public', channels: 128, calls: 128, packets: 2000 },
])('with the limits of $preset, a flood', ({ preset, channels, calls, packets }) => {
  const attack = underAttack({
    limits: preset,
    authKey: 'a secret of forty-one bytes, for tests only',
    origins: '*:*',
  });

  attack('of subscriptions is refused above the limit, and what is held stays', async (target) => {
    const client = await target.open();
    const flood = Array.from({ length: channels + 500 }, (_, index) => subscribe(index));
    // As many as may be, in batches that may be.
    expect(await refusedOf(client, flood)).toBe(500);
    expect(await client.call('#publish', { channel: 'channel 0', data: 'heard' })).not.toHaveProperty(
      'error',
    );
    expect(await client.next(({ event }) => event === '#publish')).toMatchObject({ data: { data: 'heard' } });
  });

  attack('of subscriptions that come and go leaves no channel behind', async (target) => {
    const client = await target.open();
    for (let round = 0; round < 5; round += 1) {
      client.send(
        Array.from({ length: 500 }, (_, index) => [
          { event: '#subscribe', data: { channel: `${round} ${index}` }, cid: 1e6 },
          { event: '#unsubscribe', data: `${round} ${index}` },
        ]).flat(),
      );
      await client.fence();
    }
    expect(client.received.some(({ error }) => error !== undefined)).toBe(false);
  });

  attack('of calls that nobody answers is refused above the limit', async (target) => {
    const client = await target.open();
    client.send(Array.from({ length: calls + 100 }, (_, cid) => ({ event: 'never', cid: cid + 10 })));
    const refusals = await Promise.all(
      Array.from({ length: 100 }, () => client.next(({ error }) => error !== undefined)),
    );
    expect(refusals.map(({ rid }) => rid)).toEqual(
      Array.from({ length: 100 }, (_, index) => calls + 10 + index),
    );
    expect(client.closeInfo).toBeUndefined();
  });

  attack('of packets in one batch is closed with 1008', async (target) => {
    const client = await target.open();
    client.send(Array.from({ length: packets + 1 }, () => ({ event: 'x' })));
    expect(await client.ended()).toMatchObject({ code: 1008 });
  });

  attack('of nothing in one batch is closed with 1008', async (target) => {
    const client = await target.open();
    client.send(`[${'0,'.repeat(packets)}0]`);
    expect(await client.ended()).toMatchObject({ code: 1008 });
  });

  attack('of fragments is closed with 1008', async (target) => {
    const connection = await target.upgrade();
    const parts = Array.from({ length: 2000 }, (_, index) =>
      encodeFrame('x', { opcode: index === 0 ? text : continuation, fin: false }),
    );
    connection.write(Buffer.concat(parts));
    expect(await connection.closeCode()).toBe(1008);
  });

  attack('of empty fragments is closed with 1008', async (target) => {
    const connection = await target.upgrade();
    const parts = Array.from({ length: 2000 }, (_, index) =>
      encodeFrame('', { opcode: index === 0 ? text : continuation, fin: false }),
    );
    connection.write(Buffer.concat(parts));
    expect(await connection.closeCode()).toBe(1008);
  });

  attack('of questions to itself is held up to the limit', async (target) => {
    const client = await target.open();
    // Each makes the server ask the client, which never answers.
    client.send(Array.from({ length: calls + 50 }, (_, cid) => ({ event: 'ask me', cid: cid + 10 })));
    const refusals = await Promise.all(
      Array.from({ length: 50 }, () => client.next(({ error }) => error !== undefined)),
    );
    expect(refusals.every(({ rid }) => Number(rid) >= calls + 10)).toBe(true);
  });
});

describe('a flood', () => {
  const attack = underAttack();

  attack('of twenty thousand frames at once is processed in order', async (target) => {
    const connection = await target.upgrade();
    connection.send({ event: '#handshake', cid: 1 });
    await connection.frame();
    const flood = Array.from({ length: 20_000 }, (_, index) =>
      encodeFrame(JSON.stringify({ event: '#publish', data: { channel: 'unheard', data: index } })),
    );
    connection.write(Buffer.concat(flood));
    connection.send({ event: 'echo', data: 'the last', cid: 2 });
    const answer = await connection.frame(({ payload }) => payload.includes('the last'), 15_000);
    expect(String(answer.payload)).toBe('{"rid":2,"data":"the last"}');
  });

  attack('of ten clients that publish what they can to one channel reaches all of them', async (target) => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => target.open()));
    for (const client of clients) await client.call('#subscribe', { channel: 'loud' });
    for (const client of clients) {
      for (let batch = 0; batch < 5; batch += 1) {
        client.send(
          Array.from({ length: 40 }, () => ({ event: '#publish', data: { channel: 'loud', data: 'x' } })),
        );
      }
    }
    for (const client of clients) await client.fence();
    for (const client of clients) await client.fence();
    for (const client of clients) {
      expect(client.received.filter(({ event }) => event === '#publish')).toHaveLength(2000);
    }
  });

  attack('of garbage in ten thousand frames is no packet', async (target) => {
    const client = await target.open();
    for (let index = 0; index < 10_000; index += 1) client.send(index % 2 === 0 ? '{"event":' : 'x');
    expect(await client.call('echo', 'after it', 15_000)).toEqual({ rid: 2, data: 'after it' });
  });
});
