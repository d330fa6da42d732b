import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { AGAuthEngine } from '../../src/auth/auth-engine.js';
import type { SignatureKey, TokenSignatureOptions } from '../../src/auth/token-options.js';
import { ed25519, p256, rsa, SECRET } from './token-keys.js';

const engine = new AGAuthEngine();

/** Options and payloads that are refused, with the message. */
const refusals: [string, unknown, object, string | RegExp][] = [
  ['no payload', undefined, {}, 'payload is required'],
  ['null', null, {}, 'Expected "payload" to be a plain object.'],
  ['an array', [1], {}, 'Expected "payload" to be a plain object.'],
  ['text', 'text', {}, 'Expected "payload" to be a plain object.'],
  ['text with an expiry', 'text', { expiresIn: 5 }, 'invalid expiresIn option for string payload'],
  ['bytes', Buffer.from('{}'), {}, 'Expected "payload" to be a plain object.'],
  ['an instance of a class', new Date(), {}, 'Expected "payload" to be a plain object.'],
  ['an exp that is text', { exp: 'x' }, {}, '"exp" should be a number of seconds'],
  [
    'exp and expiresIn',
    { exp: 1 },
    { expiresIn: 5 },
    'Bad "options.expiresIn" option the payload already has an "exp" property.',
  ],
  [
    'nbf and notBefore',
    { nbf: 1 },
    { notBefore: 5 },
    'Bad "options.notBefore" option the payload already has an "nbf" property.',
  ],
  ...(
    [
      ['aud', 'audience'],
      ['iss', 'issuer'],
      ['sub', 'subject'],
      ['jti', 'jwtid'],
    ] as const
  ).map(([claim, option]): [string, object, object, string] => [
    `${claim} and ${option}`,
    { [claim]: 'x' },
    { [option]: 'y' },
    `Bad "options.${option}" option. The payload already has an "${claim}" property.`,
  ]),
  ['an unknown option', {}, { colour: 'red' }, '"colour" is not allowed in "options"'],
  [
    'a fraction of a second',
    {},
    { expiresIn: 0.5 },
    '"expiresIn" should be a number of seconds or string representing a timespan',
  ],
  [
    'a time span nobody knows',
    {},
    { expiresIn: 'soon' },
    /^"expiresIn" should be a number of seconds or string/,
  ],
  ['an unknown algorithm', {}, { algorithm: 'XX256' }, '"algorithm" must be a valid string enum value'],
  ['an algorithm that is no text', {}, { algorithm: 256 }, '"algorithm" must be a valid string enum value'],
  ['a header that is no object', {}, { header: 'x' }, '"header" must be an object'],
  ['a key id that is no text', {}, { keyid: 5 }, '"keyid" must be a string'],
];

describe.each([
  ['a secret', SECRET, SECRET],
  ['an RSA key', rsa.privatePem, rsa.publicPem],
  ['an Ed25519 key', ed25519.privatePem, ed25519.publicPem],
])('signing with %s', (_, signatureKey, verificationKey) => {
  test.each(refusals)('%s: refused', async (_name, payload, options, message) => {
    await expect(engine.signToken(payload as object, signatureKey, options)).rejects.toThrow(message);
  });

  test('the payload is in the token, with `iat` and the claims of the options', async () => {
    const before = Math.floor(Date.now() / 1000);
    const token = await engine.signToken({ name: 'Ádá', deep: { list: [1, null] } }, signatureKey, {
      expiresIn: '2h',
      notBefore: 0,
      audience: ['a', 'b'],
      issuer: 'i',
      subject: 's',
      jwtid: 'j',
      keyid: 'k',
      header: { cty: 'demo' },
    });
    const claims = await engine.verifyToken(token, verificationKey);
    const iat = claims.iat ?? 0;
    expect(iat).toBeGreaterThanOrEqual(before);
    expect(claims).toEqual({
      name: 'Ádá',
      deep: { list: [1, null] },
      iat,
      nbf: iat,
      exp: iat + 7200,
      aud: ['a', 'b'],
      iss: 'i',
      sub: 's',
      jti: 'j',
    });
    expect(headerOf(token)).toMatchObject({ typ: 'JWT', kid: 'k', cty: 'demo' });
  });

  test('without options the token never expires, and has `iat` only', async () => {
    const token = await engine.signToken({ id: 1 }, signatureKey);
    expect(await engine.verifyToken(token, verificationKey)).toEqual({ id: 1, iat: expect.any(Number) });
  });

  test('an option that is undefined counts as not given', async () => {
    const options: TokenSignatureOptions = { algorithm: undefined, expiresIn: undefined, issuer: undefined };
    const token = await engine.signToken({ id: 1 }, signatureKey, options);
    expect(await engine.verifyToken(token, verificationKey)).toEqual({ id: 1, iat: expect.any(Number) });
  });

  test('`noTimestamp` leaves `iat` out', async () => {
    const token = await engine.signToken({ id: 1 }, signatureKey, { noTimestamp: true });
    expect(await engine.verifyToken(token, verificationKey)).toEqual({ id: 1 });
  });

  test('`mutatePayload` writes the claims into the payload before the call returns', async () => {
    const payload: { id: number; iat?: number; exp?: number } = { id: 1 };
    const signing = engine.signToken(payload, signatureKey, { mutatePayload: true, expiresIn: 60 });
    expect(payload).toEqual({ id: 1, iat: expect.any(Number), exp: (payload.iat ?? 0) + 60 });
    await signing;
  });

  test('without `mutatePayload` the payload stays as it is', async () => {
    const payload = Object.freeze({ id: 1 });
    await engine.signToken(payload, signatureKey, { expiresIn: 60 });
    expect(payload).toEqual({ id: 1 });
  });

  test('a payload that is changed while it is being signed does not change the token', async () => {
    const payload = { id: 1 };
    const signing = engine.signToken(payload, signatureKey);
    payload.id = 2;
    expect(await engine.verifyToken(await signing, verificationKey)).toMatchObject({ id: 1 });
  });
});

