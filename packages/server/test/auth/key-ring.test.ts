import { createSecretKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { AGAuthEngine } from '../../src/auth/auth-engine.js';
import { type AuthOptions, resolveAuthOptions } from '../../src/auth/auth-options.js';
import type { AuthKey } from '../../src/auth/key-ring.js';
import { ed25519, hmacToken, jwk, p256, pairToken, part, rsa, SECRET } from './token-keys.js';

const OTHER = 'another secret of forty-four bytes, for tests';
const engine = new AGAuthEngine();

function sign(authKeys: readonly AuthKey[], claims: object = { id: 1 }): Promise<string> {
  const { signatureKey, defaultSignatureOptions } = resolveAuthOptions({ authKeys });
  return engine.signToken(claims, signatureKey, defaultSignatureOptions);
}

function verify(authKeys: readonly AuthKey[], token: string): Promise<unknown> {
  const { verificationKey, defaultVerificationOptions } = resolveAuthOptions({ authKeys });
  return engine.verifyToken(token, verificationKey, defaultVerificationOptions);
}

function headerOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
}

describe('`authKeys`', () => {
  test.each([
    ['HS256', SECRET],
    ['HS256', Buffer.from(SECRET)],
    ['HS256', createSecretKey(Buffer.from(SECRET))],
    ['RS256', rsa.privatePem],
    ['ES256', p256.privatePem],
    ['EdDSA', ed25519.privatePem],
    ['EdDSA', ed25519.privateKey],
  ])('the first signs, with its name in the header: %s', async (alg, key) => {
    const keys = [
      { kid: 'new', key },
      { kid: 'old', key: OTHER },
    ];
    const token = await sign(keys);
    expect(headerOf(token)).toEqual({ alg, typ: 'JWT', kid: 'new' });
    expect(await verify(keys, token)).toMatchObject({ id: 1, exp: expect.any(Number) });
  });

  test('all verify, so that a key is replaced without a token becoming void', async () => {
    const old = { kid: '1', key: SECRET };
    const next = { kid: '2', key: ed25519.privatePem };
    const third = { kid: '3', key: OTHER };
    const tokens = [await sign([old]), await sign([next, old]), await sign([third, next, old])];
    for (const token of tokens) expect(await verify([third, next, old], token)).toMatchObject({ id: 1 });
    await expect(verify([third, next], tokens[0] ?? '')).rejects.toMatchObject({
      name: 'JsonWebTokenError',
      message: 'no matching key',
    });
    expect(await verify([third, next], tokens[1] ?? '')).toMatchObject({ id: 1 });
  });

  test('a public key verifies what others sign', async () => {
    const keys = [
      { kid: 'ours', key: SECRET },
      { kid: 'theirs', key: rsa.publicPem },
    ];
    expect(await verify(keys, pairToken(rsa, { kid: 'theirs' }, { id: 1 }))).toMatchObject({ id: 1 });
    const { signatureKey } = resolveAuthOptions({ authKeys: [{ kid: 'theirs', key: rsa.publicPem }] });
    expect(signatureKey).toBeNull();
  });

  test('a token that names no key is tried with each key of its algorithm', async () => {
    const keys = [
      { kid: 'a', key: OTHER },
      { kid: 'b', key: SECRET },
      { kid: 'c', key: rsa.privatePem },
    ];
    expect(await verify(keys, hmacToken({ alg: 'HS256' }, { id: 1 }))).toMatchObject({ id: 1 });
    expect(await verify(keys, pairToken(rsa, {}, { id: 2 }))).toMatchObject({ id: 2 });
    await expect(
      verify(keys, hmacToken({ alg: 'HS256' }, {}, 'a secret that nobody has given us')),
    ).rejects.toThrow('invalid signature');
    await expect(verify(keys, hmacToken({ alg: 'HS512' }, {}))).rejects.toThrow('invalid algorithm');
    await expect(verify(keys, hmacToken({ alg: 'HS256' }, { exp: 1 }))).rejects.toThrow('jwt expired');
  });

  test('a token is verified with the key that it names, and never with another', async () => {
    const keys = [
      { kid: 'a', key: SECRET },
      { kid: 'b', key: OTHER },
    ];
    const signed = await sign([{ kid: 'b', key: SECRET }]);
    await expect(verify(keys, signed)).rejects.toThrow('invalid signature');
  });

  test.each([[{ kid: 5 }], [{ kid: null }], [{ kid: 'toString' }], [{ kid: '__proto__' }], [{ kid: '' }]])(
    'a name that no key has is refused: %j',
    async (header) => {
      await expect(
        verify([{ kid: 'a', key: rsa.publicPem }], pairToken(rsa, header, { id: 1 })),
      ).rejects.toMatchObject({ name: 'JsonWebTokenError', message: 'no matching key' });
    },
  );

  test('the header cannot turn a public key into a secret, or choose another algorithm of a key', async () => {
    const pub = { kid: 'pub', key: rsa.publicPem };
    const secret = { kid: 'hs', key: SECRET };
    for (const kid of ['pub', undefined]) {
      const forged = hmacToken({ alg: 'HS256', kid }, { id: 1 }, rsa.publicPem);
      await expect(verify([pub], forged)).rejects.toThrow('invalid algorithm');
      await expect(verify([secret, pub], forged)).rejects.toThrow(/invalid algorithm|invalid signature/);
    }
    await expect(verify([secret], hmacToken({ alg: 'HS512', kid: 'hs' }, {}))).rejects.toThrow(
      'invalid algorithm',
    );
    for (const kid of ['hs', undefined]) {
      for (const alg of ['none', 'None', undefined]) {
        await expect(verify([secret], `${part({ alg, kid })}.${part({ id: 1 })}.`)).rejects.toThrow(
          'invalid algorithm',
        );
      }
    }
  });

  test('a key may say its algorithm', async () => {
    const keys = [
      { kid: 'a', key: SECRET, algorithm: 'HS512' },
      { kid: 'b', key: rsa.publicPem, algorithm: 'PS256' },
    ];
    const token = await sign(keys);
    expect(headerOf(token)).toMatchObject({ alg: 'HS512' });
    expect(await verify(keys, token)).toMatchObject({ id: 1 });
    expect(resolveAuthOptions({ authKeys: keys }).defaultVerificationOptions).toEqual({
      algorithms: ['HS512', 'PS256'],
    });
    await expect(verify(keys, pairToken(rsa, { kid: 'b' }, {}))).rejects.toThrow('invalid algorithm');
  });

  test('each secret under 32 bytes gets a warning that does not show it, or is refused where that is asked for', () => {
    const options: AuthOptions = {
      authKeys: [
        { kid: 'a', key: SECRET },
        { kid: 'b', key: 'short' },
      ],
    };
    const text = 'The authKeys[1].key option must be at least 32 bytes long to be safe from guessing - Got 5';
    expect(resolveAuthOptions(options).warnings).toEqual([text]);
    expect(() => resolveAuthOptions(options, { refuseShortSecrets: true })).toThrow(text);
  });

  test.each([
    [[], 'The authKeys option must be an array of {kid, key}, not empty - Got an empty one'],
    ['secret', 'The authKeys option must be an array of {kid, key}, not empty - Got string'],
    [[null], 'The authKeys[0] option must be {kid, key} - Got object'],
    [[{ key: SECRET }], 'The authKeys[0].kid option must be text that is not empty - Got undefined'],
    [[{ kid: 'a', key: '' }], /^The authKeys\[0\]\.key option must be a secret .* - Got nothing in it$/],
    [[{ kid: 'a', key: 5 }], /^The authKeys\[0\]\.key option must be a secret .* - Got number$/],
    [
      [
        { kid: 'a', key: SECRET },
        { kid: 'b', key: '-----BEGIN nonsense' },
      ],
      /^The authKeys\[1\]\.key option must be a secret .* - Got something that cannot be read$/,
    ],
    [
      [{ kid: 'a', key: SECRET, algorithm: 'RS256' }],
      'The authKeys[0].algorithm option must be one that fits the key (a secret): HS256, HS384, HS512 - Got "RS256"',
    ],
    [
      [{ kid: 'a', key: SECRET, algorithm: 'none' }],
      /^The authKeys\[0\]\.algorithm option must be one that fits .* - Got "none"$/,
    ],
    [
      [
        { kid: 'a', key: SECRET },
        { kid: 'a', key: OTHER },
      ],
      'The authKeys option must be keys of different names - Got "a" twice',
    ],
    [
      [
        { kid: 'a', key: rsa.publicPem },
        { kid: 'b', key: SECRET },
      ],
      'The authKeys[0].key option must be a key that signs: the first does - Got a key of type rsa',
    ],
  ])('%j is refused', (authKeys, message) => {
    expect(() => resolveAuthOptions({ authKeys: authKeys as AuthKey[] })).toThrow(message);
  });

  test.each([
    ['authKey', { authKey: SECRET }],
    ['authJwks', { authJwks: { keys: [jwk(rsa)] } }],
    ['authAlgorithm', { authAlgorithm: 'HS256' }],
    ['authVerifyAlgorithms', { authVerifyAlgorithms: ['HS256'] }],
  ])('takes the place of `%s`', (name, beside) => {
    expect(() => resolveAuthOptions({ authKeys: [{ kid: 'a', key: SECRET }], ...beside })).toThrow(
      `The authKeys option takes the place of the ${name} option - Got both`,
    );
  });
});

describe('`authClockTolerance`', () => {
  test('is how long a token is good after its exp and before its nbf', async () => {
    const now = Math.floor(Date.now() / 1000);
    const { verificationKey, defaultVerificationOptions } = resolveAuthOptions({
      authKey: SECRET,
      authClockTolerance: 30,
    });
    const check = (claims: object): Promise<unknown> =>
      engine.verifyToken(hmacToken({ alg: 'HS256' }, claims), verificationKey, defaultVerificationOptions);
    await check({ exp: now - 20 });
    await check({ nbf: now + 20 });
    await expect(check({ exp: now - 40 })).rejects.toThrow('jwt expired');
    await expect(check({ nbf: now + 40 })).rejects.toThrow('jwt not active');
  });

  test.each([[-1], [61], [Number.NaN], ['5'], [true]])('%j is refused', (authClockTolerance) => {
    expect(() => resolveAuthOptions({ authClockTolerance: authClockTolerance as number })).toThrow(
      /The authClockTolerance option must be seconds from 0 to 60 - Got/,
    );
  });
});
