import { generateKeyPairSync } from 'node:crypto';
import { InvalidOptionsError } from '@socketcluster-ts/core';
import { describe, expect, test } from 'vitest';
import { AGAuthEngine } from '../../src/auth/auth-engine.js';
import { type AuthOptions, resolveAuthOptions } from '../../src/auth/auth-options.js';
import type { KeyMaterial } from '../../src/auth/key-material.js';
import { ed25519, jwk, type KeyPair, p256, p384, p521, pairToken, rsa, SECRET } from './token-keys.js';

const engine = new AGAuthEngine();
const pairOf = ({ privatePem, publicPem }: KeyPair): AuthOptions => ({
  authPrivateKey: privatePem,
  authPublicKey: publicPem,
});
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** Signs with the settings and verifies what was signed, as the server does. */
async function roundTrip(options: AuthOptions): Promise<unknown> {
  const settings = resolveAuthOptions(options);
  const token = await engine.signToken({ id: 1 }, settings.signatureKey, settings.defaultSignatureOptions);
  return engine.verifyToken(token, settings.verificationKey, settings.defaultVerificationOptions);
}

describe('keys', () => {
  test('without any key a secret of 32 random bytes is made', () => {
    for (const options of [{}, { authKey: null, authPrivateKey: undefined, authJwks: null }]) {
      const settings = resolveAuthOptions(options);
      expect(settings.generatedKey).toMatch(/^[0-9a-f]{64}$/);
      expect(settings.signatureKey).toBe(settings.generatedKey);
      expect(settings.verificationKey).toBe(settings.generatedKey);
      expect(settings.warnings).toEqual([]);
      expect(resolveAuthOptions(options).generatedKey).not.toBe(settings.generatedKey);
    }
  });

  test('`authKey` signs and verifies', () => {
    const settings = resolveAuthOptions({ authKey: SECRET });
    expect(settings).toEqual({
      signatureKey: SECRET,
      verificationKey: SECRET,
      defaultSignatureOptions: { expiresIn: 86400, algorithm: 'HS256' },
      defaultVerificationOptions: { algorithms: ['HS256'] },
      warnings: [],
    });
    const bytes = Buffer.from(SECRET);
    expect(resolveAuthOptions({ authKey: bytes }).signatureKey).toBe(bytes);
  });

  test('a key pair takes the place of `authKey`', () => {
    const settings = resolveAuthOptions({ ...pairOf(rsa), authKey: SECRET });
    expect(settings.signatureKey).toBe(rsa.privatePem);
    expect(settings.verificationKey).toBe(rsa.publicPem);
    expect(settings.generatedKey).toBeUndefined();
  });

  test.each([
    ['authPrivateKey', { authPrivateKey: rsa.privatePem }, 'authPublicKey', 'authPrivateKey'],
    ['authPublicKey', { authPublicKey: rsa.publicPem }, 'authPrivateKey', 'authPublicKey'],
  ])('`%s` alone is refused', (_, options, missing, given) => {
    expect(() => resolveAuthOptions(options)).toThrow(
      new InvalidOptionsError(`The ${missing} option must be specified if ${given} is specified`),
    );
  });

  test.each<[string, AuthOptions, string]>([
    ['authKey', { authKey: '' }, 'nothing in it'],
    ['authKey', { authKey: Buffer.alloc(0) }, 'nothing in it'],
    ['authKey', { authKey: 5 as unknown as KeyMaterial }, 'number'],
    ['authKey', { authKey: {} as KeyMaterial }, 'object'],
    ['authKey', { authKey: '-----BEGIN PRIVATE KEY-----\nc2VjcmV0' }, 'something that cannot be read'],
    ['authPrivateKey', { ...pairOf(rsa), authPrivateKey: 'c2VjcmV0' }, 'a secret'],
    ['authPrivateKey', { ...pairOf(rsa), authPrivateKey: rsa.publicPem }, 'something that cannot be read'],
    ['authPrivateKey', { ...pairOf(rsa), authPrivateKey: rsa.publicKey }, 'a key of type rsa'],
    ['authPublicKey', { ...pairOf(rsa), authPublicKey: 'c2VjcmV0' }, 'a secret'],
    [
      'authPublicKey',
      { ...pairOf(rsa), authPublicKey: '-----BEGIN PUBLIC KEY-----\nc2VjcmV0' },
      'something that cannot be read',
    ],
  ])('`%s` that holds no key is refused, and not shown: %#', (option, options, got) => {
    let refusal: unknown;
    try {
      resolveAuthOptions(options);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(InvalidOptionsError);
    const { message, stack, cause } = refusal as InvalidOptionsError;
    expect(message).toMatch(new RegExp(`^The ${option} option must be .* - Got ${got}$`));
    expect(message + String(stack) + String((cause as Error | undefined)?.stack)).not.toContain('c2VjcmV0');
  });

  test('a private key as `authKey` signs and verifies', async () => {
    expect(await roundTrip({ authKey: rsa.privatePem })).toMatchObject({ id: 1 });
    expect(await roundTrip({ authKey: p256.privateKey, authAlgorithm: 'ES256' })).toMatchObject({ id: 1 });
  });

  test('a public key as `authKey` verifies, and does not sign', async () => {
    const settings = resolveAuthOptions({ authKey: rsa.publicPem, authAlgorithm: 'RS256' });
    const token = pairToken(rsa, {}, { id: 1 });
    expect(
      await engine.verifyToken(token, settings.verificationKey, settings.defaultVerificationOptions),
    ).toEqual({
      id: 1,
    });
    await expect(
      engine.signToken({}, settings.signatureKey, settings.defaultSignatureOptions),
    ).rejects.toThrow('secretOrPrivateKey is not valid key material');
  });

  test('a pair whose halves belong to different keys gets a warning', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
    expect(resolveAuthOptions({ authPrivateKey: p256.privatePem, authPublicKey: other }).warnings).toEqual([
      'The authPublicKey option does not verify what the authPrivateKey option signs',
    ]);
    expect(resolveAuthOptions(pairOf(p256)).warnings).toEqual([]);
  });

  test('a secret under 32 bytes gets a warning, or is refused where that is asked for', () => {
    const text = 'The authKey option must be at least 32 bytes long to be safe from guessing - Got 31';
    expect(resolveAuthOptions({ authKey: 'x'.repeat(31) }).warnings).toEqual([text]);
    expect(resolveAuthOptions({ authKey: 'é'.repeat(16) }).warnings).toEqual([]);
    const refuse = { refuseShortSecrets: true };
    expect(() => resolveAuthOptions({ authKey: Buffer.alloc(31, 'x') }, refuse)).toThrow(
      new InvalidOptionsError(text),
    );
    expect(resolveAuthOptions({ authKey: 'x'.repeat(32) }, refuse).warnings).toEqual([]);
    expect(resolveAuthOptions({}, refuse).warnings).toEqual([]);
    expect(resolveAuthOptions(pairOf(ed25519), refuse).warnings).toEqual([]);
  });
});

