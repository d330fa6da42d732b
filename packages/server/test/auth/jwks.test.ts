import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AuthTokenError, InvalidOptionsError } from '@socketcluster-ts/core';
import { afterTest } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { AGAuthEngine } from '../../src/auth/auth-engine.js';
import { createJwksKeySource, type JwksLocation } from '../../src/auth/jwks.js';
import { ed25519, hmacToken, jwk, p256, pairToken, part, rsa, SECRET } from './token-keys.js';

const engine = new AGAuthEngine();
const tokenA = pairToken(rsa, { kid: 'a' }, { id: 'a' });
const tokenB = pairToken(ed25519, { kid: 'b' }, { id: 'b' });
const tokenC = pairToken(rsa, { kid: 'c' }, { id: 'c' });
const keyA = jwk(rsa, { kid: 'a', alg: 'RS256' });
const keyB = jwk(ed25519, { kid: 'b' });

const unknownKey = { name: 'JsonWebTokenError', message: 'no matching key' };
const unreadable = {
  name: 'AuthTokenError',
  message: 'The keys that verify tokens could not be read',
  isBadToken: false,
};
const undecided = {
  name: 'AuthTokenError',
  message: 'The key of this token is not known yet',
  isBadToken: false,
};

/** A server on 127.0.0.1 that publishes a key set: what it answers can be changed, and it counts. */
interface KeyServer {
  readonly url: string;
  answer: string;
  status: number;
  requests: number;
  stop(): Promise<void>;
  start(): Promise<void>;
}

async function keyServer(keys: object[]): Promise<KeyServer> {
  let http: Server | undefined;
  let port = 0;
  const server = {
    url: '',
    answer: JSON.stringify({ keys }),
    status: 200,
    requests: 0,
    async start() {
      http = createServer((_, response) => {
        server.requests++;
        if (server.status === 0) return;
        response.writeHead(server.status, { 'content-type': 'application/json', location: '/elsewhere' });
        response.end(server.answer);
      });
      http.listen(port, '127.0.0.1');
      await once(http, 'listening');
      port = (http.address() as AddressInfo).port;
      server.url = `http://127.0.0.1:${port}/jwks.json`;
    },
    async stop() {
      if (http?.listening !== true) return;
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await closed;
    },
  };
  await server.start();
  afterTest(() => server.stop());
  return server;
}

