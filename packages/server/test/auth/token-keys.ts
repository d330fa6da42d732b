import { createHmac, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto';

/** A pair of keys in the forms an application has them in. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly privatePem: string;
  readonly publicPem: string;
}

export const SECRET = 'a secret of forty-one bytes, for tests only';

export const rsa: KeyPair = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }));
export const p256: KeyPair = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
export const p384: KeyPair = pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }));
export const p521: KeyPair = pem(generateKeyPairSync('ec', { namedCurve: 'P-521' }));
export const ed25519: KeyPair = pem(generateKeyPairSync('ed25519'));

/** Every algorithm, with a key that signs and the one that verifies. */
export const ALGORITHMS: readonly (readonly [string, string, string])[] = [
  ['HS256', SECRET, SECRET],
  ['HS384', SECRET, SECRET],
  ['HS512', SECRET, SECRET],
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map(
    (algorithm) => [algorithm, rsa.privatePem, rsa.publicPem] as const,
  ),
  ['ES256', p256.privatePem, p256.publicPem],
  ['ES384', p384.privatePem, p384.publicPem],
  ['ES512', p521.privatePem, p521.publicPem],
  ['EdDSA', ed25519.privatePem, ed25519.publicPem],
];

/** Gives the public half of `pair` as an entry of a key set. */
export function jwk(pair: KeyPair, fields: { kid?: string; alg?: string } = {}): JsonWebKey {
  return { ...pair.publicKey.export({ format: 'jwk' }), ...fields };
}

/** Gives one part of a token: text as it is, anything else as JSON. */
export function part(content: unknown): string {
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)).toString('base64url');
}

/** Gives a token with an HMAC-SHA256 signature over whatever header and payload, which no library would make. */
export function hmacToken(header: unknown, payload: unknown, secret: string = SECRET): string {
  const content = `${part(header)}.${part(payload)}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

/** Gives a token with a good signature of `pair` (RS256 or EdDSA) over whatever header and payload. */
export function pairToken(pair: KeyPair, header: object, payload: unknown): string {
  const isRsa = pair.privateKey.asymmetricKeyType === 'rsa';
  const content = `${part({ alg: isRsa ? 'RS256' : 'EdDSA', typ: 'JWT', ...header })}.${part(payload)}`;
  const signature = sign(isRsa ? 'sha256' : null, Buffer.from(content), pair.privateKey);
  return `${content}.${signature.toString('base64url')}`;
}

/** Gives `token` with its payload replaced, and so with a signature that is not its own. */
export function withPayload(token: string, payload: unknown): string {
  const [header, , signature] = token.split('.');
  return `${header}.${part(payload)}.${signature}`;
}

function pem(pair: { privateKey: KeyObject; publicKey: KeyObject }): KeyPair {
  return {
    ...pair,
    privatePem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicPem: pair.publicKey.export({ type: 'spki', format: 'pem' }) as string,
  };
}
