import { encodeFrame, requestUpgrade, type WireClient } from '@socketcluster-ts/testkit';
import { describe, expect } from 'vitest';
import { underAttack } from './under-attack.js';

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Sends so many calls in frames of their own, numbered from 10, and gives the answers. */
async function callAtOnce(
  client: WireClient,
  count: number,
  data?: string,
): Promise<readonly { readonly error?: unknown }[]> {
  for (let cid = 10; cid < count + 10; cid += 1) client.send({ event: 'echo', data, cid });
  return Promise.all(times(count, (index) => client.next(({ rid }) => rid === index + 10, 20_000)));
}

describe('who is too fast and has to wait', () => {
  const attack = underAttack({
    limits: { rates: { socket: { messages: 400 }, address: { messages: 800 } }, onRateLimit: 'pause' },
  });

  attack('waits, and loses nothing', async (target) => {
    const client = await target.open();
    const begun = performance.now();
    // Too much for one read of the network: what one brings is taken in whole.
    const answers = await callAtOnce(client, 1200, 'x'.repeat(1024));
    expect(answers.filter(({ error }) => error !== undefined)).toEqual([]);
    // 400 at once and 400 in each second.
    expect(performance.now() - begun).toBeGreaterThan(500);
  });

  attack('waits on all connections of the address, and nobody else waits', async (target) => {
    const clients = await Promise.all(times(10, () => target.open()));
    const answers = await Promise.all(clients.map((client) => callAtOnce(client, 200)));
    expect(answers.flat().filter(({ error }) => error !== undefined)).toEqual([]);
  });

  attack('may leave while it waits', async (target) => {
    const clients = await Promise.all(times(10, () => target.open()));
    for (const client of clients)
      client.send(times(5000, () => ({ event: '#publish', data: { channel: 'unheard' } })));
    expect(await target.open().then((client) => client.call('echo', 1, 20_000))).toMatchObject({ data: 1 });
  });
});

describe('who is too fast and is refused', () => {
  const attack = underAttack({
    limits: {
      rates: { socket: { messages: 300, subscribes: 20, calls: 50 } },
      onRateLimit: 'reject',
    },
  });

  attack('by calls gets errors, and is served again later', async (target) => {
    const client = await target.open();
    const answers = await callAtOnce(client, 200);
    const refused = answers.filter(({ error }) => error !== undefined);
    expect(refused.length).toBeGreaterThan(50);
    for (const { error } of refused) expect(error).toMatchObject({ name: 'ResourceLimitError' });
    let answer = await client.call('echo', 'again');
    while (answer.error !== undefined) answer = await client.call('echo', 'again');
    expect(answer.data).toBe('again');
  });

  attack('by subscribes gets errors, and is subscribed to the others', async (target) => {
    const client = await target.open();
    client.send(
      times(100, (index) => ({ event: '#subscribe', data: { channel: `c ${index}` }, cid: index + 10 })),
    );
    const answers = await Promise.all(times(100, (index) => client.next(({ rid }) => rid === index + 10)));
    expect(answers.filter(({ error }) => error === undefined).length).toBeLessThan(60);
    expect(answers[0]).not.toHaveProperty('error');
  });
});

describe('who is too fast and is sent away', () => {
  const attack = underAttack({
    limits: { rates: { socket: { messages: 300, bytes: 200_000 } }, onRateLimit: 'disconnect' },
  });

  attack('by packets is closed with 1008', async (target) => {
    const client = await target.open();
    client.send(times(1000, () => ({ event: 'x' })));
    expect(await client.ended()).toMatchObject({ code: 1008 });
  });

  attack('by bytes is closed with 1008', async (target) => {
    const client = await target.open();
    for (let index = 0; index < 10; index += 1) client.send('x'.repeat(100_000));
    expect(await client.ended()).toMatchObject({ code: 1008 });
  });

  attack('by pings is closed with 1008', async (target) => {
    const connection = await target.upgrade();
    connection.send({ event: '#handshake', cid: 1 });
    await connection.frame();
    connection.write(Buffer.concat(times(2000, () => encodeFrame('', { opcode: 9 }))));
    connection.write(Buffer.concat(times(10, () => encodeFrame('{"event":"x"}'))));
    expect(await connection.closeCode()).toBe(1008);
  });
});

describe('who connects too often', () => {
  const attack = underAttack({
    limits: 'public',
    origins: '*:*',
    authKey: 'a secret of forty-one bytes, for tests only',
  });

  attack('is refused with 429, and others are not', async (target) => {
    const answers = await Promise.all(times(600, () => requestUpgrade(target.port)));
    const refused = answers.filter(({ status }) => status !== 101);
    expect(refused.length).toBeGreaterThan(0);
    for (const { status, headers } of refused) {
      expect(status).toBe(429);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
  });
});

describe('who connects too many times', () => {
  const attack = underAttack({ limits: { maxConnectionsPerAddress: 50 } });

  attack('is refused with 429 above the limit, and is served below it again', async (target) => {
    const clients = await Promise.all(times(50, () => target.open()));
    const refused = await Promise.all(times(20, () => requestUpgrade(target.port)));
    expect(refused.map(({ status }) => status)).toEqual(times(20, () => 429));
    clients[0]?.terminate();
    await clients[0]?.closed;
    let status = 429;
    while (status === 429) ({ status } = await requestUpgrade(target.port));
    expect(status).toBe(101);
  });
});
