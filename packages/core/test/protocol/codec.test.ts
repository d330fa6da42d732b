import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CodecEngine, jsonCodec } from '../../src/index.js';

const require = createRequire(import.meta.url);
/** The codec of the published server: peers in the field use it. */
const published = createRequire(require.resolve('socketcluster-server'))('sc-formatter') as CodecEngine;

const bytes = Uint8Array.of(1, 2, 255);
const buffer = Buffer.from(bytes);
const arrayBuffer = bytes.buffer;

/** What an encoder gives, or the message of what it throws. */
function outcome(encode: (value: unknown) => unknown, value: unknown): unknown {
  try {
    return encode(value);
  } catch (error) {
    return `throws ${(error as Error).message}`;
  }
}

function circular(): object {
  const value: Record<string, unknown> = { a: 1 };
  value['self'] = value;
  return value;
}

describe('`jsonCodec.encode()`', () => {
  test.each<[what: string, value: unknown, text: string | undefined]>([
    ['a ping', '#1', '#1'],
    ['a pong', '#2', '#2'],
    ['a text', 'a', '"a"'],
    ['an empty text', '', '""'],
    ['undefined', undefined, undefined],
    ['a function', () => {}, undefined],
    ['null', null, 'null'],
    ['a packet', { event: 'a', data: undefined, cid: 1 }, '{"event":"a","cid":1}'],
    ['an ArrayBuffer', { a: arrayBuffer }, '{"a":{"base64":true,"data":"AQL/"}}'],
    ['a Buffer', { a: buffer }, '{"a":{"base64":true,"data":"AQL/"}}'],
    ['binary data alone', buffer, '{"base64":true,"data":"AQL/"}'],
    ['an ArrayBuffer alone', arrayBuffer, '{"base64":true,"data":"AQL/"}'],
    [
      'binary data in an array',
      [undefined, buffer, arrayBuffer],
      '[null,{"base64":true,"data":"AQL/"},{"base64":true,"data":"AQL/"}]',
    ],
    [
      'what a Buffer is in JSON',
      { a: { type: 'Buffer', data: [1, 2, 255] } },
      '{"a":{"base64":true,"data":"AQL/"}}',
    ],
    [
      'the same with values that are no bytes',
      { type: 'Buffer', data: [1, 'x', 300] },
      '{"base64":true,"data":"AQAs"}',
    ],
    ['something that only has the type', { type: 'Buffer', data: 'abc' }, '{"type":"Buffer","data":"abc"}'],
    ['an empty Buffer', { a: Buffer.alloc(0) }, '{"a":{"base64":true,"data":""}}'],
    ['a typed array as its indices', { a: bytes }, '{"a":{"0":1,"1":2,"2":255}}'],
    ['a date', { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    [
      'a toJSON() that gives binary data',
      { a: { toJSON: () => arrayBuffer } },
      '{"a":{"base64":true,"data":"AQL/"}}',
    ],
    [
      'a Buffer beside other fields',
      { x: 1, a: buffer, y: { b: buffer } },
      '{"x":1,"a":{"base64":true,"data":"AQL/"},"y":{"b":{"base64":true,"data":"AQL/"}}}',
    ],
  ])('writes %s', (_, value, text) => {
    expect(jsonCodec.encode(value)).toBe(text);
    expect(published.encode(value)).toBe(text);
  });

  test.each<[what: string, value: unknown, message: RegExp]>([
    ['a cycle', circular(), /circular/],
    ['a BigInt', { a: 1n }, /BigInt/],
    [
      'a getter that throws',
      Object.defineProperty({}, 'a', { enumerable: true, get: () => JSON.parse('no') }),
      /JSON/,
    ],
  ])('throws for %s, in the words of JSON.stringify()', (_, value, message) => {
    expect(() => jsonCodec.encode(value)).toThrow(message);
    expect(outcome(jsonCodec.encode, value)).toBe(outcome(published.encode, value));
  });

  test('changes nothing in what it is given', () => {
    const value = { a: buffer, list: [buffer] };
    jsonCodec.encode(value);
    expect(value.a).toBe(buffer);
    expect(value.list[0]).toBe(buffer);
  });

  test('works detached', () => {
    const { encode, decode } = jsonCodec;
    expect(decode(encode({ a: 1 }))).toEqual({ a: 1 });
  });

  test('gives what the published codec gives, for any value', () => {
    const binary = fc
      .uint8Array({ maxLength: 20 })
      .chain((content) =>
        fc.constantFrom<unknown>(
          Buffer.from(content),
          content.slice().buffer,
          content,
          { type: 'Buffer', data: [...content] },
          { type: 'Buffer', data: [...content], more: true },
          new Date(content.length),
          { toJSON: () => content.slice().buffer },
        ),
      );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.anything({ withDate: true, withBigInt: true }),
        binary,
        tie('list'),
        tie('record'),
      ),
      list: fc.array(tie('value')),
      record: fc.dictionary(
        fc.oneof(fc.string(), fc.constantFrom('type', 'data', '__proto__')),
        tie('value'),
      ),
    }));
    fc.assert(
      fc.property(value, (any) => {
        expect(outcome(jsonCodec.encode, any)).toBe(outcome(published.encode, any));
      }),
      { numRuns: 500 },
    );
  });
});

describe('`jsonCodec.decode()`', () => {
  test.each<[message: unknown, value: unknown]>([
    [null, null],
    [undefined, null],
    ['#1', '#1'],
    ['#2', '#2'],
    ['', ''],
    ['{"a":1}', { a: 1 }],
    [' \n\r\t[1,{}]', [1, {}]],
    ['{bad', '{bad'],
    ['[', '['],
    ['1', '1'],
    ['"x"', '"x"'],
    ['true', 'true'],
    ['null', 'null'],
    ['\u00a0{"a":1}', '\u00a0{"a":1}'],
    ['\ufeff{"a":1}', '\ufeff{"a":1}'],
    ['\v{}', '\v{}'],
    [Buffer.from('{"a":1}'), { a: 1 }],
    [Buffer.from('#1'), '#1'],
    [5, '5'],
    [{ toString: () => '{"q":1}' }, { q: 1 }],
  ])('of %j', (message, value) => {
    expect(jsonCodec.decode(message)).toEqual(value);
    expect(published.decode(message)).toEqual(value);
  });

  test('keeps `__proto__` as a field', () => {
    const value = jsonCodec.decode('{"__proto__":{"a":1}}') as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(['__proto__']);
  });

  test('reads bytes as UTF-8, whatever holds them', () => {
    const content = new TextEncoder().encode('{"a":"é"}');
    expect(jsonCodec.decode(content)).toEqual({ a: 'é' });
    expect(jsonCodec.decode(content.buffer)).toEqual({ a: 'é' });
    expect(jsonCodec.decode(Buffer.from('\ufeff{}'))).toBe(
      jsonCodec.decode(new TextEncoder().encode('\ufeff{}')),
    );
  });

  test('never throws, even for what has no text', () => {
    expect(jsonCodec.decode(Object.create(null))).toBeNull();
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.json(), fc.uint8Array()), (message) => {
        const value = jsonCodec.decode(message);
        expect(value === null || typeof value === 'object' || typeof value === 'string').toBe(true);
      }),
    );
  });

  test('gives what the published codec gives, for any text', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((json) => `\n ${json}`),
      fc.json().map((json) => json.slice(1)),
    );
    fc.assert(
      fc.property(text, (message) => {
        expect(jsonCodec.decode(message)).toEqual(published.decode(message));
      }),
    );
  });
});