describe('a key set that is given', () => {
  const source = createJwksKeySource({
    keys: [keyA, keyB, jwk(p256, { kid: 'e' }), { kty: 'oct', kid: 's', k: part(SECRET) }],
  });

  test('a token is verified with the key that it names', async () => {
    expect(await engine.verifyToken(tokenA, source)).toEqual({ id: 'a' });
    expect(await engine.verifyToken(tokenB, source)).toEqual({ id: 'b' });
    const signed = await engine.signToken({ id: 'e' }, p256.privatePem, { keyid: 'e' });
    expect(await engine.verifyToken(signed, source)).toMatchObject({ id: 'e' });
  });

  test('a token that names a key which is not there, or not for its algorithm, is refused', async () => {
    for (const header of [{ kid: 'z' }, { kid: 'b' }, { kid: 'e' }, { kid: 5 }, { kid: null }, { kid: '' }]) {
      await expect(engine.verifyToken(pairToken(rsa, header, {}), source)).rejects.toMatchObject(unknownKey);
    }
    const otherUse = await engine.signToken({}, rsa.privatePem, { algorithm: 'RS512', keyid: 'a' });
    await expect(engine.verifyToken(otherUse, source)).rejects.toMatchObject(unknownKey);
  });

  test('a token that names no key is verified if one key only can be meant', async () => {
    expect(await engine.verifyToken(pairToken(rsa, {}, { id: 1 }), source)).toEqual({ id: 1 });
    const two = createJwksKeySource({ keys: [jwk(rsa, { kid: 'a' }), jwk(rsa, { kid: 'b' })] });
    await expect(engine.verifyToken(pairToken(rsa, {}, {}), two)).rejects.toMatchObject({
      name: 'JsonWebTokenError',
      message: 'more than one matching key',
    });
  });

  test('a secret in the set verifies nothing', async () => {
    for (const token of [
      hmacToken({ alg: 'HS256', typ: 'JWT', kid: 's' }, {}),
      hmacToken({ alg: 'HS256', typ: 'JWT', kid: 'a' }, {}, rsa.publicPem),
    ]) {
      await expect(engine.verifyToken(token, source)).rejects.toMatchObject({
        name: 'JsonWebTokenError',
        message: 'invalid algorithm',
      });
    }
  });

  test('the algorithms of the options hold here too', async () => {
    await expect(engine.verifyToken(tokenA, source, { algorithms: ['ES256'] })).rejects.toThrow(
      'invalid algorithm',
    );
  });

  test.each<[string, unknown, string]>([
    ['text that is no address', 'keys', '"keys"'],
    ['an address of another kind', 'file:///keys', '"file:///keys"'],
    ['a URL of another kind', new URL('data:text/plain,x'), '"data:text/plain,x"'],
    ['a number', 5, 'number'],
    ['a set without keys', {}, 'object'],
    ['an empty set', { keys: [] }, 'a set of 0 keys, none of them public'],
    ['a set of secrets', { keys: [{ kty: 'oct', k: 'AAAA' }, null] }, 'a set of 2 keys, none of them public'],
    ['a private key', { keys: [rsa.privateKey.export({ format: 'jwk' })] }, 'a set with a private key'],
  ])('%s is refused at once', (_, location, given) => {
    const create = () => createJwksKeySource(location as JwksLocation);
    expect(create).toThrow(InvalidOptionsError);
    expect(create).toThrow(
      `The authJwks option must be an http(s) address or {keys: [...]} with public keys - Got ${given}`,
    );
  });
});

