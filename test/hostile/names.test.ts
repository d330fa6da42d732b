import { describe, expect } from 'vitest';
import { underAttack } from './under-attack.js';

/** Names that objects inherit or that mean something to them, names of the protocol, and texts that are hard to handle. */
const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
  '__lookupSetter__',
  'then',
  'length',
  '',
  ' ',
  '0',
  '-1',
  '4294967295',
  'null',
  '#publish',
  '#subscribe',
  '#handshake',
  '#kickOut',
  '#disconnect',
  '#1',
  '#2',
  '\u0000',
  'a\u0000b',
  '\r\nSet-Cookie: a=b',
  '\u2028\u2029',
  '\u202e\u200b\ufeff',
  '"}],[{',
  '../../etc/passwd',
  '%00%s%n',
  '😀'.repeat(60),
  'x'.repeat(255),
] as const;

/** As JSON texts, since JavaScript would repair the first two when it sends them. */
const REFUSED = [
  ['half a character', String.raw`"\ud800"`],
  ['the other half', String.raw`"a\udc00b"`],
  ['256 bytes', JSON.stringify('x'.repeat(256))],
  ['255 characters of more bytes', JSON.stringify('é'.repeat(255))],
  ['100,000 characters', JSON.stringify('x'.repeat(100_000))],
  ['a million characters', JSON.stringify('\u0000'.repeat(150_000))],
] as const;

describe('a name', () => {
  const attack = underAttack();

  attack.each(NAMES)('%j is a name like any other', async (target, name) => {
    const client = await target.open();
    if (name !== '#handshake') client.transmit(name, { [name]: name });
    expect(await client.call('#subscribe', { channel: name })).toEqual({ rid: 2 });
    const data = JSON.parse(`{${JSON.stringify(name)}:{"polluted":true}}`) as unknown;
    expect(await client.call('#publish', { channel: name, data })).toEqual({ rid: 3 });
    expect(await client.next((packet) => packet.event === '#publish')).toEqual({
      event: '#publish',
      data: { channel: name, data },
    });
    expect(await client.call('echo', data)).toEqual({ rid: 4, data });
    expect(await client.call('#unsubscribe', name)).toEqual({ rid: 5 });
    expect(await client.call('#unsubscribe', name)).toMatchObject({ error: { name: 'BrokerError' } });
    // Nobody answers a call of no procedure, and so it can be no fault either.
    if (!name.startsWith('#')) client.send({ event: name, cid: 77 });
    await client.fence();
    expect(client.received.filter(({ rid }) => rid === 77)).toEqual([]);
  });

  attack('that a client sends in its handshake means nothing', async (target) => {
    const client = await target.connect();
    client.send(
      '{"event":"#handshake","cid":1,"__proto__":{"polluted":true},"data":{"__proto__":{"authToken":"x"},"constructor":{"prototype":{"polluted":true}},"ext":["__proto__","constructor","toString"]}}',
    );
    expect(await client.next()).toMatchObject({ rid: 1, data: { isAuthenticated: false, ext: [] } });
  });

  attack.each(REFUSED)('of %s is refused wherever it is used', async (target, [, name]) => {
    const client = await target.open();
    const ask = async (packet: string): Promise<unknown> => {
      const cid = client.nextCid();
      client.send(packet.replace('CID', String(cid)));
      return client.next(({ rid }) => rid === cid);
    };
    const error = { name: expect.any(String), message: expect.any(String) };
    for (const packet of [
      `{"event":"#subscribe","data":{"channel":${name}},"cid":CID}`,
      `{"event":"#publish","data":{"channel":${name},"data":1},"cid":CID}`,
      `{"event":"#unsubscribe","data":${name},"cid":CID}`,
      `{"event":${name},"data":1,"cid":CID}`,
    ]) {
      expect(await ask(packet)).toMatchObject({ error });
    }
    // Without a call there is nobody to tell.
    client.send(`{"event":${name},"data":1}`);
    client.send(`{"event":"#publish","data":{"channel":${name},"data":1}}`);
    await client.fence();
    expect(client.closeInfo).toBeUndefined();
  });

  attack('of a megabyte is a message that is too long', async (target) => {
    const client = await target.open();
    client.transmit('x'.repeat(1024 * 1024));
    expect(await client.ended()).toMatchObject({ code: 1009 });
  });
});