describe('algorithms', () => {
  test.each<[string, AuthOptions]>([
    ['HS256', {}],
    ['HS256', { authKey: SECRET }],
    ['RS256', pairOf(rsa)],
    ['ES256', pairOf(p256)],
    ['ES384', pairOf(p384)],
    ['ES512', pairOf(p521)],
    ['EdDSA', pairOf(ed25519)],
    ['HS512', { authAlgorithm: 'HS512' }],
    ['PS384', { ...pairOf(rsa), authAlgorithm: 'PS384' }],
  ])('%s is what these options ask for, and it works', async (algorithm, options) => {
    const settings = resolveAuthOptions(options);
    expect(settings.defaultSignatureOptions).toMatchObject({ algorithm });
    expect(settings.defaultVerificationOptions).toEqual({ algorithms: [algorithm] });
    expect(await roundTrip(options)).toMatchObject({ id: 1 });
  });

  test.each(['none', 'HS255', 'hs256', '', '__proto__', 'RSA-OAEP'])('%o is no algorithm', (name) => {
    for (const options of [{ authAlgorithm: name }, { authVerifyAlgorithms: ['HS256', name] }]) {
      const [option = ''] = Object.keys(options);
      expect(() => resolveAuthOptions(options)).toThrow(InvalidOptionsError);
      expect(() => resolveAuthOptions(options)).toThrow(
        new RegExp(`^The ${option} option must be .*HS256, .*EdDSA - Got .*"${name}"`),
      );
    }
  });

  test.each([[[]], ['HS256'], [{}], [5]])('%o is no list of algorithms', (names) => {
    expect(() => resolveAuthOptions({ authVerifyAlgorithms: names as string[] })).toThrow(
      /^The authVerifyAlgorithms option must be an array of /,
    );
  });

  test.each<[AuthOptions, string]>([
    [
      { ...pairOf(rsa), authAlgorithm: 'HS256' },
      'must fit the authPrivateKey option (a key of type rsa): one of RS256, RS384, RS512, PS256, PS384, PS512 - Got "HS256"',
    ],
    [
      { ...pairOf(p256), authAlgorithm: 'ES384' },
      'must fit the authPrivateKey option (a key of type ec on curve prime256v1): one of ES256 - Got "ES384"',
    ],
    [
      { authKey: SECRET, authAlgorithm: 'RS256' },
      'must fit the authKey option (a secret): one of HS256, HS384, HS512 - Got "RS256"',
    ],
    [
      { authKey: rsa.publicPem, authAlgorithm: 'HS256' },
      'must fit the authKey option (a key of type rsa): one of RS256, RS384, RS512, PS256, PS384, PS512 - Got "HS256"',
    ],
  ])('an algorithm that does not fit the key is refused: %#', (options, rest) => {
    expect(() => resolveAuthOptions(options)).toThrow(
      new InvalidOptionsError(`The authAlgorithm option ${rest}`),
    );
  });

  test('halves of different kinds are refused', () => {
    expect(() =>
      resolveAuthOptions({ authPrivateKey: rsa.privatePem, authPublicKey: p256.publicPem }),
    ).toThrow(
      new InvalidOptionsError(
        'The authPublicKey option must be a key that verifies RS256 - Got a key of type ec on curve prime256v1',
      ),
    );
  });

  test('a key for which there is no algorithm is refused', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    expect(() => resolveAuthOptions({ authPrivateKey: privateKey, authPublicKey: publicKey })).toThrow(
      /^The authPrivateKey option must be a key for one of HS256, .* - Got a key of type ec on curve secp256k1$/,
    );
  });

  test('`authVerifyAlgorithms` says what is accepted, as long as any of it fits the key', () => {
    const accepted = (names: string[]) =>
      resolveAuthOptions({ authKey: SECRET, authVerifyAlgorithms: names }).defaultVerificationOptions;
    expect(accepted(['HS384', 'HS512'])).toEqual({ algorithms: ['HS384', 'HS512'] });
    expect(accepted(['HS256', 'RS256'])).toEqual({ algorithms: ['HS256', 'RS256'] });
    expect(() => accepted(['RS256'])).toThrow(
      'The authVerifyAlgorithms option must fit the authKey option (a secret): some of HS256, HS384, HS512 - Got ["RS256"]',
    );
  });

  test('an engine of the application gets keys and algorithms as they are', () => {
    const options = { authEngine: {}, authKey: 'k', authAlgorithm: 'v4.local' };
    expect(resolveAuthOptions(options, { refuseShortSecrets: true })).toEqual({
      signatureKey: 'k',
      verificationKey: 'k',
      defaultSignatureOptions: { expiresIn: 86400, algorithm: 'v4.local' },
      defaultVerificationOptions: { algorithms: ['v4.local'] },
      warnings: [],
    });
    expect(resolveAuthOptions({ authEngine: {} })).toMatchObject({
      defaultSignatureOptions: { expiresIn: 86400 },
      defaultVerificationOptions: {},
    });
  });
});