describe('a key set on a server', () => {
  test('is read on first use, once for all who wait, and then kept', async () => {
    const server = await keyServer([keyA, keyB]);
    const source = createJwksKeySource(server.url);
    expect(server.requests).toBe(0);
    const all = await Promise.all([tokenA, tokenB, tokenA].map((token) => engine.verifyToken(token, source)));
    expect(all).toEqual([{ id: 'a' }, { id: 'b' }, { id: 'a' }]);
    expect(await engine.verifyToken(tokenA, createJwksKeySource(new URL(server.url)))).toEqual({ id: 'a' });
    expect(server.requests).toBe(2);
  });

  test('is read again when a token names a new key, and then the old key is void', async () => {
    const server = await keyServer([keyA]);
    const source = createJwksKeySource(server.url, { cooldownMs: 0 });
    expect(await engine.verifyToken(tokenA, source)).toEqual({ id: 'a' });
    server.answer = JSON.stringify({ keys: [keyB] });
    expect(await engine.verifyToken(tokenB, source)).toEqual({ id: 'b' });
    expect(server.requests).toBe(2);
    await expect(engine.verifyToken(tokenA, source)).rejects.toMatchObject(unknownKey);
    expect(server.requests).toBe(2);
  });

  test('is not read for every unknown key, and a token that comes too soon is not called bad', async () => {
    const server = await keyServer([keyA]);
    const source = createJwksKeySource(server.url, { cooldownMs: 3_600_000 });
    await expect(engine.verifyToken(tokenC, source)).rejects.toMatchObject(unknownKey);
    for (let i = 0; i < 5; i++) {
      await expect(engine.verifyToken(tokenC, source)).rejects.toMatchObject(undecided);
    }
    expect(await engine.verifyToken(tokenA, source)).toEqual({ id: 'a' });
    expect(server.requests).toBe(1);
  });

  test('a key that comes back is accepted again', async () => {
    const server = await keyServer([keyA]);
    const source = createJwksKeySource(server.url, { maxAgeMs: 0 });
    await engine.verifyToken(tokenA, source);
    server.answer = JSON.stringify({ keys: [keyB] });
    await expect(engine.verifyToken(tokenA, source)).rejects.toMatchObject(unknownKey);
    server.answer = JSON.stringify({ keys: [keyA] });
    expect(await engine.verifyToken(tokenA, source)).toEqual({ id: 'a' });
  });

  test('is read again when it is too old; a server that is down then does not matter for a while', async () => {
    const server = await keyServer([keyA]);
    const source = createJwksKeySource(server.url, { maxAgeMs: 0, retryMs: 0 });
    await engine.verifyToken(tokenA, source);
    await engine.verifyToken(tokenA, source);
    expect(server.requests).toBe(2);
    await server.stop();
    expect(await engine.verifyToken(tokenA, source)).toEqual({ id: 'a' });
    const strict = createJwksKeySource(server.url, { maxAgeMs: 0, maxStaleMs: 0, retryMs: 0 });
    await expect(engine.verifyToken(tokenA, strict)).rejects.toMatchObject(unreadable);
    await server.start();
    expect(await engine.verifyToken(tokenA, strict)).toEqual({ id: 'a' });
    await server.stop();
    await expect(engine.verifyToken(tokenA, strict)).rejects.toMatchObject(unreadable);
  });

  test('a new key while the server is down leaves the token undecided', async () => {
    const server = await keyServer([keyA]);
    const source = createJwksKeySource(server.url, { cooldownMs: 0, retryMs: 0 });
    await engine.verifyToken(tokenA, source);
    await server.stop();
    await expect(engine.verifyToken(tokenB, source)).rejects.toMatchObject(unreadable);
    expect(await engine.verifyToken(tokenA, source)).toEqual({ id: 'a' });
  });

  test('a server that fails is not asked for every token, and asked again later', async () => {
    const server = await keyServer([keyA]);
    server.status = 503;
    const patient = createJwksKeySource(server.url, { retryMs: 3_600_000 });
    for (let i = 0; i < 5; i++) {
      await expect(engine.verifyToken(tokenA, patient)).rejects.toMatchObject(unreadable);
    }
    expect(server.requests).toBe(1);
    const eager = createJwksKeySource(server.url, { retryMs: 0 });
    await expect(engine.verifyToken(tokenA, eager)).rejects.toMatchObject(unreadable);
    server.status = 200;
    expect(await engine.verifyToken(tokenA, eager)).toEqual({ id: 'a' });
  });

  test.each<[string, number, string]>([
    ['no JSON', 200, '<html>'],
    ['no key set', 200, '{"keys":5}'],
    ['an error', 500, '{}'],
    ['a redirection', 302, '{}'],
    ['more than any key set has', 200, JSON.stringify({ keys: [keyA], fill: 'x'.repeat(1024 * 1024) })],
    ['a key without its numbers', 200, JSON.stringify({ keys: [{ kty: 'RSA', kid: 'a' }] })],
    [
      'a private key',
      200,
      JSON.stringify({ keys: [{ ...rsa.privateKey.export({ format: 'jwk' }), kid: 'a' }] }),
    ],
  ])('an answer that is %s is the fault of the server, not of the token', async (_, status, answer) => {
    const server = await keyServer([]);
    Object.assign(server, { status, answer });
    const verdict = engine.verifyToken(tokenA, createJwksKeySource(server.url));
    await expect(verdict).rejects.toBeInstanceOf(AuthTokenError);
    await expect(verdict).rejects.toMatchObject(unreadable);
  });

  test('a server that does not answer is given up', async () => {
    const server = await keyServer([]);
    server.status = 0;
    const source = createJwksKeySource(server.url, { timeoutMs: 50 });
    await expect(engine.verifyToken(tokenA, source)).rejects.toMatchObject(unreadable);
  });

  test('what goes to clients does not name the server', async () => {
    const server = await keyServer([]);
    await server.stop();
    const error = await engine
      .verifyToken(tokenA, createJwksKeySource(server.url))
      .catch((reason: unknown) => reason as AuthTokenError);
    expect(JSON.stringify(error)).not.toContain('127.0.0.1');
    expect((error as AuthTokenError).cause).toBeInstanceOf(Error);
  });
});
