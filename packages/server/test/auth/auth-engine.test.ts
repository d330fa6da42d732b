import { createSecretKey } from 'node:crypto';
import { InvalidArgumentsError } from '@socketcluster-ts/core';
import { describe, expect, test } from 'vitest';
import { AGAuthEngine } from '../../src/auth/auth-engine.js';
import { ALGORITHMS, ed25519, hmacToken, p256, p384, part, rsa, SECRET, withPayload } from './token-keys.js';

const engine = new AGAuthEngine();
const HS256 = { alg: 'HS256', typ: 'JWT' };

describe('tokens that are no tokens', () => {
  test.each<[string, unknown, string]>([
    ['null', null, 'jwt must be provided'],
    ['undefined', undefined, 'jwt must be provided'],
    ['an empty string', '', 'jwt must be provided'],
    ['one part', 'abc', 'jwt malformed'],
    ['two parts', 'a.b', 'jwt malformed'],
    ['four parts', 'a.b.c.d', 'jwt malformed'],
    ['three parts of rubbish', 'a.b.c', 'invalid token'],
    ['characters outside base64url', `${part(HS256)}.e30.sig nature`, 'invalid token'],
    ['no signature', `${part(HS256)}.${part({})}.`, 'jwt signature is required'],
    ['a header that is a number', hmacToken(5, {}), 'invalid algorithm'],
    ['a header without alg', hmacToken({ typ: 'JWT' }, {}), 'invalid algorithm'],
  ])('%s is refused as a JsonWebTokenError', async (_, token, message) => {
    await expect(engine.verifyToken(token, SECRET)).rejects.toMatchObject({
      name: 'JsonWebTokenError',
      message,
    });
  });

  test.each([[5], [true], [{}], [['a.b.c']], [Symbol('token')]])(
    '%o is refused as an InvalidArgumentsError',
    async (token) => {
      const verdict = engine.verifyToken(token, SECRET);
      await expect(verdict).rejects.toBeInstanceOf(InvalidArgumentsError);
      await expect(verdict).rejects.toMatchObject({
        message: 'Invalid token format - Token must be a string',
      });
    },
  );

  test('a payload that claims to be JSON and is not is refused', async () => {
    await expect(engine.verifyToken(hmacToken(HS256, 'no json'), SECRET)).rejects.toMatchObject({
      name: 'SyntaxError',
    });
  });

  test.each([['"text"'], ['text'], ['5'], ['[1]'], ['null'], ['true']])(
    'a well signed payload of %s is refused: it is no object',
    async (payload) => {
      for (const header of payload === 'text' ? [{ alg: 'HS256' }] : [HS256, { alg: 'HS256' }]) {
        await expect(engine.verifyToken(hmacToken(header, payload), SECRET)).rejects.toMatchObject({
          name: 'JsonWebTokenError',
          message: 'jwt payload must be an object',
        });
      }
    },
  );

  test('a token that demands extensions to be understood is refused', async () => {
    const token = hmacToken({ ...HS256, crit: ['b64'], b64: true }, {});
    await expect(engine.verifyToken(token, SECRET)).rejects.toMatchObject({
      name: 'JsonWebTokenError',
      message: 'jwt critical header is not supported',
    });
  });
});

