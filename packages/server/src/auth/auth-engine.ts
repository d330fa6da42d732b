import type { KeyObject } from 'node:crypto';
import { type AuthToken, InvalidArgumentsError } from '@socketcluster-ts/core';
import jwt from 'jsonwebtoken';
import { clockTolerance } from './clock-tolerance.js';
import {
  decodeToken,
  refuseCriticalHeader,
  refuseUnusablePayload,
  requirePlainPayload,
} from './decode-token.js';
import { signEdDSA, verifyEdDSA } from './eddsa.js';
import { algorithmsOfKey, algorithmsOfKind } from './key-algorithms.js';
import { KeyCache } from './key-cache.js';
import { type KeyMaterial, parseSignatureKey, parseVerificationKey } from './key-material.js';
import type {
  FoundKey,
  KeySource,
  SignatureKey,
  TokenHeader,
  TokenSignatureOptions,
  TokenVerificationOptions,
  VerificationKey,
} from './token-options.js';

/**
 * What verifies and signs the tokens of clients: the option `authEngine`, or `server.setAuthEngine()`, which may replace it at any time.
 *
 * The server calls `verifyToken` once for each handshake, **also when the client sent no token** (then with null), and once for each
 * `#authenticate`; it calls `signToken` for each `socket.setAuthToken()`. Calls for different sockets overlap; the answers of one socket are
 * awaited in order. The server reads its keys and default options anew for each call and gives them along; an engine with keys of its own
 * ignores them. It never changes the objects it is given, apart from `tokenData` where `mutatePayload` asks for that.
 *
 * What `verifyToken` resolves with becomes `socket.authToken` and makes the socket authenticated, even an empty object and even when there
 * was no token; null or undefined leave it unauthenticated. A rejection is translated by its `name`: see `toAuthTokenError`. An engine must
 * not throw synchronously, and it should settle soon: the handshake deadline keeps running meanwhile.
 *
 * `signToken` may be missing when the application never calls `setAuthToken()`.
 *
 * @example
 * A complete engine: tokens are session ids, looked up in a store.
 * ```ts
 * import type { AuthEngine } from '@socketcluster-ts/server';
 *
 * const sessions = new Map([['c1d2', { username: 'ada' }]]);
 *
 * export const sessionEngine: AuthEngine = {
 *   async verifyToken(signedToken) {
 *     if (signedToken === null) return null;
 *     const session = sessions.get(String(signedToken));
 *     if (session === undefined) throw new Error('Unknown session');
 *     return session;
 *   },
 * };
 * ```
 */
export interface AuthEngine<S = unknown> {
  /**
   * Resolves with the content of a valid token.
   *
   * @param signedToken what the client sent: a string unless the client is broken or hostile, null when it sent nothing
   * @param key the server's `verificationKey`
   * @param options the server's `defaultVerificationOptions` and the `socket`
   */
  verifyToken(
    signedToken: unknown,
    key: VerificationKey,
    options?: TokenVerificationOptions<S>,
  ): Promise<AuthToken | null | undefined>;

  /**
   * Resolves with the text that a client will hand in to be recognised.
   *
   * @param tokenData the claims
   * @param key the server's `signatureKey`
   * @param options the server's `defaultSignatureOptions` and those of the call
   */
  signToken?(tokenData: object, key: SignatureKey, options?: TokenSignatureOptions): Promise<string>;
}

/**
 * Owns the parsed form of the keys in use; otherwise without state: JSON Web Tokens with HMAC, RSA, ECDSA and Ed25519 keys.
 *
 * Checks, error names and messages are those of jsonwebtoken 9. Which algorithms a token may use is decided by the options, and by the kind
 * of the key in any case: an HMAC algorithm never goes together with a public key, `none` with nothing.
 */
export class AGAuthEngine implements AuthEngine {
  readonly #verificationKeys = new KeyCache(parseVerificationKey);
  readonly #signatureKeys = new KeyCache(parseSignatureKey);

