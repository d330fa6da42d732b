import { createSecretKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { KeyCache } from '../../src/auth/key-cache.js';
import { type KeyMaterial, parseSignatureKey, parseVerificationKey } from '../../src/auth/key-material.js';
import { p256, rsa, SECRET } from './token-keys.js';

function counted(parse = parseVerificationKey): { cache: KeyCache; parsed: KeyMaterial[] } {
  const parsed: KeyMaterial[] = [];
  const cache = new KeyCache((material) => {
    parsed.push(material);
    return parse(material);
  });
  return { cache, parsed };
}

test.each<[string, KeyMaterial]>([
  ['text', SECRET],
  ['a PEM', rsa.publicPem],
  ['bytes', Buffer.from(SECRET)],
  ['a KeyObject', rsa.publicKey],
  ['a private KeyObject', p256.privateKey],
])('%s is parsed once', (_, material) => {
  const { cache, parsed } = counted();
  const key = cache.get(material);
  expect(cache.get(material)).toBe(key);
  expect(parsed).toHaveLength(1);
});

test('text is known by its value, bytes by themselves and their value', () => {
  const { cache, parsed } = counted();
  const bytes = Buffer.from(SECRET);
  expect(cache.get(SECRET.slice(0, 5) + SECRET.slice(5))).toBe(cache.get(SECRET));
  const before = cache.get(bytes);
  bytes[0] = 0;
  const after = cache.get(bytes);
  expect(after.equals(before)).toBe(false);
  expect(after.equals(createSecretKey(bytes))).toBe(true);
  expect(before.equals(createSecretKey(Buffer.from(SECRET)))).toBe(true);
  expect(parsed).toHaveLength(3);
});

test('a view on the middle of a buffer stands for its own bytes only', () => {
  const { cache } = counted();
  const whole = new Uint8Array(Buffer.from(`before${SECRET}after`));
  const view = whole.subarray(6, 6 + SECRET.length);
  expect(cache.get(view).equals(cache.get(SECRET))).toBe(true);
});

test('of text keys only the latest are kept, and an evicted one is parsed again', () => {
  const { cache, parsed } = counted();
  cache.get('first');
  for (let i = 0; i < 16; i++) cache.get(`key ${i}`);
  expect(parsed).toHaveLength(17);
  cache.get('key 15');
  expect(parsed).toHaveLength(17);
  cache.get('first');
  expect(parsed).toHaveLength(18);
});

test('a key that cannot be parsed fails each time', () => {
  const { cache, parsed } = counted(parseSignatureKey);
  expect(() => cache.get(rsa.publicPem)).toThrow('secretOrPrivateKey is not valid key material');
  expect(() => cache.get(rsa.publicPem)).toThrow('secretOrPrivateKey is not valid key material');
  expect(parsed).toHaveLength(2);
});
