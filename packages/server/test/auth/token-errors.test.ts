import { fc, test as propertyTest } from '@fast-check/vitest';
import {
  AuthTokenError,
  AuthTokenExpiredError,
  AuthTokenInvalidError,
  AuthTokenNotBeforeError,
} from '@socketcluster-ts/core';
import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { AGAuthEngine } from '../../src/auth/auth-engine.js';
import { createJwksKeySource } from '../../src/auth/jwks.js';
import { toAuthTokenError } from '../../src/auth/token-errors.js';
import type { VerificationKey } from '../../src/auth/token-options.js';
import { ed25519, hmacToken, jwk, p256, pairToken, part, rsa, SECRET } from './token-keys.js';

type Refusal =
  | typeof AuthTokenExpiredError
  | typeof AuthTokenInvalidError
  | typeof AuthTokenNotBeforeError
  | typeof AuthTokenError;

const DATE = new Date(1_700_000_000_000);
const named = (name: string, fields: object = {}) => Object.assign(new Error('the words'), { name }, fields);

describe('toAuthTokenError()', () => {
  test.each<[string, unknown, Refusal, object]>([
    [
      'TokenExpiredError',
      new jwt.TokenExpiredError('the words', DATE),
      AuthTokenExpiredError,
      { expiry: DATE },
    ],
    ['JsonWebTokenError', new jwt.JsonWebTokenError('the words'), AuthTokenInvalidError, {}],
    ['NotBeforeError', new jwt.NotBeforeError('the words', DATE), AuthTokenNotBeforeError, { date: DATE }],
    [
      'an error of that name',
      named('TokenExpiredError', { expiredAt: 5 }),
      AuthTokenExpiredError,
      { expiry: 5 },
    ],
    [
      'an error without time',
      named('TokenExpiredError'),
      AuthTokenExpiredError,
      { expiry: expect.any(Date) },
    ],
    ['any other error', named('TypeError'), AuthTokenError, {}],
    ['an object', { name: 'JsonWebTokenError', message: 'the words' }, AuthTokenInvalidError, {}],
    ['text', 'the words', AuthTokenError, {}],
  ])('%s becomes the class of the contract', (_, error, expectedClass, fields) => {
    const refusal = toAuthTokenError(error);
    expect(refusal).toBeInstanceOf(expectedClass);
    expect(Object.fromEntries(Object.entries(refusal))).toEqual({
      name: expectedClass.name,
      message: 'the words',
      isBadToken: expectedClass !== AuthTokenNotBeforeError,
      ...fields,
    });
    expect(refusal.cause).toBe(error);
  });

  test.each([[undefined], [null], [5], [{}], [{ message: 5 }], [Object.create(null)]])(
    '%o has words, too',
    (error) => {
      expect(toAuthTokenError(error)).toMatchObject({
        name: 'AuthTokenError',
        message: 'The token could not be verified',
        isBadToken: true,
      });
    },
  );

  test('an engine that already speaks these classes is taken at its word', () => {
    const kept = Object.assign(new AuthTokenError('later'), { isBadToken: false });
    expect(toAuthTokenError(kept)).toBe(kept);
    expect(kept.isBadToken).toBe(false);
    const invalid = new AuthTokenInvalidError('bad');
    expect(toAuthTokenError(invalid)).toBe(invalid);
    expect(Object.keys(invalid)).toContain('isBadToken');
    expect(invalid.isBadToken).toBe(true);
    expect(toAuthTokenError(new AuthTokenNotBeforeError('early', DATE)).isBadToken).toBe(false);
  });
});

describe('rubbish for a token', () => {
  const engine = new AGAuthEngine();
  const keys: readonly VerificationKey[] = [
    SECRET,
    rsa.publicPem,
    p256.publicPem,
    ed25519.publicPem,
    createJwksKeySource({ keys: [jwk(rsa), jwk(ed25519), jwk(p256)] }),
    null,
  ];
  const anyKey = fc.constantFrom(...keys);
  const claims = fc.oneof(
    fc.json(),
    fc.string(),
    fc.record(
      { exp: fc.anything(), nbf: fc.anything(), iat: fc.anything(), aud: fc.anything() },
      { requiredKeys: [] },
    ),
  );
  const header = fc.oneof(
    fc.json(),
    fc.string(),
    fc.record(
      {
        alg: fc.oneof(
          fc.constantFrom('none', 'HS256', 'RS256', 'ES256', 'EdDSA', '__proto__'),
          fc.anything(),
        ),
        typ: fc.oneof(fc.constant('JWT'), fc.anything()),
        kid: fc.anything(),
      },
      { requiredKeys: [] },
    ),
  );
  const text = (content: unknown) =>
    part(
      typeof content === 'string'
        ? content
        : (JSON.stringify(content, (_, value: unknown) =>
            typeof value === 'bigint' ? String(value) : value,
          ) ?? ''),
    );

  async function verdict(token: unknown, key: VerificationKey): Promise<void> {
    let verifying: Promise<unknown> | undefined;
    expect(() => {
      verifying = engine.verifyToken(token, key, { socket: {} });
    }).not.toThrow();
    const refusal = await (verifying as Promise<unknown>).then(
      () => undefined,
      (error: unknown) => toAuthTokenError(error),
    );
    expect(refusal?.name).toMatch(/^AuthToken(Expired|Invalid|NotBefore)?Error$/);
    expect(typeof refusal?.message).toBe('string');
    expect(refusal?.isBadToken).toBe(refusal?.name !== 'AuthTokenNotBeforeError');
  }

  propertyTest.prop([fc.anything(), anyKey])('of any kind is refused', verdict);

  propertyTest.prop([
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.base64String(), { maxLength: 5 }).map((parts) => parts.join('.')),
    ),
    anyKey,
  ])('that is text is refused', verdict);

  propertyTest.prop([header, claims, fc.uint8Array({ maxLength: 80 }), anyKey])(
    'in the form of a token is refused',
    async (head, payload, signature, key) => {
      await verdict(`${text(head)}.${text(payload)}.${Buffer.from(signature).toString('base64url')}`, key);
    },
  );

  propertyTest.prop([claims])('with a good signature is a plain object or refused', async (payload) => {
    const body = typeof payload === 'string' ? payload : Buffer.from(text(payload), 'base64url').toString();
    for (const [token, key] of [
      [hmacToken({ alg: 'HS256', typ: 'JWT' }, body), SECRET],
      [pairToken(ed25519, {}, body), ed25519.publicPem],
    ] as const) {
      const result: unknown = await engine.verifyToken(token, key).catch(toAuthTokenError);
      expect(Object.prototype.toString.call(result)).toMatch(/^\[object (Object|Error)\]$/);
    }
  });
});
