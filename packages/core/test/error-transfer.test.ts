import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AuthTokenExpiredError, decycle, dehydrateError, hydrateError } from '../src/index.js';

class NamelessError extends Error {}

/** What a peer gets: the error dehydrated, written as JSON and read again. */
function overTheWire(error: unknown): unknown {
  const text = JSON.stringify({ error: dehydrateError(error) });
  return (JSON.parse(text) as { error?: unknown }).error;
}

describe('`dehydrateError()`', () => {
  test.each<[what: string, error: unknown, sent: unknown]>([
    [
      'an error of ours',
      new AuthTokenExpiredError('m', 5),
      { message: 'm', name: 'AuthTokenExpiredError', expiry: 5 },
    ],
    ['a plain error without its name', new Error('m'), { message: 'm' }],
    ['the name that a built-in class gives', new TypeError('m'), { message: 'm', name: 'TypeError' }],
    ['a class that sets no name as a plain error', new NamelessError('m'), { message: 'm' }],
    ['fields', Object.assign(new Error('m'), { code: 3 }), { message: 'm', code: 3 }],
    ['an own name', Object.assign(new Error('m'), { name: 'Mine' }), { message: 'm', name: 'Mine' }],
    ['an object', { message: 'm', statusCode: 4501 }, { message: 'm', statusCode: 4501 }],
    ['an object without a message', { a: 1 }, { a: 1 }],
    ['an array by its indices', ['x'], { 0: 'x' }],
    ['a text', 'text', 'text'],
    ['null', null, null],
    ['undefined as nothing', undefined, undefined],
    ['a number', 7, 7],
    ['a named function', function named() {}, '[function named]'],
    ['an anonymous function', () => {}, '[function ]'],
    [
      'a function whose name is no text',
      Object.defineProperty(() => {}, 'name', { value: 5 }),
      '[function anonymous]',
    ],
    ['a symbol as its text', Symbol('s'), 'Symbol(s)'],
    ['a BigInt as its text', 5n, '5'],
    ['dates', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['boxed values', { n: Object(1), s: Object('s'), b: Object(5n) }, { n: 1, s: 's', b: '5' }],
    ['nested BigInts and functions', { a: [1n, () => {}, Symbol('s')], f() {} }, { a: ['1', null, null] }],
    ['nested errors without name and message', { inner: new TypeError('in') }, { inner: {} }],
  ])('sends %s', (_, error, sent) => {
    expect(overTheWire(error)).toEqual(sent);
  });

  test('puts the message first', () => {
    expect(JSON.stringify(dehydrateError(new AuthTokenExpiredError('m', 5)))).toBe(
      '{"message":"m","name":"AuthTokenExpiredError","expiry":5}',
    );
    expect(JSON.stringify(dehydrateError(new RangeError('m')))).toBe('{"message":"m","name":"RangeError"}');
  });

  test('never sends `stack` and `cause`, even when somebody made them enumerable', () => {
    const error = new Error('m');
    Object.defineProperty(error, 'stack', { enumerable: true, value: 'secret' });
    Object.defineProperty(error, 'cause', { enumerable: true, value: 'secret' });
    expect(overTheWire(error)).toEqual({ message: 'm' });
    expect(overTheWire({ message: 'm', inner: error })).toEqual({ message: 'm', inner: {} });
  });

  test('leaves out fields whose getters throw', () => {
    const error = {
      get message(): string {
        throw new Error('no');
      },
      get secret(): string {
        throw new Error('no');
      },
      kept: 1,
    };
    expect(dehydrateError(error)).toEqual({ kept: 1 });
  });

  test('survives a proxy that answers nothing', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(dehydrateError(proxy)).toEqual({});
    expect(dehydrateError({ proxy })).toEqual({});
  });

  test('sends a field called `__proto__` as a field', () => {
    const sent = dehydrateError(JSON.parse('{"message":"m","__proto__":{"polluted":true}}')) as object;
    expect(JSON.stringify(sent)).toBe('{"message":"m","__proto__":{"polluted":true}}');
    expect(Object.getPrototypeOf(sent)).toBe(Object.prototype);
  });

  test('cuts what is nested too deep for any encoder', () => {
    let deep: object = {};
    for (let depth = 0; depth < 100_000; depth++) deep = { deep };
    expect(JSON.stringify(dehydrateError({ message: 'm', deep }))).toContain('[too deep]');
  });
});

