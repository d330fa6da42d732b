import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { ours, type ServerOptions, serverModule, startServer } from '@socketcluster-ts/testkit';
import jsonwebtoken from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';

const { attach } = serverModule;
const authKey = 'a secret of thirty-two bytes, or more';

/** Key pairs in PEM form. */
const rsa = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const ec = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

/** Lets a server sign a token for a client and gives the token's header and claims. */
async function signedBy(
  options: ServerOptions,
): Promise<{ token: string; header: Record<string, unknown>; claims: Record<string, unknown> }> {
  const { open } = await startServer(options);
  const { client, socket } = await open();
  await socket.setAuthToken({ name: 'ada' });
  const packet = await client.next(({ event }) => event === '#setAuthToken');
  const { token } = packet.data as { token: string };
  const decoded = jsonwebtoken.decode(token, { complete: true });
  return { token, header: { ...decoded?.header }, claims: decoded?.payload as Record<string, unknown> };
}

/** Presents a token to a server and gives the handshake's answer. */
async function presentedTo(options: ServerOptions, token: string): Promise<Record<string, unknown>> {
  const { connect } = await startServer(options);
  return (await (await connect()).handshake(token)).data as Record<string, unknown>;
}

describe('authKey', () => {
  test('option `authKey`: signs and verifies, so servers that share it share their tokens', async () => {
    const { token } = await signedBy({ authKey });
    expect(jsonwebtoken.verify(token, authKey)).toMatchObject({ name: 'ada' });
    expect(await presentedTo({ authKey }, token)).toMatchObject({ isAuthenticated: true });
    expect(await presentedTo({ authKey: `${authKey}, another` }, token)).toMatchObject({
      isAuthenticated: false,
      authError: { name: 'AuthTokenInvalidError', message: 'invalid signature', isBadToken: true },
    });
  });

  test('option `authKey`: left out, each server makes a random key of 256 bits', () => {
    const keys = [attach(createServer()), attach(createServer())].map(({ options }) => options.authKey);
    expect(keys[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(keys[1]).toMatch(/^[0-9a-f]{64}$/);
    expect(keys[0]).not.toBe(keys[1]);
  });
});

describe('authPrivateKey and authPublicKey', () => {
  const pair = {
    authPrivateKey: rsa.privateKey,
    authPublicKey: rsa.publicKey,
    authAlgorithm: 'RS256',
  } as const;

  test('option `authPrivateKey`: signs the tokens', async () => {
    const { token, header } = await signedBy(pair);
    expect(header['alg']).toBe('RS256');
    expect(jsonwebtoken.verify(token, rsa.publicKey)).toMatchObject({ name: 'ada' });
  });

  test('option `authPrivateKey`: may be a Buffer', async () => {
    const { token } = await signedBy({ ...pair, authPrivateKey: Buffer.from(rsa.privateKey) });
    expect(jsonwebtoken.verify(token, rsa.publicKey)).toMatchObject({ name: 'ada' });
  });

  test('option `authPublicKey`: verifies the tokens', async () => {
    const good = jsonwebtoken.sign({ name: 'ada' }, rsa.privateKey, { algorithm: 'RS256' });
    expect(await presentedTo(pair, good)).toMatchObject({ isAuthenticated: true });
    const forged = jsonwebtoken.sign({ name: 'ada' }, authKey);
    expect(await presentedTo(pair, forged)).toMatchObject({
      isAuthenticated: false,
      authError: { message: 'invalid algorithm', isBadToken: true },
    });
  });

  test('option `authPublicKey`: is not accepted without `authPrivateKey`, nor the other way', () => {
    expect(() => attach(createServer(), { authPublicKey: rsa.publicKey })).toThrow(
      expect.objectContaining({
        name: 'InvalidOptionsError',
        message: 'The authPrivateKey option must be specified if authPublicKey is specified',
      }),
    );
    expect(() => attach(createServer(), { authPrivateKey: rsa.privateKey })).toThrow(
      expect.objectContaining({
        name: 'InvalidOptionsError',
        message: 'The authPublicKey option must be specified if authPrivateKey is specified',
      }),
    );
  });

  ours('option `authPublicKey`: the algorithm follows from the type of the keys', async () => {
    const keys = { authPrivateKey: ec.privateKey, authPublicKey: ec.publicKey };
    const { token, header } = await signedBy(keys);
    expect(header['alg']).toBe('ES256');
    expect(await presentedTo(keys, token)).toMatchObject({ isAuthenticated: true });
    const { header: rsaHeader } = await signedBy({
      authPrivateKey: rsa.privateKey,
      authPublicKey: rsa.publicKey,
    });
    expect(rsaHeader['alg']).toBe('RS256');
  });
});

describe('authDefaultExpiry', () => {
  const lifetime = ({ claims }: { claims: Record<string, unknown> }): number =>
    Number(claims['exp']) - Number(claims['iat']);

  test('option `authDefaultExpiry`: a token lives for a day by default', async () => {
    expect(lifetime(await signedBy({ authKey }))).toBe(86_400);
  });

  test('option `authDefaultExpiry`: is in seconds, or a time span', async () => {
    expect(lifetime(await signedBy({ authKey, authDefaultExpiry: 60 }))).toBe(60);
    expect(lifetime(await signedBy({ authKey, authDefaultExpiry: '2h' }))).toBe(7200);
  });

  test('option `authDefaultExpiry`: gives way to an `expiresIn` and to an `exp` in the token', async () => {
    const { open } = await startServer({ authKey });
    const { socket } = await open();
    await socket.setAuthToken({ name: 'ada' }, { expiresIn: 90 });
    expect(lifetime({ claims: { ...socket.authToken } })).toBe(90);
    const exp = Math.floor(Date.now() / 1000) + 1234;
    await socket.setAuthToken({ name: 'ada', exp });
    expect(socket.authToken).toMatchObject({ exp });
  });
});

describe('authAlgorithm', () => {
  ours('option `authAlgorithm`: is HS256 by default, and no other one is accepted', async () => {
    const { header } = await signedBy({ authKey });
    expect(header).toEqual({ alg: 'HS256', typ: 'JWT' });
    const token = jsonwebtoken.sign({ name: 'ada' }, authKey, { algorithm: 'HS384' });
    expect(await presentedTo({ authKey }, token)).toMatchObject({
      isAuthenticated: false,
      authError: { name: 'AuthTokenInvalidError', message: 'invalid algorithm' },
    });
  });

  test('option `authAlgorithm`: another one signs, and is then the only one accepted', async () => {
    const options: ServerOptions = { authKey, authAlgorithm: 'HS512' };
    const { header, token } = await signedBy(options);
    expect(header['alg']).toBe('HS512');
    expect(await presentedTo(options, token)).toMatchObject({ isAuthenticated: true });
    const other = jsonwebtoken.sign({ name: 'ada' }, authKey, { algorithm: 'HS256' });
    expect(await presentedTo(options, other)).toMatchObject({ authError: { message: 'invalid algorithm' } });
  });
});
