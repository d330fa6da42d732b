import type { KeyObject } from 'node:crypto';
import { InvalidOptionsError } from '@socketcluster-ts/core';
import jwt from 'jsonwebtoken';
import { ANY_KEY, describeKey, isKeyMaterial, isPublicKey, MIN_SECRET_BYTES } from './configured-keys.js';
import { algorithmsOfKey } from './key-algorithms.js';
import { type KeyMaterial, parseSignatureKey, parseVerificationKey } from './key-material.js';
import { KEY_UNKNOWN } from './key-set.js';
import type { KeySource, SignatureKey } from './token-options.js';

/** One of several keys of a server. */
export interface AuthKey {
  /** The name of the key, which the header of the tokens that it signs says. Everybody can read it. */
  readonly kid: string;
  /** An HMAC secret; a private key, which also verifies; or a public key, which verifies only. */
  readonly key: KeyMaterial;
  /** The algorithm that signs with this key, and the only one accepted with it. @default what fits the key */
  readonly algorithm?: string | null | undefined;
}

/** What follows from several keys. */
export interface KeyRing {
  /** The first key; null when there are public keys only. */
  readonly signatureKey: SignatureKey;
  /** The name of the first key. */
  readonly kid: string;
  /** The algorithm that signs. */
  readonly algorithm: string;
  /** Finds the key that a token names; for a token that names none, all keys of its algorithm. */
  readonly keySource: KeySource;
  /** The algorithms of all keys. */
  readonly algorithms: readonly string[];
  /** Texts for the operator. */
  readonly warnings: readonly string[];
}

interface ParsedKey {
  readonly kid: string;
  readonly verifying: KeyObject;
  readonly algorithm: string;
}

/**
 * Gives what follows from the keys of a server: the first signs, all verify. So a key is replaced without a token
 * becoming void: the new one is put in front, and the old one taken away when the last of its tokens has expired.
 *
 * A token is verified with the key that it names and no other. A token without a name, such as one that was signed when
 * the server had a single key, is tried with each key of its algorithm.
 *
 * `refuseShortSecrets` turns the warning about HMAC secrets under 32 bytes into a refusal.
 *
 * @throws {InvalidOptionsError} that says which key, what it may be, and what was given (never a key)
 */
export function createKeyRing(
  authKeys: readonly AuthKey[],
  { refuseShortSecrets = false }: { readonly refuseShortSecrets?: boolean } = {},
): KeyRing {
  const given: unknown = authKeys;
  if (!Array.isArray(given) || given.length === 0) {
    throw refusal(
      '',
      'an array of {kid, key}, not empty',
      Array.isArray(given) ? 'an empty one' : typeof given,
    );
  }
  const keys = given.map(parseKey);
  const byKid = new Map(keys.map((key) => [key.kid, key]));
  const twice = keys.find((key) => byKid.get(key.kid) !== key);
  if (twice !== undefined) throw refusal('', 'keys of different names', `${JSON.stringify(twice.kid)} twice`);
  const [first] = keys as [ParsedKey];
  const isVerifyingOnly = isPublicKey(authKeys[0]?.key as KeyMaterial);
  if (isVerifyingOnly && !authKeys.every(({ key }) => isPublicKey(key))) {
    throw refusal('[0].key', 'a key that signs: the first does', describeKey(first.verifying));
  }
  return {
    signatureKey: isVerifyingOnly ? null : (authKeys[0]?.key ?? null),
    kid: first.kid,
    algorithm: first.algorithm,
    keySource: (header) => {
      if (header.kid !== undefined) {
        const named = typeof header.kid === 'string' ? byKid.get(header.kid) : undefined;
        if (named === undefined) throw new jwt.JsonWebTokenError(KEY_UNKNOWN);
        if (named.algorithm !== header.alg) throw new jwt.JsonWebTokenError('invalid algorithm');
        return named.verifying;
      }
      const fitting = keys.filter(({ algorithm }) => algorithm === header.alg);
      if (fitting.length === 0) throw new jwt.JsonWebTokenError('invalid algorithm');
      return fitting.map(({ verifying }) => verifying);
    },
    algorithms: [...new Set(keys.map(({ algorithm }) => algorithm))],
    warnings: secretWarnings(keys, refuseShortSecrets),
  };
}

function parseKey(given: unknown, index: number): ParsedKey {
  const at = `[${index}]`;
  if (typeof given !== 'object' || given === null) throw refusal(at, '{kid, key}', typeof given);
  const { kid, key, algorithm } = given as Record<keyof AuthKey, unknown>;
  if (typeof kid !== 'string' || kid === '') {
    throw refusal(`${at}.kid`, 'text that is not empty', kid === '' ? '""' : typeof kid);
  }
  if (!isKeyMaterial(key)) throw refusal(`${at}.key`, ANY_KEY, key === '' ? 'nothing in it' : typeof key);
  const verifying = parsed(key, at);
  const fitting: readonly string[] = algorithmsOfKey(verifying);
  const chosen = algorithm ?? fitting[0];
  if (typeof chosen === 'string' && fitting.includes(chosen)) return { kid, verifying, algorithm: chosen };
  throw refusal(
    `${at}.algorithm`,
    `one that fits the key (${describeKey(verifying)}): ${fitting.join(', ') || 'none does'}`,
    JSON.stringify(chosen)?.slice(0, 64) ?? typeof chosen,
  );
}

function parsed(key: KeyMaterial, at: string): KeyObject {
  try {
    // Both, so that a private key that cannot be read is found now.
    if (!isPublicKey(key)) parseSignatureKey(key);
    return parseVerificationKey(key);
  } catch (error) {
    throw refusal(`${at}.key`, ANY_KEY, 'something that cannot be read', error);
  }
}

function secretWarnings(keys: readonly ParsedKey[], refuse: boolean): string[] {
  const warnings: string[] = [];
  for (const [index, { verifying }] of keys.entries()) {
    const bytes = verifying.symmetricKeySize;
    if (bytes === undefined || bytes >= MIN_SECRET_BYTES) continue;
    const error = refusal(
      `[${index}].key`,
      `at least ${MIN_SECRET_BYTES} bytes long to be safe from guessing`,
      `${bytes}`,
    );
    if (refuse) throw error;
    warnings.push(error.message);
  }
  return warnings;
}

function refusal(at: string, allowed: string, got: string, cause?: unknown): InvalidOptionsError {
  return new InvalidOptionsError(
    `The authKeys${at} option must be ${allowed} - Got ${got}`,
    cause === undefined ? undefined : { cause },
  );
}