describe('`authDefaultExpiry`', () => {
  test.each<[string, AuthOptions, object]>([
    ['not given', {}, { expiresIn: 86400 }],
    ['undefined', { authDefaultExpiry: undefined }, { expiresIn: 86400 }],
    ['seconds', { authDefaultExpiry: 60 }, { expiresIn: 60 }],
    ['a time span', { authDefaultExpiry: '2h' }, { expiresIn: '2h' }],
  ])('%s', (_, options, expected) => {
    expect(resolveAuthOptions(options).defaultSignatureOptions).toEqual({ ...expected, algorithm: 'HS256' });
  });

  test('null stands for tokens that never expire', async () => {
    expect(resolveAuthOptions({ authDefaultExpiry: null }).defaultSignatureOptions).toEqual({
      algorithm: 'HS256',
    });
    expect(await roundTrip({ authDefaultExpiry: null })).toEqual({ id: 1, iat: expect.any(Number) });
  });

  test.each([[0.5], [Number.NaN], [Number.POSITIVE_INFINITY], [''], ['soon'], [true], [{}]])(
    '%o is refused',
    (authDefaultExpiry) => {
      const resolve = () => resolveAuthOptions({ authDefaultExpiry: authDefaultExpiry as number });
      expect(resolve).toThrow(InvalidOptionsError);
      expect(resolve).toThrow(
        /^The authDefaultExpiry option must be whole seconds, a time span such as "2h", or null - Got /,
      );
    },
  );
});

