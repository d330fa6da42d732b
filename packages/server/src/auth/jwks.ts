import { type JsonWebKey, KeyObject } from 'node:crypto';
import { InvalidOptionsError } from '@socketcluster-ts/core';
import jwt from 'jsonwebtoken';
import { isAsymmetricAlgorithm } from './key-algorithms.js';
import {
  KEY_UNKNOWN,
  type KeyQuery,
  LocalKeySet,
  RemoteKeySet,
  type RemoteKeySetOptions,
} from './key-set.js';
import type { KeySource, TokenHeader } from './token-options.js';

/** A set of public keys as RFC 7517 has it. */
export interface JsonWebKeySet {
  readonly keys: readonly JsonWebKey[];
}

/** Where the public keys are that verify tokens: the http(s) address of a JSON Web Key Set, or the set itself. */
export type JwksLocation = string | URL | JsonWebKeySet;

const PUBLIC_KEY_TYPES: ReadonlySet<unknown> = new Set(['RSA', 'EC', 'OKP']);

/**
 * Gives a key source that finds the public key of a token in a JSON Web Key Set: by `kid`, or, when a token has none, the only key that fits
 * its algorithm. It serves RS, PS, ES and EdDSA tokens; secrets in a set are ignored. For how a remote set is kept, see {@link RemoteKeySet}.
 *
 * The source rejects with a `JsonWebTokenError` when the set has no key for the token, and with an `AuthTokenError` whose `isBadToken` is
 * false when it cannot tell.
 *
 * @throws {InvalidOptionsError} for what is neither an http(s) address nor a set with at least one public key, and for a private key
 */
export function createJwksKeySource(authJwks: JwksLocation, options?: RemoteKeySetOptions): KeySource {
  const url = jwksUrl(authJwks);
  const keySet =
    url === undefined ? new LocalKeySet(publicKeys(authJwks)) : new RemoteKeySet(url, options ?? {});
  const keyObjects = new WeakMap<object, KeyObject>();
  return async (header) => {
    const key = await keySet.find(queryOf(header));
    const known = keyObjects.get(key);
    if (known !== undefined) return known;
    const keyObject = KeyObject.from(key);
    keyObjects.set(key, keyObject);
    return keyObject;
  };
}

/**
 * Gives the address in `authJwks`, undefined when it is no address but a set.
 *
 * @throws {InvalidOptionsError} when the address is not one of http or https
 */
export function jwksUrl(authJwks: JwksLocation): URL | undefined {
  if (typeof authJwks !== 'string' && !(authJwks instanceof URL)) return undefined;
  const url = parseUrl(authJwks);
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw refusal(JSON.stringify(String(authJwks).slice(0, 64)));
}

function parseUrl(text: string | URL): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function publicKeys(authJwks: unknown): JsonWebKey[] {
  const keys: unknown = (authJwks as { keys?: unknown } | null | undefined)?.keys;
  if (!Array.isArray(keys)) throw refusal(typeof authJwks);
  const usable = keys.filter((key) => PUBLIC_KEY_TYPES.has((key as JsonWebKey | null)?.kty)) as JsonWebKey[];
  if (usable.length === 0) throw refusal(`a set of ${keys.length} keys, none of them public`);
  if (usable.some((key) => key.d !== undefined)) throw refusal('a set with a private key');
  return usable;
}

function refusal(given: string): InvalidOptionsError {
  return new InvalidOptionsError(
    `The authJwks option must be an http(s) address or {keys: [...]} with public keys - Got ${given}`,
  );
}

function queryOf({ alg, kid }: TokenHeader): KeyQuery {
  if (!isAsymmetricAlgorithm(alg)) throw new jwt.JsonWebTokenError('invalid algorithm');
  if (kid === undefined) return { alg };
  if (typeof kid !== 'string') throw new jwt.JsonWebTokenError(KEY_UNKNOWN);
  return { alg, kid };
}