describe('`decycle()`', () => {
  test('refers to the root, to objects and to array elements by their paths', () => {
    const element = { k: 1 };
    const value: Record<string, unknown> = { self: { arr: [element] }, again: element };
    value['root'] = value;
    value['a"b'] = value['self'];
    expect(decycle(value)).toEqual({
      self: { arr: [{ k: 1 }] },
      again: { $ref: '$["self"]["arr"][0]' },
      root: { $ref: '$' },
      'a"b': { $ref: '$["self"]' },
    });
  });

  test('of an error counts from the error, which has a copy of its own', () => {
    const error: Record<string, unknown> = { message: 'hi', a: { b: 1 } };
    error['c'] = error['a'];
    error['self'] = error;
    expect(dehydrateError(error)).toEqual({
      message: 'hi',
      a: { b: 1 },
      c: { $ref: '$["a"]' },
      self: { message: 'hi', a: { $ref: '$["a"]' }, c: { $ref: '$["a"]' }, self: { $ref: '$["self"]' } },
    });
  });

  test('keeps dates and regular expressions, also repeated ones', () => {
    const at = new Date(0);
    const pattern = /x/g;
    const copy = decycle({ at, again: at, pattern }) as Record<string, unknown>;
    expect(copy).toEqual({ at, again: at, pattern });
    expect(copy['at']).toBe(at);
  });
});

describe('`hydrateError()`', () => {
  test.each([[null], [undefined]])('takes %s for no error', (value) => {
    expect(hydrateError(value)).toBeNull();
  });

  test.each([['text'], [7], [false], ['']])('gives %j back as it is', (value) => {
    expect(hydrateError(value)).toBe(value);
  });

  test('makes an error with name, message and fields', () => {
    const error = hydrateError({ message: 'm', name: 'Mine', code: 3, cause: 'why' }) as Error;
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toBe('m');
    expect(Object.fromEntries(Object.entries(error))).toEqual({ name: 'Mine', code: 3, cause: 'why' });
    expect(String(error)).toBe('Mine: m');
  });

  test.each([[{}], [{ message: 3 }], [[1]]])('says so when %j has no message that is a text', (value) => {
    expect((hydrateError(value) as Error).message).toBe('Invalid error message format');
  });

  test('lets no peer replace what an Error already has', () => {
    const sent: unknown = JSON.parse(
      '{"message":"m","stack":"fake","toString":"fake","constructor":1,"__proto__":{"polluted":1},"name":5}',
    );
    const error = hydrateError(sent) as Error;
    expect(Object.getOwnPropertyNames(error).toSorted()).toEqual(['message', 'stack']);
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
    expect(error.stack).not.toBe('fake');
    expect(error.name).toBe('Error');
  });
});

describe('properties', () => {
  const fields = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true });

  test('an error that crosses the wire keeps its name, its message and its fields', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fields, (name, message, extra) => {
        const error = new Error(message);
        const own = Object.entries(extra).filter(([key]) => key !== 'cause' && !(key in error));
        for (const [key, value] of own) Object.defineProperty(error, key, { value, enumerable: true });
        Object.defineProperty(error, 'name', { value: name, enumerable: true });
        const received = hydrateError(overTheWire(error)) as Error;
        expect(received.name).toBe(name);
        expect(received.message).toBe(message);
        // JSON has no -0.
        const expected: unknown = JSON.parse(JSON.stringify(Object.fromEntries([...own, ['name', name]])));
        expect(Object.fromEntries(Object.entries(received))).toEqual(expected);
      }),
    );
  });

  test('whatever is dehydrated can be encoded as JSON, and whatever arrives can be hydrated', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withTypedArray: true,
      withBoxedValues: true,
      withSparseArray: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        JSON.stringify(dehydrateError(value));
        JSON.stringify(decycle(value));
        const error = hydrateError(value);
        if (typeof value === 'object' && value !== null) expect(error).toBeInstanceOf(Error);
      }),
    );
  });
});