describe('keys', () => {
  test.each([[null], [undefined], ['']])('without a key (%o) a token is refused', async (key) => {
    await expect(engine.verifyToken(hmacToken(HS256, {}), key as null)).rejects.toMatchObject({
      name: 'JsonWebTokenError',
      message: 'secret or public key must be provided',
    });
    await expect(engine.verifyToken(null, key as null)).rejects.toMatchObject({
      message: 'jwt must be provided',
    });
  });

  test('text, bytes and a KeyObject are the same secret', async () => {
    const token = await engine.signToken({ id: 1 }, SECRET);
    for (const key of [SECRET, Buffer.from(SECRET), createSecretKey(Buffer.from(SECRET))]) {
      expect(await engine.verifyToken(token, key)).toMatchObject({ id: 1 });
      expect(await engine.verifyToken(await engine.signToken({ id: 2 }, key), SECRET)).toMatchObject({
        id: 2,
      });
    }
  });

  test('PEM text, PEM bytes and KeyObjects are the same pair', async () => {
    const forms = [
      [rsa.privatePem, rsa.publicPem],
      [Buffer.from(rsa.privatePem), Buffer.from(rsa.publicPem)],
      [rsa.privateKey, rsa.publicKey],
    ] as const;
    for (const [privateKey] of forms) {
      const token = await engine.signToken({ id: 1 }, privateKey, { algorithm: 'RS256' });
      for (const [alsoPrivate, publicKey] of forms) {
        expect(await engine.verifyToken(token, publicKey)).toMatchObject({ id: 1 });
        expect(await engine.verifyToken(token, alsoPrivate)).toMatchObject({ id: 1 });
      }
    }
  });

  test('an encrypted private key works with its passphrase', async () => {
    const key = p256.privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'open',
    }) as string;
    const token = await engine.signToken({ id: 1 }, { key, passphrase: 'open' });
    expect(await engine.verifyToken(token, p256.publicPem)).toMatchObject({ id: 1 });
    expect(await engine.verifyToken(token, { key, passphrase: 'open' })).toMatchObject({ id: 1 });
    await expect(engine.signToken({}, { key, passphrase: 'shut' })).rejects.toThrow(
      'secretOrPrivateKey is not valid key material',
    );
  });

  test('a changed key holds from the next token on, also when its bytes are changed in place', async () => {
    const first = await engine.signToken({ id: 1 }, SECRET);
    expect(await engine.verifyToken(first, SECRET)).toMatchObject({ id: 1 });
    await expect(engine.verifyToken(first, `${SECRET}!`)).rejects.toThrow('invalid signature');
    expect(await engine.verifyToken(first, SECRET)).toMatchObject({ id: 1 });

    const bytes = Buffer.from(SECRET);
    expect(await engine.verifyToken(first, bytes)).toMatchObject({ id: 1 });
    bytes.write('other');
    await expect(engine.verifyToken(first, bytes)).rejects.toThrow('invalid signature');
    const second = await engine.signToken({ id: 2 }, bytes);
    expect(await engine.verifyToken(second, Buffer.from(bytes))).toMatchObject({ id: 2 });
  });
});

describe('a key source', () => {
  test('is given the header and finds the key', async () => {
    const token = await engine.signToken({ id: 1 }, rsa.privatePem, { keyid: 'one' });
    const headers: unknown[] = [];
    const claims = await engine.verifyToken(token, async (header) => {
      headers.push(header);
      return rsa.publicKey;
    });
    expect(claims).toMatchObject({ id: 1 });
    expect(headers).toEqual([{ alg: 'RS256', typ: 'JWT', kid: 'one' }]);
  });

  test.each([
    ['at once', () => undefined],
    ['later', async () => undefined],
    ['by a callback', (_header: unknown, callback: (error: unknown) => void) => callback(null)],
  ])('that finds no key, %s, refuses the token', async (_when, source) => {
    const token = await engine.signToken({ id: 1 }, rsa.privatePem);
    await expect(engine.verifyToken(token, source as never)).rejects.toThrow();
  });

  test('may call back with the key, in PEM, too', async () => {
    const token = await engine.signToken({ id: 1 }, rsa.privatePem, { keyid: 'one' });
    const claims = await engine.verifyToken(token, ({ kid }, callback) => {
      setImmediate(() => (kid === 'one' ? callback(null, rsa.publicPem) : callback(new Error('unknown'))));
    });
    expect(claims).toMatchObject({ id: 1 });
    await expect(
      engine.verifyToken(token, (_header, callback) => callback(new Error('no key'))),
    ).rejects.toThrow('no key');
  });

  test('is not asked about what is no token', async () => {
    const source = () => {
      throw new Error('asked');
    };
    for (const [token, message] of [
      [null, 'jwt must be provided'],
      ['a.b', 'jwt malformed'],
      ['a.b.c', 'invalid token'],
    ] as const) {
      await expect(engine.verifyToken(token, source)).rejects.toThrow(message);
    }
  });

  test('fails the verification with its own error', async () => {
    const failure = new Error('no key today');
    const token = await engine.signToken({}, SECRET);
    await expect(engine.verifyToken(token, () => Promise.reject(failure))).rejects.toBe(failure);
    await expect(
      engine.verifyToken(token, () => {
        throw failure;
      }),
    ).rejects.toBe(failure);
  });
});

