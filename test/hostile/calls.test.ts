import { describe, expect } from 'vitest';
import { underAttack } from './under-attack.js';

const attack = underAttack();

describe('the numbers of calls', () => {
  attack('may be used twice: each call has its answer', async (target) => {
    const client = await target.open();
    client.send(Array.from({ length: 100 }, (_, data) => ({ event: 'echo', data, cid: 7 })));
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.next(({ rid }) => rid === 7)));
    expect(answers.map(({ data }) => data)).toEqual(Array.from({ length: 100 }, (_, data) => data));
  });

  attack.each([0, -0, -1, 0.1, 1e308, 5e-324, 2 ** 53, -(2 ** 60)])('may be %s', async (target, cid) => {
    const client = await target.open();
    client.send({ event: 'echo', data: 'x', cid });
    expect(await client.next(({ data }) => data === 'x')).toEqual({
      rid: JSON.parse(JSON.stringify(cid)),
      data: 'x',
    });
  });

  attack.each(['1e999', '-1e999', '"1"', 'null', '[]', '{"valueOf":1}', 'true'])(
    'are no number: %s is not answered',
    async (target, cid) => {
      const client = await target.open();
      client.send(`{"event":"echo","data":"x","cid":${cid}}`);
      client.send(`{"event":"#publish","data":{"channel":"c"},"cid":${cid}}`);
      client.send(`{"event":"#unsubscribe","data":"c","cid":${cid}}`);
      await client.fence();
      expect(client.received.filter(({ rid }) => rid !== 1 && rid !== 2 && rid !== 3)).toEqual([]);
    },
  );
});

describe('an answer', () => {
  attack('that nobody asked for is ignored, a thousand times', async (target) => {
    const client = await target.open();
    client.send(
      Array.from({ length: 1000 }, (_, rid) => ({ rid, data: 'forged', error: { message: 'forged' } })),
    );
    const asked = client.call('ask me');
    const question = await client.next(({ event }) => event === 'question');
    client.send({ rid: question.cid, data: 'real' });
    expect(await asked).toMatchObject({ data: 'real' });
  });

  attack('given twice counts once', async (target) => {
    const client = await target.open();
    const asked = client.call('ask me');
    const { cid } = await client.next(({ event }) => event === 'question');
    client.send([
      { rid: cid, data: 'first' },
      { rid: cid, data: 'second' },
      { rid: cid, error: { message: 'third' } },
    ]);
    expect(await asked).toMatchObject({ data: 'first' });
    await client.fence();
    expect(client.received.filter(({ data }) => data === 'second')).toEqual([]);
  });

  attack('of another client is not taken for this one', async (target) => {
    const [victim, thief] = [await target.open(), await target.open()];
    const asked = victim.call('ask me');
    const { cid } = await victim.next(({ event }) => event === 'question');
    thief.send(Array.from({ length: 50 }, (_, rid) => ({ rid, data: 'stolen' })));
    await thief.fence();
    victim.send({ rid: cid, data: 'mine' });
    expect(await asked).toMatchObject({ data: 'mine' });
  });

  attack.each([
    ['has no text', { name: '__proto__', message: { toString: null } }],
    ['is long and has a past', { message: 'x'.repeat(100_000), stack: 'forged', cause: { cause: {} } }],
    ['refers to itself', { $ref: '$', name: 'constructor' }],
    ['is a list', []],
    ['is a text', 'just a text'],
    ['is 0', 0],
    ['is false', false],
  ] as const)('whose error %s is an error of the call only', async (target, [, error]) => {
    const client = await target.open();
    const asked = client.call('ask me');
    const { cid } = await client.next(({ event }) => event === 'question');
    client.send({ rid: cid, error });
    expect(await asked).toHaveProperty('rid');
    expect(await client.call('echo', 'on')).toMatchObject({ data: 'on' });
  });
});

describe('#abort', () => {
  const shake = { event: '#handshake', data: { ext: ['abort'] }, cid: 1 };

  attack('of calls of others, of none, and of odd numbers ends no call', async (target) => {
    const victim = await target.open();
    victim.send({ event: 'never', cid: 50 });
    const client = await target.connect();
    client.send(shake);
    await client.next();
    for (const cid of [50, -1, 0, 1e308, 0.5]) {
      expect(await client.call('#abort', { cid })).not.toHaveProperty('error');
    }
    for (const data of [null, 7, 'x', [], {}, { cid: '50' }, { cid: null }]) {
      expect(await client.call('#abort', data)).toMatchObject({ error: { name: 'InvalidActionError' } });
      client.transmit('#abort', data);
    }
    const asked = victim.call('ask me');
    const { cid } = await victim.next(({ event }) => event === 'question');
    client.transmit('#abort', { cid });
    await client.fence();
    victim.send({ rid: cid, data: 'not aborted' });
    expect(await asked).toMatchObject({ data: 'not aborted' });
  });

  attack('ten thousand times costs nobody anything', async (target) => {
    const client = await target.connect();
    client.send(shake);
    await client.next();
    client.send(
      Array.from({ length: 5000 }, (_, cid) => [
        { event: 'never', cid },
        { event: '#abort', data: { cid } },
      ]).flat(),
    );
    await client.fence();
    expect(client.closeInfo).toBeUndefined();
  });

  attack('means nothing where it was not agreed on', async (target) => {
    const client = await target.open();
    client.send({ event: '#abort', data: { cid: 1 }, cid: 99 });
    await client.fence();
    expect(client.received.filter(({ rid }) => rid === 99)).toEqual([]);
  });
});