  /**
   * Resolves with the payload of `signedToken`, always a plain object.
   *
   * All work is done before the promise is returned, except with an Ed25519 key and with a key source.
   *
   * Rejects with `TokenExpiredError`, `NotBeforeError`, `JsonWebTokenError` or another error of jsonwebtoken for a token that is not valid;
   * with {@link InvalidArgumentsError} when it is no string; and with what the key source rejects with. Null and undefined count as ''.
   */
  async verifyToken(
    signedToken: unknown,
    key: VerificationKey,
    options?: TokenVerificationOptions,
  ): Promise<AuthToken> {
    const token = signedToken ?? '';
    if (typeof token !== 'string') {
      throw new InvalidArgumentsError('Invalid token format - Token must be a string');
    }
    if (token === '') throw new jwt.JsonWebTokenError('jwt must be provided');
    if (typeof key === 'function') {
      const { header } = decodeToken(token);
      const found = await askForKey(key, header);
      const keys = Array.isArray(found) ? (found as readonly KeyMaterial[]) : [found as KeyMaterial];
      return verifyWithAny(
        token,
        keys.map((each) => this.#verificationKeys.get(each)),
        options,
      );
    }
    if (isMissing(key)) {
      decodeToken(token);
      throw new jwt.JsonWebTokenError('secret or public key must be provided');
    }
    return verifyWithKey(token, this.#verificationKeys.get(key), options);
  }

  /**
   * Resolves with a token that carries `tokenData`, and `iat`. Without `options.expiresIn` it never expires.
   *
   * The payload is read, and with `mutatePayload` changed, before the promise is returned; with any key but Ed25519 all work is.
   *
   * Rejects with the errors of jsonwebtoken: for payloads that are no plain objects, for unknown or wrong options, for claims that are given
   * twice, for a key that does not fit the algorithm or is missing.
   */
  async signToken(tokenData: object, key: SignatureKey, options?: TokenSignatureOptions): Promise<string> {
    if (isMissing(key)) {
      throw new Error(
        'secretOrPrivateKey must have a value - Signing needs the authKey or the authPrivateKey option',
      );
    }
    const signatureKey = this.#signatureKeys.get(key);
    const settings = withoutUndefined(options ?? {});
    const algorithm = signatureAlgorithm(signatureKey, settings);
    if (algorithm === 'EdDSA' && signatureKey.asymmetricKeyType === 'ed25519') {
      return signEdDSA(tokenData, signatureKey, settings);
    }
    const token = jwt.sign(tokenData, signatureKey, { ...settings, algorithm } as jwt.SignOptions);
    refuseUnusablePayload(tokenData);
    return token;
  }
}

/** What a source gives, or calls back with: as jsonwebtoken has it, one with two parameters may do that. */
function askForKey(source: KeySource, header: TokenHeader): Promise<FoundKey> {
  return new Promise((resolve, reject) => {
    const take = (found: FoundKey | void): void => {
      if (found !== undefined || source.length < 2) resolve(found as FoundKey);
    };
    const given = source(header, (error, key) => (error ? reject(error) : resolve(key as FoundKey)));
    Promise.resolve(given).then(take, reject);
  });
}

/** Of several keys a token may be signed with any. What else is wrong with it is found by the one that signed it. */
async function verifyWithAny(
  token: string,
  keys: readonly KeyObject[],
  options: TokenVerificationOptions | undefined,
): Promise<AuthToken> {
  let failure: unknown = new jwt.JsonWebTokenError('no matching key');
  for (const key of keys) {
    try {
      return await verifyWithKey(token, key, options);
    } catch (error) {
      if ((error as { message?: unknown } | null)?.message !== 'invalid signature') throw error;
      failure = error;
    }
  }
  throw failure;
}

function verifyWithKey(
  token: string,
  key: KeyObject,
  options: TokenVerificationOptions | undefined,
): AuthToken | Promise<AuthToken> {
  const { socket: _socket, ...settings } = options ?? {};
  const checks = {
    ...settings,
    algorithms: allowedAlgorithms(key, settings),
    clockTolerance: clockTolerance(settings.clockTolerance),
    complete: true,
  } as jwt.VerifyOptions & { complete: true };
  if (key.asymmetricKeyType === 'ed25519') return verifyEdDSA(token, key, checks) as Promise<AuthToken>;
  const { header, payload } = verifyWithLibrary(token, key, checks);
  refuseCriticalHeader(header);
  return requirePlainPayload(payload) as AuthToken;
}

function verifyWithLibrary(
  token: string,
  key: KeyObject,
  checks: jwt.VerifyOptions & { complete: true },
): jwt.Jwt {
  try {
    return jwt.verify(token, key, checks);
  } catch (error) {
    // The library trips over a signed payload of null with a TypeError.
    if (error instanceof TypeError && decodeToken(token).payload === null) requirePlainPayload(null);
    throw error;
  }
}

/**
 * The algorithms of the options that the key can be used with; without options, all that the key can be used with. So the header of a token
 * only ever chooses within one kind of key.
 */
function allowedAlgorithms(key: KeyObject, options: TokenVerificationOptions): readonly string[] {
  const fitting =
    options.allowInvalidAsymmetricKeyTypes === true ? algorithmsOfKind(key) : algorithmsOfKey(key);
  const chosen: unknown = options.algorithms ?? fitting;
  if (!Array.isArray(chosen)) return fitting.filter((algorithm) => algorithm === chosen);
  return chosen.every((algorithm) => fitting.includes(algorithm))
    ? chosen
    : chosen.filter((algorithm) => fitting.includes(algorithm));
}

/**
 * differs: without an algorithm upstream's library takes HS256 and fails with a private key; here the key's usual algorithm is taken. A
 * token without signature is never made.
 */
function signatureAlgorithm(key: KeyObject, options: TokenSignatureOptions): string {
  const inHeader = (options.header as { alg?: unknown } | null | undefined)?.alg;
  const algorithm = inHeader ?? options.algorithm ?? algorithmsOfKey(key)[0] ?? 'HS256';
  if (typeof algorithm !== 'string' || algorithm === 'none') {
    throw new Error('"algorithm" must be a valid string enum value');
  }
  return algorithm;
}

function isMissing(key: KeyMaterial | null | undefined): key is null | undefined {
  return key === null || key === undefined || key === '';
}

function withoutUndefined(options: TokenSignatureOptions): jwt.SignOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
