import { describe, expect, test } from 'vitest';
import * as core from '../src/index.js';

/** Every class with what it is made from and the fields it must list, in order. */
const cases: [name: string, error: Error, fields: Record<string, unknown>][] = [
  ['AuthTokenExpiredError', new core.AuthTokenExpiredError('m', 5), { expiry: 5 }],
  ['AuthTokenInvalidError', new core.AuthTokenInvalidError('m'), {}],
  ['AuthTokenNotBeforeError', new core.AuthTokenNotBeforeError('m', 6), { date: 6 }],
  ['AuthTokenError', new core.AuthTokenError('m'), {}],
  ['AuthError', new core.AuthError('m'), {}],
  [
    'SilentMiddlewareBlockedError',
    new core.SilentMiddlewareBlockedError('m', 'inbound'),
    { type: 'inbound' },
  ],
  ['InvalidActionError', new core.InvalidActionError('m'), {}],
  ['InvalidArgumentsError', new core.InvalidArgumentsError('m'), {}],
  ['InvalidOptionsError', new core.InvalidOptionsError('m'), {}],
  ['InvalidMessageError', new core.InvalidMessageError('m'), {}],
  ['SocketProtocolError', new core.SocketProtocolError('m', 4001), { code: 4001 }],
  ['ServerProtocolError', new core.ServerProtocolError('m'), {}],
  ['HTTPServerError', new core.HTTPServerError('m'), {}],
  ['ResourceLimitError', new core.ResourceLimitError('m'), {}],
  ['TimeoutError', new core.TimeoutError('m'), {}],
  [
    'BadConnectionError',
    new core.BadConnectionError('m', 'disconnect', 4000, 'why'),
    { type: 'disconnect', code: 4000, reason: 'why' },
  ],
  ['AbortError', new core.AbortError('m', { cause: 1 }), {}],
  [
    'InvalidDataError',
    new core.InvalidDataError('m', 'events.a', [{ path: 'b', message: 'c' }]),
    { entry: 'events.a', issues: [{ path: 'b', message: 'c' }] },
  ],
  ['UnknownNameError', new core.UnknownNameError('m', 'event'), { kind: 'event' }],
  ['BrokerError', new core.BrokerError('m'), {}],
  ['ProcessExitError', new core.ProcessExitError('m', 1), { code: 1 }],
  ['UnknownError', new core.UnknownError('m'), {}],
];

describe.each(cases)('%s', (name, error, fields) => {
  test('lists its name, its message and its fields, and neither stack nor cause', () => {
    expect(Object.fromEntries(Object.entries(error))).toEqual({ name, message: 'm', ...fields });
    expect(Object.keys(error)).not.toContain('stack');
    expect(Object.keys(error)).not.toContain('cause');
  });

  test('is an Error that prints its own name', () => {
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe(`${name}: m`);
    expect(error.stack).toContain(`${name}: m`);
  });
});

test('every error class of the package is in the table', () => {
  const exported = Object.keys(core).filter((name) => name.endsWith('Error') && /^[A-Z]/.test(name));
  expect(cases.map(([name]) => name).toSorted()).toEqual(exported.toSorted());
});

describe('a cause', () => {
  test.each([
    new core.BrokerError('m', { cause: 'why' }),
    new core.AuthTokenExpiredError('m', 5, { cause: 'why' }),
    new core.BadConnectionError('m', 'disconnect', 4000, 'r', { cause: 'why' }),
    new core.ProcessExitError('m', 1, { cause: 'why' }),
  ])('of $name is kept without being listed', (error) => {
    expect(error.cause).toBe('why');
    expect(Object.keys(error)).not.toContain('cause');
  });

  test('that was not given is no property at all', () => {
    expect(new core.BrokerError('m')).not.toHaveProperty('cause');
  });
});

describe('BadConnectionError', () => {
  test.each<[what: string, error: core.BadConnectionError, codeAndReason: object]>([
    [
      'without code and reason',
      new core.BadConnectionError('m', 'connectAbort'),
      { code: 1001, reason: 'Socket was disconnected' },
    ],
    [
      'with a code that is no error',
      new core.BadConnectionError('m', 'connectAbort', 1000),
      { code: 1000, reason: 'Socket closed normally' },
    ],
    [
      'with a code that is one',
      new core.BadConnectionError('m', 'disconnect', 4001),
      { code: 4001, reason: '' },
    ],
    [
      'with an empty reason',
      new core.BadConnectionError('m', 'disconnect', 1001, ''),
      { code: 1001, reason: '' },
    ],
  ])('%s has a code and a reason', (_, error, codeAndReason) => {
    expect(error).toMatchObject(codeAndReason);
  });
});

test('`isBadToken` is listed only once somebody has set it', () => {
  const error = new core.AuthTokenInvalidError('m');
  expect(error).not.toHaveProperty('isBadToken');
  error.isBadToken = true;
  expect(Object.fromEntries(Object.entries(error))).toEqual({
    name: 'AuthTokenInvalidError',
    message: 'm',
    isBadToken: true,
  });
});