describe('`authJwks`', () => {
  const authJwks = { keys: [jwk(rsa, { kid: 'a' }), jwk(ed25519, { kid: 'b' })] };

  test('verifies, and nothing signs', async () => {
    const settings = resolveAuthOptions({ authJwks });
    expect(settings.generatedKey).toBeUndefined();
    expect(settings.defaultVerificationOptions).toEqual({ algorithms: ASYMMETRIC });
    expect(settings.warnings).toEqual([]);
    const token = pairToken(rsa, { kid: 'a' }, { id: 1 });
    expect(
      await engine.verifyToken(token, settings.verificationKey, settings.defaultVerificationOptions),
    ).toEqual({ id: 1 });
    await expect(
      engine.signToken({}, settings.signatureKey, settings.defaultSignatureOptions),
    ).rejects.toThrow('Signing needs the authKey or the authPrivateKey option');
  });

  test('leaves signing to `authPrivateKey`', async () => {
    expect(await roundTrip({ authJwks, authPrivateKey: p256.privatePem }).catch(String)).toContain(
      'no matching key',
    );
    expect(
      await roundTrip({ authJwks: { keys: [jwk(ed25519)] }, authPrivateKey: ed25519.privatePem }),
    ).toMatchObject({ id: 1 });
  });

  test('leaves signing to `authKey`, with a warning that such tokens do not come back', () => {
    for (const authAlgorithm of [undefined, 'HS256']) {
      const settings = resolveAuthOptions({ authJwks, authKey: SECRET, authAlgorithm });
      expect(settings.signatureKey).toBe(SECRET);
      expect(settings.defaultSignatureOptions).toEqual({ expiresIn: 86400, algorithm: 'HS256' });
      expect(settings.defaultVerificationOptions).toEqual({ algorithms: ASYMMETRIC });
      expect(settings.warnings).toEqual([
        'The authJwks option accepts no tokens that are signed with the authKey option',
      ]);
    }
  });

  test('is pinned by `authVerifyAlgorithms`, else by `authAlgorithm`', () => {
    const accepted = (options: AuthOptions) =>
      resolveAuthOptions({ authJwks, ...options }).defaultVerificationOptions;
    expect(accepted({ authAlgorithm: 'RS256' })).toEqual({ algorithms: ['RS256'] });
    expect(accepted({ authAlgorithm: 'RS256', authVerifyAlgorithms: ['EdDSA'] })).toEqual({
      algorithms: ['EdDSA'],
    });
    for (const options of [{ authAlgorithm: 'HS256' }, { authVerifyAlgorithms: ['RS256', 'HS256'] }]) {
      expect(() => accepted(options)).toThrow(
        /option must fit the authJwks option: of RS256, .* - Got .*HS256/,
      );
    }
  });

  test('is best an https address', () => {
    const warnings = (address: string | URL) => resolveAuthOptions({ authJwks: address }).warnings;
    expect(warnings('https://id.example/jwks.json')).toEqual([]);
    expect(warnings('http://127.0.0.1:5/jwks.json')).toEqual([]);
    expect(warnings(new URL('http://localhost/jwks.json'))).toEqual([]);
    expect(warnings('http://id.example/jwks.json')).toEqual([
      'The authJwks option should be an https address: who can change the answer can forge any token',
    ]);
    expect(() => warnings('ftp://id.example/')).toThrow(InvalidOptionsError);
  });
});
