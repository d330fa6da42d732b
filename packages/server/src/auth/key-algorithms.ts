import type { KeyObject } from 'node:crypto';

/** Every algorithm that may sign a token; `none` is not among them and never will be. */
export type TokenAlgorithm =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA';

/** The algorithms that sign and verify with one shared secret. */
export const HMAC_ALGORITHMS: readonly TokenAlgorithm[] = ['HS256', 'HS384', 'HS512'];

const RSA_PSS_ALGORITHMS: readonly TokenAlgorithm[] = ['PS256', 'PS384', 'PS512'];
const RSA_ALGORITHMS: readonly TokenAlgorithm[] = ['RS256', 'RS384', 'RS512', ...RSA_PSS_ALGORITHMS];
const EC_ALGORITHMS: readonly TokenAlgorithm[] = ['ES256', 'ES384', 'ES512'];
const EDWARDS_ALGORITHMS: readonly TokenAlgorithm[] = ['EdDSA'];

/** The algorithms that sign with a private and verify with a public key. */
export const ASYMMETRIC_ALGORITHMS: readonly TokenAlgorithm[] = [
  ...RSA_ALGORITHMS,
  ...EC_ALGORITHMS,
  ...EDWARDS_ALGORITHMS,
];

/** All algorithms, in the order in which messages list them. */
export const TOKEN_ALGORITHMS: readonly TokenAlgorithm[] = [...HMAC_ALGORITHMS, ...ASYMMETRIC_ALGORITHMS];

const BY_CURVE: ReadonlyMap<string, readonly TokenAlgorithm[]> = new Map([
  ['prime256v1', ['ES256']],
  ['secp384r1', ['ES384']],
  ['secp521r1', ['ES512']],
]);

const BY_PSS_HASH: ReadonlyMap<string, readonly TokenAlgorithm[]> = new Map([
  ['sha256', ['PS256']],
  ['sha384', ['PS384']],
  ['sha512', ['PS512']],
]);

const NONE: readonly TokenAlgorithm[] = [];

/**
 * Gives the algorithms that `key` can be used with, the usual one first; empty when no token algorithm fits.
 *
 * The same array is given for every key of a kind.
 */
export function algorithmsOfKey(key: KeyObject): readonly TokenAlgorithm[] {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case 'rsa-pss':
      return BY_PSS_HASH.get(details?.hashAlgorithm ?? '') ?? NONE;
    case 'ec':
      return BY_CURVE.get(details?.namedCurve ?? '') ?? NONE;
    default:
      return algorithmsOfKind(key);
  }
}

/** Gives the algorithms for keys like `key`, whatever its parameters (curve, hash) are. */
export function algorithmsOfKind(key: KeyObject): readonly TokenAlgorithm[] {
  if (key.type === 'secret') return HMAC_ALGORITHMS;
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return RSA_ALGORITHMS;
    case 'rsa-pss':
      return RSA_PSS_ALGORITHMS;
    case 'ec':
      return EC_ALGORITHMS;
    case 'ed25519':
      return EDWARDS_ALGORITHMS;
    default:
      return NONE;
  }
}

/** Says whether `name` is one of {@link TOKEN_ALGORITHMS}. */
export function isTokenAlgorithm(name: unknown): name is TokenAlgorithm {
  return (TOKEN_ALGORITHMS as readonly unknown[]).includes(name);
}

/** Says whether `name` is one of {@link ASYMMETRIC_ALGORITHMS}. */
export function isAsymmetricAlgorithm(name: unknown): name is TokenAlgorithm {
  return (ASYMMETRIC_ALGORITHMS as readonly unknown[]).includes(name);
}