describe('algorithms', () => {
  test.each(ALGORITHMS)('%s signs and verifies', async (algorithm, signatureKey, verificationKey) => {
    const token = await engine.signToken({ id: 1 }, signatureKey, { algorithm });
    expect(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())).toEqual({
      alg: algorithm,
      typ: 'JWT',
    });
    expect(await engine.verifyToken(token, verificationKey, { algorithms: [algorithm] })).toEqual({
      id: 1,
      iat: expect.any(Number),
    });
    expect(await engine.verifyToken(token, verificationKey)).toMatchObject({ id: 1 });
  });

  test.each(ALGORITHMS)(
    '%s: a changed payload or signature is refused',
    async (algorithm, signatureKey, key) => {
      const token = await engine.signToken({ id: 1 }, signatureKey, { algorithm });
      const other = await engine.signToken({ id: 2 }, signatureKey, { algorithm });
      const invalid = { name: 'JsonWebTokenError', message: 'invalid signature' };
      await expect(engine.verifyToken(withPayload(token, { id: 2 }), key)).rejects.toMatchObject(invalid);
      const foreign = [...token.split('.').slice(0, 2), other.split('.')[2]].join('.');
      await expect(engine.verifyToken(foreign, key)).rejects.toMatchObject(invalid);
    },
  );

  test.each(ALGORITHMS)(
    '%s is refused when the options do not list it',
    async (algorithm, signatureKey, key) => {
      const token = await engine.signToken({}, signatureKey, { algorithm });
      const algorithms = ALGORITHMS.map(([name]) => name).filter((name) => name !== algorithm);
      await expect(engine.verifyToken(token, key, { algorithms })).rejects.toMatchObject({
        name: 'JsonWebTokenError',
        message: 'invalid algorithm',
      });
      await expect(engine.verifyToken(token, key, { algorithms: [] })).rejects.toThrow('invalid algorithm');
    },
  );

  test('a public key is never taken for an HMAC secret, whatever the options allow', async () => {
    for (const { publicPem, publicKey, privatePem } of [rsa, p256, ed25519]) {
      const forged = hmacToken(HS256, { admin: true }, publicPem);
      for (const key of [publicPem, Buffer.from(publicPem), publicKey, privatePem]) {
        for (const options of [
          {},
          { algorithms: ['HS256'] },
          { algorithms: ['HS256', 'RS256'] },
          { algorithms: ['HS256'], allowInvalidAsymmetricKeyTypes: true },
        ]) {
          await expect(engine.verifyToken(forged, key, options)).rejects.toMatchObject({
            name: 'JsonWebTokenError',
          });
        }
      }
      await expect(engine.signToken({}, publicPem, { algorithm: 'HS256' })).rejects.toThrow();
      await expect(engine.signToken({}, privatePem, { algorithm: 'HS256' })).rejects.toThrow(
        'secretOrPrivateKey must be a symmetric key when using HS256',
      );
    }
  });

  test('a PEM block that holds no key is no secret either', async () => {
    const broken = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----';
    await expect(engine.verifyToken(hmacToken(HS256, {}, broken), broken)).rejects.toMatchObject({
      name: 'JsonWebTokenError',
      message: 'secretOrPublicKey is not valid key material',
    });
    await expect(engine.signToken({}, broken)).rejects.toThrow(
      'secretOrPrivateKey is not valid key material',
    );
  });

  test('a token without signature is refused, and never made', async () => {
    const unsigned = `${part({ alg: 'none', typ: 'JWT' })}.${part({ admin: true })}.`;
    for (const key of [SECRET, rsa.publicPem, ed25519.publicPem, null]) {
      for (const algorithms of [undefined, ['none'], ['none', 'HS256']]) {
        for (const token of [unsigned, `${unsigned}AAAA`]) {
          await expect(engine.verifyToken(token, key, { algorithms })).rejects.toMatchObject({
            name: 'JsonWebTokenError',
          });
        }
      }
    }
    for (const options of [{ algorithm: 'none' }, { header: { alg: 'none' } }]) {
      await expect(engine.signToken({}, SECRET, options)).rejects.toThrow(
        '"algorithm" must be a valid string enum value',
      );
    }
  });

  test('without algorithms in the options an EC key accepts the one of its curve only', async () => {
    const token = await engine.signToken({}, p384.privatePem, { algorithm: 'ES384' });
    const relabelled = [part({ alg: 'ES256', typ: 'JWT' }), ...token.split('.').slice(1)].join('.');
    await expect(engine.verifyToken(relabelled, p384.publicPem)).rejects.toThrow('invalid algorithm');
  });

  test('signing without an algorithm takes the usual one of the key', async () => {
    for (const [key, alg] of [
      [SECRET, 'HS256'],
      [rsa.privatePem, 'RS256'],
      [p384.privatePem, 'ES384'],
      [ed25519.privatePem, 'EdDSA'],
    ] as const) {
      const [header = ''] = (await engine.signToken({}, key)).split('.');
      expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({ alg });
    }
  });
});
