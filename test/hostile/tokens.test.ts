import { createHmac, generateKeyPairSync } from 'node:crypto';
import { describe, expect } from 'vitest';
import { type Attack, underAttack } from './under-attack.js';

const SECRET = 'a secret of forty-one bytes, for tests only';
const NOW = Math.floor(Date.now() / 1000);
const HS256 = { alg: 'HS256', typ: 'JWT' };
const CLAIMS = { sub: 'admin', exp: NOW + 3600 };

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();

const part = (content: unknown): string =>
  Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)).toString('base64url');

/** A token with this header and content, signed with an HMAC. */
function signed(header: object, content: unknown, key: string = SECRET, hash: string = 'sha256'): string {
  const text = `${part(header)}.${part(content)}`;
  return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`;
}

const valid = signed(HS256, CLAIMS);
const [head = '', body = '', signature = ''] = valid.split('.');

type Case = readonly [what: string, token: unknown];

/** Tokens that no server may accept, whatever its keys. */
const FORGED: readonly Case[] = [
  ['that says alg none', `${part({ alg: 'none' })}.${body}.`],
  ['that says alg None, with a signature', `${part({ alg: 'None' })}.${body}.${signature}`],
  ['that says alg nOnE in a list', `${part({ alg: ['none', 'HS256'] })}.${body}.${signature}`],
  ['without an algorithm', `${part({ typ: 'JWT' })}.${body}.${signature}`],
  ['of an algorithm that is an object', `${part({ alg: { toString: 'HS256' } })}.${body}.${signature}`],
  ['of an algorithm that objects inherit', `${part({ alg: 'constructor' })}.${body}.${signature}`],
  ['without a signature', `${head}.${body}.`],
  ['without the last part', `${head}.${body}`],
  ['with a part too many', `${valid}.${signature}`],
  ['with another signature', `${head}.${body}.${part('x'.repeat(32))}`],
  ['with a signature that is cut', valid.slice(0, -3)],
  ['with other claims', `${head}.${part({ ...CLAIMS, sub: 'root' })}.${signature}`],
  ['signed with another secret', signed(HS256, CLAIMS, 'another secret, which is of forty-one bytes')],
  ['signed with nothing', signed(HS256, CLAIMS, '')],
  ['signed with the public key', signed(HS256, CLAIMS, publicPem)],
  ['signed with the public key on one line', signed(HS256, CLAIMS, publicPem.trim())],
  ['that names an RSA algorithm, with an HMAC', signed({ alg: 'RS256' }, CLAIMS, publicPem)],
  ['that brings its own key', signed({ ...HS256, jwk: publicKey.export({ format: 'jwk' }) }, CLAIMS, 'x')],
  ['that names where its key is', signed({ ...HS256, jku: 'http://127.0.0.1:1/keys' }, CLAIMS, 'x')],
  ['with a kid of another key', signed({ ...HS256, kid: 'other' }, CLAIMS, 'x')],
  ['with a kid that is a path', signed({ ...HS256, kid: '../../../dev/null' }, CLAIMS, '')],
  ['with a kid that is a query', signed({ ...HS256, kid: "' UNION SELECT 'x" }, CLAIMS, 'x')],
  ['with a kid that objects inherit', signed({ ...HS256, kid: '__proto__' }, CLAIMS, '')],
  ['with a kid that is an object', signed({ ...HS256, kid: { toString: 1 } }, CLAIMS, 'x')],
  ['with a critical header', signed({ ...HS256, crit: ['b64'], b64: false }, CLAIMS)],
  ['that is expired', signed(HS256, { ...CLAIMS, exp: NOW - 5 })],
  ['that expires at a text', signed(HS256, { ...CLAIMS, exp: 'never' })],
  ['of the claims null', signed(HS256, null)],
  ['of the claims 1', signed(HS256, 1)],
  ['of claims that are a list', signed(HS256, [CLAIMS])],
  ['of claims that are a text', signed(HS256, '"admin"')],
  ['of claims that are no JSON', signed(HS256, '{"sub":')],
  ['that is nested deeply', signed(HS256, '['.repeat(3000) + ']'.repeat(3000))],
  ['of three dots', '...'],
  ['of two dots', '..'],
  ['of one letter', 'x'],
  ['of NULs', '\u0000.\u0000.\u0000'],
  ['of emoji', '😀.😀.😀'],
  ['of 9 KiB', signed(HS256, { ...CLAIMS, pad: 'x'.repeat(9 * 1024) })],
  ['of 900 KiB', signed(HS256, { ...CLAIMS, pad: 'x'.repeat(675_000) })],
  ['of 100,000 dots', '.'.repeat(100_000)],
];

const NO_TEXT: readonly Case[] = [
  ['a number', 1],
  ['true', true],
  ['a list', [valid]],
  ['an object', { toString: valid }],
  ['the claims themselves', CLAIMS],
];

/** Shows each token at the handshake and afterwards: it authenticates nobody, and the client is told to drop it. */
function refusesAll(attack: Attack, cases: readonly Case[]): void {
  attack.each(cases)('%s authenticates nobody', async (target, [, authToken]) => {
    const early = await target.connect();
    early.send({ event: '#handshake', data: { authToken }, cid: 1 });
    expect(await early.next()).toMatchObject({
      rid: 1,
      data: { isAuthenticated: false, authError: { isBadToken: true, message: expect.any(String) } },
    });
    expect(await early.next()).toEqual({ event: '#removeAuthToken' });

    const late = await target.open();
    const answer = await late.call('#authenticate', authToken);
    expect(answer).toMatchObject({ rid: 2, error: { isBadToken: true, name: expect.any(String) } });
    expect(await late.next()).toEqual({ event: '#removeAuthToken' });
    // What the key is, and what the token was, is nobody's business.
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(JSON.stringify(answer).length).toBeLessThan(500);
    expect(await late.call('echo', 1)).toEqual({ rid: 3, data: 1 });
  });
}

describe('a server with a secret', () => {
  const attack = underAttack({ authKey: SECRET });

  refusesAll(attack, [...FORGED, ...NO_TEXT]);

  attack('takes a valid token, also one whose claims are named oddly', async (target) => {
    const claims = `{"sub":"Ann","exp":${NOW + 3600},"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}`;
    for (const token of [valid, signed(HS256, claims)]) {
      const client = await target.connect();
      expect(await client.handshake(token)).toMatchObject({ data: { isAuthenticated: true } });
      expect(await client.call('log in')).toMatchObject({ rid: 2 });
    }
  });

  attack('does not yet take a token that is not active yet, and leaves it to the client', async (target) => {
    const client = await target.connect();
    expect(await client.handshake(signed(HS256, { ...CLAIMS, nbf: NOW + 600 }))).toMatchObject({
      data: { isAuthenticated: false, authError: { name: 'AuthTokenNotBeforeError', isBadToken: false } },
    });
  });

  attack('closes with 1008 when somebody keeps guessing', async (target) => {
    const client = await target.open();
    const guesses = Array.from({ length: 100 }, (_, cid) => ({
      event: '#authenticate',
      data: signed(HS256, CLAIMS, `guess ${cid}`),
      cid: cid + 10,
    }));
    client.send(guesses);
    expect(await client.ended()).toMatchObject({ code: 1008 });
    expect(client.received.filter(({ rid }) => Number(rid) >= 10).length).toBeLessThanOrEqual(21);
  });
});

describe('a server with a public key', () => {
  const attack = underAttack({
    authPublicKey: publicPem,
    authPrivateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  });

  refusesAll(attack, [['of a secret', valid], ...FORGED.slice(0, 29)]);
});

describe('a server with a key set', () => {
  const attack = underAttack({
    authJwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one' }] },
  });

  refusesAll(attack, [
    ['of a secret', valid],
    ['with the kid of the key, and an HMAC', signed({ ...HS256, kid: 'one' }, CLAIMS, publicPem)],
    ...FORGED.slice(0, 29),
  ]);
});
