import { describe, expect } from 'vitest';
import { type Target, underAttack } from './under-attack.js';

const attack = underAttack();

const MIB = 1024 * 1024;

const nested = (depth: number, open: string = '[', close: string = ']'): string =>
  open.repeat(depth) + close.repeat(depth);

/** Frames that are no packet of the protocol. */
const NONSENSE = [
  ['no JSON', '{"event":'],
  ['JSON and more', '{"event":"echo","cid":2}}'],
  ['a number', '1e999'],
  ['null', 'null'],
  ['an empty object', '{}'],
  ['an empty batch', '[]'],
  ['a batch of batches', '[[[]],[["echo"]],[{"event":"echo"}]]'],
  ['a batch of nulls', JSON.stringify(Array.from({ length: 100 }, () => null))],
  ['events that are no names', '[{"event":1},{"event":null},{"event":{}},{"event":["echo"]},{"event":true}]'],
  ['answers with odd numbers', '[{"rid":-1},{"rid":1e308},{"rid":"1"},{"rid":null},{"rid":{}},{"rid":0.5}]'],
  ['deep arrays', nested(100_000)],
  ['deep objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
  ['brackets without an end', '['.repeat(MIB - 1)],
  ['a long number', `[${'9'.repeat(500_000)}]`],
  ['many keys', `{${Array.from({ length: 50_000 }, (_, index) => `"k${index}":0`).join()}}`],
  ['many equal keys', `{${'"__proto__":{},'.repeat(50_000)}"event":1}`],
  ['escapes', `{"a":"${String.raw`\u0000`.repeat(100_000)}"}`],
] as const;

/** Data of reserved events that have another shape. */
const MISSHAPEN = [
  null,
  1,
  'c',
  true,
  [],
  ['c'],
  {},
  { channel: 1 },
  { channel: null },
  { channel: { a: 1 } },
].map((data: unknown) => [data] as const);

describe('a packet', () => {
  attack.each(NONSENSE)('of nonsense changes nothing: %s', async (target, [, text]) => {
    const client = await target.open();
    client.send(text);
    client.sendBinary(text);
    expect(await client.call('echo', 'still here')).toEqual({ rid: 2, data: 'still here' });
    expect(client.received).toHaveLength(2);
  });

  attack.each(NONSENSE.filter(([what]) => what !== 'an empty batch'))(
    'of nonsense before the handshake closes with 4009: %s',
    async (target, [, text]) => {
      const client = await target.connect();
      client.send(text);
      expect(await client.ended()).toMatchObject({ code: 4009 });
    },
  );

  attack.each(MISSHAPEN)('with the data %j is refused', async (target, [data]) => {
    const client = await target.open();
    for (const event of ['#publish', '#subscribe']) {
      expect(await client.call(event, data)).toMatchObject({ error: { name: 'InvalidActionError' } });
      client.transmit(event, data);
    }
    if (typeof data !== 'string') {
      expect(await client.call('#unsubscribe', data)).toMatchObject({
        error: { name: 'InvalidActionError' },
      });
    }
    client.transmit('#removeAuthToken', data);
    await client.fence();
  });

  attack('that is too long closes with 1009, wherever it is', async (target) => {
    const long = 'x'.repeat(MIB + 1);
    const early = await target.connect();
    early.send(long);
    const open = await target.open();
    open.transmit('#publish', { channel: 'c', data: long });
    const binary = await target.open();
    binary.sendBinary(long);
    for (const client of [early, open, binary]) expect(await client.ended()).toMatchObject({ code: 1009 });
  });

  attack('that is as long as allowed is carried, again and again', async (target) => {
    const client = await target.open();
    const data = 'x'.repeat(MIB - 100);
    for (let round = 0; round < 10; round += 1) {
      expect((await client.call('#publish', { channel: 'unheard', data })).error).toBeUndefined();
    }
  });

  attack.each([65, 1000, 100_000, 500_000])(
    'nested %s deep is not published or echoed',
    async (target, depth) => {
      const client = await target.open();
      await client.call('#subscribe', { channel: 'deep' });
      for (const [cid, head] of [
        [10, '"event":"#publish","data":{"channel":"deep","data":'],
        [11, '"event":"echo","data":{"a":'],
      ] as const) {
        client.send(`{${head}${nested(depth)}},"cid":${cid}}`);
        expect(await client.next(({ rid }) => rid === cid)).toMatchObject({
          error: { name: expect.any(String) },
        });
      }
      client.send(`{"event":"#publish","data":{"channel":"deep","data":${nested(depth)}}}`);
      await client.fence();
      expect(client.received.some(({ event }) => event === '#publish')).toBe(false);
    },
  );
});

describe('a handshake', () => {
  attack('without a number closes with 4008', async (target) => {
    for (const cid of ['"1"', 'null', '1e999', '{}', '[1]']) {
      const client = await target.connect();
      client.send(`{"event":"#handshake","cid":${cid}}`);
      expect(await client.ended()).toMatchObject({ code: 4008 });
    }
  });

  attack('a thousand times on one connection opens it once', async (target) => {
    const client = await target.connect();
    const shakes = Array.from({ length: 1000 }, (_, index) => ({ event: '#handshake', cid: index + 1 }));
    client.send(shakes);
    await client.next(({ rid }) => rid === 1000);
    expect(client.received.filter(({ error }) => error === undefined)).toHaveLength(1);
    expect(client.received.at(-1)).toMatchObject({ error: { name: 'InvalidActionError' } });
  });

  attack.each(['#subscribe', '#publish', '#unsubscribe', '#authenticate', '#removeAuthToken', 'echo'])(
    'does not come after %s',
    async (target, event) => {
      const client = await target.connect();
      client.send([
        { event, data: { channel: 'c' }, cid: 1 },
        { event: '#handshake', cid: 2 },
      ]);
      expect(await client.ended()).toMatchObject({ code: 4009 });
      expect(client.received).toEqual([]);
    },
  );
});

describe('a batch', () => {
  attack('of ten thousand calls is answered', async (target) => {
    const client = await target.open();
    await sendBatch(client, 10_000);
    await client.next(({ rid }) => rid === 10_009, 15_000);
    expect(client.received).toHaveLength(10_001);
  });

  attack('of two thousand publications reaches who subscribed', async (target) => {
    const client = await target.open();
    await client.call('#subscribe', { channel: 'mine' });
    client.send(
      Array.from({ length: 2000 }, (_, data) => ({ event: '#publish', data: { channel: 'mine', data } })),
    );
    await client.next(({ data }) => (data as { data?: number } | undefined)?.data === 1999, 15_000);
  });

  attack('of garbage among calls does not lose a call', async (target) => {
    const client = await target.open();
    client.send([null, { event: 'echo', cid: 10 }, [], {}, 7, { rid: 10 }, { event: 'echo', cid: 11 }, 'x']);
    expect(await client.next()).toEqual({ rid: 10 });
    expect(await client.next()).toEqual({ rid: 11 });
  });
});

async function sendBatch(client: Awaited<ReturnType<Target['open']>>, count: number): Promise<void> {
  client.send(Array.from({ length: count }, (_, index) => ({ event: 'echo', data: index, cid: index + 10 })));
}
