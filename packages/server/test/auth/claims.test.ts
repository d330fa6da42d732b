import { describe, expect, test } from 'vitest';
import { AGAuthEngine } from '../../src/auth/auth-engine.js';
import { createJwksKeySource } from '../../src/auth/jwks.js';
import type { TokenVerificationOptions, VerificationKey } from '../../src/auth/token-options.js';
import { ed25519, hmacToken, jwk, pairToken, part, rsa, SECRET } from './token-keys.js';

/** One way to verify: how tokens of this kind are made, and what they are verified with. */
interface Path {
  readonly name: string;
  readonly token: (header: object, payload: unknown) => string;
  readonly key: VerificationKey;
}

const keySet = createJwksKeySource({ keys: [jwk(rsa, { kid: 'r' }), jwk(ed25519, { kid: 'e' })] });

const paths: Path[] = [
  {
    name: 'HS256 and a secret',
    token: (header, payload) => hmacToken({ alg: 'HS256', typ: 'JWT', ...header }, payload),
    key: SECRET,
  },
  {
    name: 'RS256 and a public key',
    token: (header, payload) => pairToken(rsa, header, payload),
    key: rsa.publicPem,
  },
  {
    name: 'EdDSA and a public key',
    token: (header, payload) => pairToken(ed25519, header, payload),
    key: ed25519.publicPem,
  },
  {
    name: 'RS256 and a key set',
    token: (header, payload) => pairToken(rsa, { kid: 'r', ...header }, payload),
    key: keySet,
  },
  {
    name: 'EdDSA and a key set',
    token: (header, payload) => pairToken(ed25519, { kid: 'e', ...header }, payload),
    key: keySet,
  },
];

const engine = new AGAuthEngine();
const NOW = 1_700_000_000;
const expired = (message = 'jwt expired', expiredAt = NOW) => ({
  name: 'TokenExpiredError',
  message,
  expiredAt: new Date(expiredAt * 1000),
});
const notActive = { name: 'NotBeforeError', message: 'jwt not active', date: new Date((NOW + 60) * 1000) };
const invalid = (message: string) => ({ name: 'JsonWebTokenError', message });

/** Payload, options and the error expected, if any. All are verified at the time `NOW`. */
const verdicts: [string, unknown, TokenVerificationOptions, object?][] = [
  ['no claims', {}, {}],
  ['exp in the future', { exp: NOW + 1 }, {}],
  ['exp now', { exp: NOW }, {}, expired()],
  ['exp now, ignored', { exp: NOW }, { ignoreExpiration: true }],
  ['exp that is text', { exp: 'tomorrow' }, {}, invalid('invalid exp value')],
  ['exp beyond all numbers', '{"exp":1e999}', {}],
  ['nbf now', { nbf: NOW }, {}],
  ['nbf in the future', { nbf: NOW + 60 }, {}, notActive],
  ['nbf in the future, ignored', { nbf: NOW + 60 }, { ignoreNotBefore: true }],
  ['nbf that is text', { nbf: 'tomorrow' }, {}, invalid('invalid nbf value')],
  ['exp within the tolerance', { exp: NOW - 59 }, { clockTolerance: 60 }],
  ['nbf within the tolerance', { nbf: NOW + 60 }, { clockTolerance: 60 }],
  ['exp at the tolerance', { exp: NOW }, { clockTolerance: 0 }, expired()],
  [
    'exp beyond the largest tolerance',
    { exp: NOW - 60 },
    { clockTolerance: 3600 },
    expired('jwt expired', NOW - 60),
  ],
  ['a tolerance that is no number', { exp: NOW }, { clockTolerance: Number.NaN }, expired()],
  ['a tolerance that is text', { exp: NOW }, { clockTolerance: '60' as unknown as number }, expired()],
  ['a negative tolerance', { exp: NOW + 1 }, { clockTolerance: -60 }],
  ['the audience', { aud: 'a' }, { audience: 'a' }],
  ['one of the audiences', { aud: ['a', 'b'] }, { audience: ['c', /^b$/] }],
  [
    'another audience',
    { aud: 'a' },
    { audience: ['b', 'c'] },
    invalid('jwt audience invalid. expected: b or c'),
  ],
  ['the issuer', { iss: 'a' }, { issuer: ['a', 'b'] }],
  ['another issuer', { iss: 'c' }, { issuer: 'a' }, invalid('jwt issuer invalid. expected: a')],
  ['the subject', { sub: 's' }, { subject: 's' }],
  ['no subject', {}, { subject: 's' }, invalid('jwt subject invalid. expected: s')],
  ['the id', { jti: 'j' }, { jwtid: 'j' }],
  ['another id', { jti: 'k' }, { jwtid: 'j' }, invalid('jwt jwtid invalid. expected: j')],
  ['the nonce', { nonce: 'n' }, { nonce: 'n' }],
  ['another nonce', { nonce: 'm' }, { nonce: 'n' }, invalid('jwt nonce invalid. expected: n')],
  ['young enough', { iat: NOW - 59 }, { maxAge: '1m' }],
  ['too old', { iat: NOW - 60 }, { maxAge: 60 }, expired('maxAge exceeded')],
  ['of unknown age', {}, { maxAge: 60 }, invalid('iat required when maxAge is specified')],
  ['a payload that is no object', '[]', {}, invalid('jwt payload must be an object')],
  ['a payload of null', 'null', {}, invalid('jwt payload must be an object')],
  ['a payload that is no JSON', '{', {}, { name: 'SyntaxError' }],
  ['an algorithm that is not allowed', {}, { algorithms: ['ES256'] }, invalid('invalid algorithm')],
];

describe.each(paths)('$name', ({ token, key }) => {
  test.each(verdicts)('%s', async (_, payload, options, failure) => {
    const signed = token({}, payload);
    const verdict = engine.verifyToken(signed, key, { clockTimestamp: NOW, ...options });
    if (failure === undefined) {
      expect(await verdict).toEqual(typeof payload === 'string' ? JSON.parse(payload) : payload);
    } else {
      await expect(verdict).rejects.toMatchObject(failure);
    }
  });

  test('the header is held to the same rules', async () => {
    const good = token({}, { id: 1 });
    const [, payload, signature] = good.split('.');
    const critical = token({ crit: ['exp'] }, {});
    for (const [signed, message] of [
      [critical, 'jwt critical header is not supported'],
      [`${part({ alg: 'none' })}.${payload}.${signature}`, 'invalid algorithm'],
      [`${part({ alg: 'HS999' })}.${payload}.${signature}`, 'invalid algorithm'],
      [`${part('nothing')}.${payload}.${signature}`, 'invalid token'],
      [`${good}x`, 'invalid signature'],
      [`${good.split('.').slice(0, 2).join('.')}.AAAA`, 'invalid signature'],
      [`${good.split('.').slice(0, 2).join('.')}.`, 'jwt signature is required'],
      [`${good}.`, 'jwt malformed'],
      ['', 'jwt must be provided'],
    ] as const) {
      await expect(engine.verifyToken(signed, key)).rejects.toMatchObject(invalid(message));
    }
  });

  test('the socket among the options changes nothing', async () => {
    expect(await engine.verifyToken(token({}, { id: 1 }), key, { socket: { any: 'socket' } })).toEqual({
      id: 1,
    });
  });
});
