import { consume, nextValue, ours, startServer } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

/** The text of the reply when a procedure answers with `error`. */
async function textOfError(error: unknown): Promise<string> {
  const { open } = await startServer();
  const { client, socket } = await open();
  void consume(socket.procedure('asked'), (request) => {
    request.error(error);
  });
  client.send({ event: 'asked', cid: 2 });
  return (await client.nextFrame((frame) => frame.text.startsWith('{"rid":2'))).text;
}

const replyWith = async (error: unknown): Promise<unknown> =>
  (JSON.parse(await textOfError(error)) as { error?: unknown }).error;

describe('an error answer', () => {
  test('carries message and own enumerable fields, message first', async () => {
    const error = Object.assign(new Error('nope'), { name: 'NopeError', code: 5, detail: { a: [1] } });
    expect(await textOfError(error)).toBe(
      '{"rid":2,"error":{"message":"nope","name":"NopeError","code":5,"detail":{"a":[1]}}}',
    );
  });

  test('carries neither stack nor cause', async () => {
    const text = await textOfError(new Error('nope', { cause: new Error('secret') }));
    expect(text).toBe('{"rid":2,"error":{"message":"nope"}}');
  });

  ours('carries the name of its class unless that is Error', async () => {
    class NopeError extends Error {
      override get name(): string {
        return 'NopeError';
      }
    }
    expect(await replyWith(new TypeError('nope'))).toEqual({ message: 'nope', name: 'TypeError' });
    expect(await replyWith(new NopeError('nope'))).toEqual({ message: 'nope', name: 'NopeError' });
    expect(await replyWith(new Error('nope'))).toEqual({ message: 'nope' });
  });

  test.for([
    ['text', 'just text', '"just text"'],
    ['a number', 5, '5'],
    ['false', false, 'false'],
    ['null', null, 'null'],
    ['a named function', function broken() {}, '"[function broken]"'],
    ['an anonymous function', (() => () => {})(), '"[function ]"'],
    ['an error without message', new Error(), '{"message":""}'],
  ] as const)('of %s is %s on the wire', async ([, error, text]) => {
    expect(await textOfError(error)).toBe(`{"rid":2,"error":${text}}`);
  });

  test('of undefined is a success without data', async () => {
    expect(await textOfError(undefined)).toBe('{"rid":2}');
  });

  test('of an object that is no Error carries its fields', async () => {
    expect(await replyWith({ message: 'plain', extra: 1 })).toEqual({ message: 'plain', extra: 1 });
  });

  test('may refer to itself: what repeats becomes a path', async () => {
    const error = Object.assign(new Error('round'), { name: 'RoundError', list: [] as unknown[] });
    Object.assign(error, { self: error, again: error.list });
    error.list.push({ deep: error.list });
    expect(await replyWith(error)).toEqual({
      message: 'round',
      name: 'RoundError',
      list: [{ deep: { $ref: '$["list"]' } }],
      self: expect.anything(),
      again: { $ref: '$["list"]' },
    });
  });

  test('keeps dates', async () => {
    const at = new Date(0);
    expect(await replyWith(Object.assign(new Error('late'), { at }))).toEqual({
      message: 'late',
      at: '1970-01-01T00:00:00.000Z',
    });
  });

  ours('whose fields cannot be read or encoded is still an answer', async () => {
    const hostile = Object.defineProperty(new Error('hostile'), 'field', {
      enumerable: true,
      get() {
        throw new Error('getter');
      },
    });
    expect(await replyWith(hostile)).toBeDefined();
    expect(await replyWith(Object.assign(new Error('big'), { amount: 5n }))).toBeDefined();
  });
});

describe('an error answer of the client', () => {
  /** What `invoke()` is rejected with when the client answers with this error. */
  async function rejectionBy(error: unknown): Promise<Error & Record<string, unknown>> {
    const { open } = await startServer();
    const { client, socket } = await open();
    const asked = socket.invoke('ask');
    client.send(`{"rid":1,"error":${typeof error === 'string' ? error : JSON.stringify(error)}}`);
    try {
      await asked;
    } catch (reason) {
      return reason as Error & Record<string, unknown>;
    }
    throw new Error('The call was resolved');
  }

  test('becomes an Error with its fields', async () => {
    const error = await rejectionBy({ name: 'NopeError', message: 'nope', code: 5, detail: { a: 1 } });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'NopeError', message: 'nope', code: 5, detail: { a: 1 } });
  });

  test('without a message that is text gets a fixed one', async () => {
    expect((await rejectionBy({ message: 5 })).message).toBe('Invalid error message format');
  });

  test('overwrites nothing that an Error has', async () => {
    const error = await rejectionBy(
      '{"message":"x","stack":"forged","toString":"forged","constructor":"forged","__proto__":{"polluted":1}}',
    );
    expect(error.stack).not.toBe('forged');
    expect(typeof error.toString).toBe('function');
    expect(error.constructor).toBe(Error);
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
    expect(error['polluted']).toBeUndefined();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test.for([
    ['a number', 5],
    ['true', true],
    ['an empty array', []],
  ] as const)('that is %s rejects', async ([, value]) => {
    const error = await rejectionBy(value);
    expect(typeof value === 'object' ? error instanceof Error : error).toEqual(
      typeof value === 'object' || value,
    );
  });
});

describe('the errors of the server', () => {
  test('are events with an `error` at the socket and a `warning` at the server', async () => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    const raised = nextValue(socket.listener('error'));
    const warned = nextValue(server.listener('warning'));
    await client.call('#unsubscribe', 'c');
    const { error } = await raised;
    expect((await warned).warning).toBe(error);
    expect(Object.keys(error as object)).toEqual(expect.arrayContaining(['name', 'message']));
    expect(Object.keys(error as object)).not.toContain('stack');
  });

  test('`emitError()` and `emitWarning()` raise them', async () => {
    const { server, log } = await startServer();
    server.emitError(new Error('fatal'));
    server.emitWarning(new Error('odd'));
    expect(await log.first('error')).toMatchObject({ error: { message: 'fatal' } });
    expect(await log.first('warning')).toMatchObject({ warning: { message: 'odd' } });
  });
});