describe('keys that cannot sign', () => {
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 });

  test.each<[string, SignatureKey | undefined, TokenSignatureOptions, string]>([
    ['null', null, {}, 'secretOrPrivateKey must have a value'],
    ['undefined', undefined, {}, 'secretOrPrivateKey must have a value'],
    ['an empty string', '', {}, 'secretOrPrivateKey must have a value'],
    ['no bytes', Buffer.alloc(0), {}, 'secretOrPrivateKey is not valid key material'],
    ['a public key', rsa.publicPem, { algorithm: 'RS256' }, 'secretOrPrivateKey is not valid key material'],
    [
      'a public KeyObject',
      rsa.publicKey,
      { algorithm: 'RS256' },
      'secretOrPrivateKey must be an asymmetric key when using RS256',
    ],
    [
      'a public Ed25519 KeyObject',
      ed25519.publicKey,
      {},
      'secretOrPrivateKey must be an asymmetric key when using EdDSA',
    ],
    [
      'a secret for RS256',
      SECRET,
      { algorithm: 'RS256' },
      'secretOrPrivateKey must be an asymmetric key when using RS256',
    ],
    [
      'an RSA key for HS256',
      rsa.privatePem,
      { algorithm: 'HS256' },
      'secretOrPrivateKey must be a symmetric key when using HS256',
    ],
    ['an RSA key for ES256', rsa.privatePem, { algorithm: 'ES256' }, '"alg" parameter for "rsa" key type'],
    [
      'a key on another curve',
      p256.privatePem,
      { algorithm: 'ES384' },
      '"alg" parameter "ES384" requires curve "secp384r1".',
    ],
    ['an Ed25519 key for RS256', ed25519.privatePem, { algorithm: 'RS256' }, 'Unknown key type "ed25519".'],
    ['a secret for EdDSA', SECRET, { algorithm: 'EdDSA' }, '"algorithm" must be a valid string enum value'],
    [
      'an RSA key that is too short',
      small.privateKey,
      {},
      'secretOrPrivateKey has a minimum key size of 2048 bits for RS256',
    ],
  ])('%s is refused', async (_, key, options, message) => {
    await expect(engine.signToken({}, key as SignatureKey, options)).rejects.toThrow(message);
  });

  test('a short RSA key signs where `allowInsecureKeySizes` says so', async () => {
    const token = await engine.signToken({ id: 1 }, small.privateKey, { allowInsecureKeySizes: true });
    expect(await engine.verifyToken(token, small.publicKey)).toMatchObject({ id: 1 });
  });
});

test('keys never show in the errors about them', async () => {
  const text = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----';
  const error = await engine.signToken({}, text).catch((reason: unknown) => reason as Error);
  expect(
    JSON.stringify(error) + String((error as Error).stack) + String((error as Error).cause),
  ).not.toContain('c2VjcmV0');
});

function headerOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
}
