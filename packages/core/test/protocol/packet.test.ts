import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  errorPacket,
  eventPacket,
  type Packet,
  parseChannelPayload,
  parsePacket,
  responsePacket,
} from '../../src/index.js';

const event = (rest: object): object => ({
  kind: 'event',
  data: undefined,
  hasData: false,
  cid: undefined,
  ...rest,
});
const response = (rest: object): object => ({ kind: 'response', data: undefined, error: undefined, ...rest });
const raw = { kind: 'raw' };

describe('`parsePacket()`', () => {
  test.each<[json: string, packet: object]>([
    ['{"event":"a"}', event({ event: 'a' })],
    ['{"event":""}', event({ event: '' })],
    ['{"event":"a","data":null}', event({ event: 'a', data: null, hasData: true })],
    ['{"event":"a","data":{"b":1},"cid":7}', event({ event: 'a', data: { b: 1 }, hasData: true, cid: 7 })],
    ['{"event":"a","cid":0}', event({ event: 'a', cid: 0 })],
    ['{"event":"a","cid":-1.5}', event({ event: 'a', cid: -1.5 })],
    ['{"event":"a","cid":"7"}', event({ event: 'a' })],
    ['{"event":"a","cid":null}', event({ event: 'a' })],
    ['{"event":"a","cid":1e999}', event({ event: 'a' })],
    ['{"event":"a","rid":1}', event({ event: 'a' })],
    ['{"event":"__proto__"}', event({ event: '__proto__' })],
    ['{"rid":1}', response({ rid: 1 })],
    ['{"rid":1,"data":2}', response({ rid: 1, data: 2 })],
    ['{"rid":1,"error":null}', response({ rid: 1, error: null })],
    ['{"rid":1,"error":{"message":"m"}}', response({ rid: 1, error: { message: 'm' } })],
    ['{"event":5,"rid":1}', response({ rid: 1 })],
    ['{"rid":"1"}', raw],
    ['{"event":5}', raw],
    ['{}', raw],
    ['[]', raw],
    ['[{"event":"a"}]', raw],
    ['"event"', raw],
    ['5', raw],
    ['null', raw],
    ['{"__proto__":{"event":"a"}}', raw],
  ])('of %s', (json, packet) => {
    expect(parsePacket(JSON.parse(json))).toEqual(packet);
  });

  test('looks at own properties only', () => {
    expect(parsePacket(Object.create({ event: 'a' }))).toEqual(raw);
    expect(parsePacket(Object.assign(Object.create({ cid: 1, data: 2 }), { event: 'a' }))).toEqual(
      event({ event: 'a' }),
    );
  });

  test('takes an array for raw, whatever else it is', () => {
    expect(parsePacket(Object.assign([], { event: 'a' }))).toEqual(raw);
  });

  test('takes an object that throws when it is read for raw', () => {
    const throwing = Object.defineProperty({ event: 'a' }, 'data', {
      get() {
        throw new Error('no');
      },
    });
    expect(parsePacket(throwing)).toEqual(raw);
  });

  test('classifies anything without throwing', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(['event', 'response', 'raw']).toContain(parsePacket(value).kind);
      }),
    );
  });

  test('reads back what the builders make', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), fc.integer(), (name, data, cid) => {
        const throughJson = (packet: unknown): Packet => parsePacket(JSON.parse(JSON.stringify(packet)));
        const sameData: unknown = JSON.parse(JSON.stringify(data));
        expect(throughJson(eventPacket(name, data, cid))).toEqual(
          event({ event: name, data: sameData, hasData: true, cid: JSON.parse(JSON.stringify(cid)) }),
        );
        expect(throughJson(responsePacket(cid, data))).toEqual(
          response({ rid: JSON.parse(JSON.stringify(cid)), data: sameData }),
        );
      }),
    );
  });
});

describe('`parseChannelPayload()`', () => {
  test.each<[json: string, payload: object | undefined]>([
    ['{"channel":"a"}', { channel: 'a', data: undefined, hasData: false }],
    ['{"channel":""}', { channel: '', data: undefined, hasData: false }],
    ['{"channel":"__proto__","data":0}', { channel: '__proto__', data: 0, hasData: true }],
    ['{"channel":5}', undefined],
    ['{"data":1}', undefined],
    ['{"__proto__":{"channel":"a"}}', undefined],
    ['"a"', undefined],
    ['null', undefined],
    ['["a"]', undefined],
  ])('of %s', (json, payload) => {
    expect(parseChannelPayload(JSON.parse(json))).toEqual(payload);
  });

  test('of an object that throws when it is read is nothing', () => {
    const throwing = Object.defineProperty({}, 'channel', {
      get() {
        throw new Error('no');
      },
    });
    expect(parseChannelPayload(throwing)).toBeUndefined();
    expect(parseChannelPayload(undefined)).toBeUndefined();
  });
});

describe('the builders', () => {
  test.each<[packet: object, json: string]>([
    [eventPacket('a'), '{"event":"a"}'],
    [eventPacket('a', null), '{"event":"a","data":null}'],
    [eventPacket('a', undefined, 1), '{"event":"a","cid":1}'],
    [eventPacket('a', 'x', 1), '{"event":"a","cid":1,"data":"x"}'],
    [responsePacket(1), '{"rid":1}'],
    [responsePacket(1, null), '{"rid":1,"data":null}'],
    [errorPacket(1, { message: 'm' }), '{"rid":1,"error":{"message":"m"}}'],
    [errorPacket(1, null), '{"rid":1,"error":null}'],
    [errorPacket(1, undefined), '{"rid":1}'],
  ])('write %j with its keys in the order of the protocol', (packet, json) => {
    expect(JSON.stringify(packet)).toBe(json);
  });
});
