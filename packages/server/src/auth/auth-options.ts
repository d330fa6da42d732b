import { createPublicKey, type KeyObject } from 'node:crypto';
import { InvalidOptionsError } from '@socketcluster-ts/core';
import jwt from 'jsonwebtoken';
import { MAX_CLOCK_TOLERANCE } from './clock-tolerance.js';
import {
  type ConfiguredKeys,
  configuredKeys,
  describeKey,
  type KeyOptions,
  MIN_SECRET_BYTES,
  signatureKeyObject,
  verificationKeyObject,
} from './configured-keys.js';
import { createJwksKeySource, type JwksLocation, jwksUrl } from './jwks.js';
import {
  ASYMMETRIC_ALGORITHMS,
  algorithmsOfKey,
  isAsymmetricAlgorithm,
  isTokenAlgorithm,
  TOKEN_ALGORITHMS,
} from './key-algorithms.js';
import { type AuthKey, createKeyRing } from './key-ring.js';
import type {
  SignatureKey,
  TokenSignatureOptions,
  TokenVerificationOptions,
  VerificationKey,
} from './token-options.js';

/** The lifetime of a token in seconds when the option `authDefaultExpiry` is not given. */
export const DEFAULT_AUTH_EXPIRY_SECONDS = 86_400;

/** The options that decide how tokens are signed and verified, as the application gave them: without defaults filled in. */
export interface AuthOptions extends KeyOptions {
  /** The algorithm that signs, and the only one accepted. @default what fits the key: `HS256`, `RS256`, `ES256`, `EdDSA` … */
  readonly authAlgorithm?: string | null | undefined;
  /** The algorithms accepted. @default null, `authAlgorithm` only */
  readonly authVerifyAlgorithms?: readonly string[] | null | undefined;
  /** The lifetime of a token: whole seconds, or a time span such as `'2h'`; null for none. @default 86400 */
  readonly authDefaultExpiry?: number | string | null | undefined;
  /** Several keys in place of one: the first signs, all verify. @default null */
  readonly authKeys?: readonly AuthKey[] | null | undefined;
  /** The seconds by which the clocks of those who sign may differ from this one: 0 to 60. @default 0 */
  readonly authClockTolerance?: number | null | undefined;
  /** Verifies with the public keys of a JSON Web Key Set, and with nothing else. @default null */
  readonly authJwks?: JwksLocation | null | undefined;
  /** An engine of the application's own: keys and algorithms are its business then, and are passed on unchecked. @default null */
  readonly authEngine?: unknown;
}

/** What follows from {@link AuthOptions}: the initial values of the server's properties of the same names. */
export interface AuthSettings {
  readonly signatureKey: SignatureKey;
  readonly verificationKey: VerificationKey;
  readonly defaultSignatureOptions: TokenSignatureOptions;
  readonly defaultVerificationOptions: TokenVerificationOptions;
  /** The random secret, when one had to be made: it becomes `server.options.authKey`. */
  readonly generatedKey?: string;
  /** Texts for the operator, each about one option. */
  readonly warnings: readonly string[];
}

/**
 * Gives keys and default token options from the server's options. It keeps nothing, and changes nothing.
 *
 * `refuseShortSecrets` turns the warning about HMAC secrets under 32 bytes into a refusal.
 *
 * differs: given a key pair, upstream takes HS256 unless told otherwise, and every `setAuthToken` fails; here the key decides.
 *
 * @throws {InvalidOptionsError} that names the option, what it may be, and what was given (never a key)
 */
export function resolveAuthOptions(
  options: AuthOptions,
  { refuseShortSecrets = false }: { readonly refuseShortSecrets?: boolean } = {},
): AuthSettings {
  const expiresIn = defaultExpiry(options.authDefaultExpiry);
  const tolerance = toleranceOf(options.authClockTolerance);
  if (isGiven(options.authKeys)) {
    refuseBesideKeyRing(options);
    const ring = createKeyRing(options.authKeys, { refuseShortSecrets });
    return {
      signatureKey: ring.signatureKey,
      verificationKey: ring.keySource,
      defaultSignatureOptions: {
        ...(expiresIn === null ? {} : { expiresIn }),
        algorithm: ring.algorithm,
        keyid: ring.kid,
      },
      defaultVerificationOptions: { algorithms: ring.algorithms, ...tolerance },
      warnings: ring.warnings,
    };
  }
  const keys = configuredKeys(options, isGiven(options.authJwks));
  const keySource = isGiven(options.authJwks) ? createJwksKeySource(options.authJwks) : null;
  const { algorithm, algorithms, warnings } = isGiven(options.authEngine)
    ? uncheckedAlgorithms(options)
    : checkedAlgorithms(options, keys, refuseShortSecrets);
  return {
    signatureKey: keys.signature?.material ?? null,
    verificationKey: keySource ?? keys.verification?.material ?? null,
    defaultSignatureOptions: {
      ...(expiresIn === null ? {} : { expiresIn }),
      ...(algorithm === undefined ? {} : { algorithm }),
    },
    defaultVerificationOptions: { ...(algorithms === undefined ? {} : { algorithms }), ...tolerance },
    ...(keys.generated === undefined ? {} : { generatedKey: keys.generated }),
    warnings,
  };
}

/** What says in another way which keys there are, or which algorithms they are used with. */
const BESIDE_KEY_RING = [
  'authKey',
  'authPrivateKey',
  'authPublicKey',
  'authJwks',
  'authAlgorithm',
  'authVerifyAlgorithms',
] as const;

function refuseBesideKeyRing(options: AuthOptions): void {
  const beside = BESIDE_KEY_RING.find((name) => isGiven(options[name]));
  if (beside === undefined) return;
  throw new InvalidOptionsError(
    `The authKeys option takes the place of the ${beside} option - Got both (a key may say its algorithm: {kid, key, algorithm})`,
  );
}

function toleranceOf(seconds: number | null | undefined): { readonly clockTolerance?: number } {
  if (!isGiven(seconds)) return {};
  if (typeof seconds === 'number' && seconds >= 0 && seconds <= MAX_CLOCK_TOLERANCE) {
    return { clockTolerance: seconds };
  }
  throw new InvalidOptionsError(
    `The authClockTolerance option must be seconds from 0 to ${MAX_CLOCK_TOLERANCE} - Got ${quote(seconds)}`,
  );
}

interface Algorithms {
  readonly algorithm: string | undefined;
  readonly algorithms: readonly string[] | undefined;
  readonly warnings: readonly string[];
}

function uncheckedAlgorithms({ authAlgorithm, authVerifyAlgorithms }: AuthOptions): Algorithms {
  const algorithms = authVerifyAlgorithms ?? (isGiven(authAlgorithm) ? [authAlgorithm] : undefined);
  return { algorithm: authAlgorithm ?? undefined, algorithms, warnings: [] };
}

function checkedAlgorithms(
  options: AuthOptions,
  keys: ConfiguredKeys,
  refuseShortSecrets: boolean,
): Algorithms {
  checkAlgorithmNames(options);
  const signing = keys.signature === null ? null : signatureKeyObject(keys.signature);
  const verifying = keys.verification === null ? null : verificationKeyObject(keys.verification);
  const algorithm = signatureAlgorithm(options, keys, signing ?? verifying);
  return {
    algorithm,
    algorithms:
      verifying === null
        ? keySetAlgorithms(options)
        : verificationAlgorithms(options, keys, verifying, algorithm),
    warnings: [
      ...secretWarning(signing, refuseShortSecrets),
      ...pairWarning(signing, verifying),
      ...keySetWarnings(options, signing),
    ],
  };
}

function checkAlgorithmNames({ authAlgorithm, authVerifyAlgorithms }: AuthOptions): void {
  if (isGiven(authAlgorithm) && !isTokenAlgorithm(authAlgorithm)) {
    throw new InvalidOptionsError(
      `The authAlgorithm option must be one of ${list(TOKEN_ALGORITHMS)} - Got ${quote(authAlgorithm)}`,
    );
  }
  if (!isGiven(authVerifyAlgorithms)) return;
  const names: unknown = authVerifyAlgorithms;
  if (!Array.isArray(names) || names.length === 0 || !names.every(isTokenAlgorithm)) {
    throw new InvalidOptionsError(
      `The authVerifyAlgorithms option must be an array of ${list(TOKEN_ALGORITHMS)} - Got ${quote(names)}`,
    );
  }
}

function signatureAlgorithm(
  { authAlgorithm }: AuthOptions,
  { signature }: ConfiguredKeys,
  key: KeyObject | null,
): string | undefined {
  if (signature === null || key === null) return authAlgorithm ?? undefined;
  const fitting: readonly string[] = algorithmsOfKey(key);
  const algorithm = authAlgorithm ?? fitting[0];
  if (algorithm === undefined) {
    throw new InvalidOptionsError(
      `The ${signature.option} option must be a key for one of ${list(TOKEN_ALGORITHMS)} - Got ${describeKey(key)}`,
    );
  }
  if (fitting.includes(algorithm)) return algorithm;
  throw new InvalidOptionsError(
    `The authAlgorithm option must fit the ${signature.option} option (${describeKey(key)}): one of ${list(fitting)} - Got ${quote(algorithm)}`,
  );
}

function verificationAlgorithms(
  { authVerifyAlgorithms }: AuthOptions,
  { verification }: ConfiguredKeys,
  key: KeyObject,
  algorithm: string | undefined,
): readonly string[] {
  const fitting: readonly string[] = algorithmsOfKey(key);
  const algorithms = authVerifyAlgorithms ?? (algorithm === undefined ? fitting : [algorithm]);
  if (algorithms.some((each) => fitting.includes(each))) return [...algorithms];
  const option = verification?.option ?? 'authKey';
  throw new InvalidOptionsError(
    isGiven(authVerifyAlgorithms)
      ? `The authVerifyAlgorithms option must fit the ${option} option (${describeKey(key)}): some of ${list(fitting)} - Got ${quote(algorithms)}`
      : `The ${option} option must be a key that verifies ${list(algorithms)} - Got ${describeKey(key)}`,
  );
}

/** Which algorithms the tokens of a key set may use: an HMAC `authAlgorithm` only says how this server signs. */
function keySetAlgorithms({ authAlgorithm, authVerifyAlgorithms, ...keys }: AuthOptions): readonly string[] {
  const isSigning = isGiven(keys.authKey) || isGiven(keys.authPrivateKey);
  if (isGiven(authVerifyAlgorithms)) {
    if (authVerifyAlgorithms.every(isAsymmetricAlgorithm)) return [...authVerifyAlgorithms];
    throw notAsymmetric('authVerifyAlgorithms', authVerifyAlgorithms);
  }
  if (isAsymmetricAlgorithm(authAlgorithm)) return [authAlgorithm];
  if (isGiven(authAlgorithm) && !isSigning) throw notAsymmetric('authAlgorithm', authAlgorithm);
  return ASYMMETRIC_ALGORITHMS;
}

function notAsymmetric(option: string, given: unknown): InvalidOptionsError {
  return new InvalidOptionsError(
    `The ${option} option must fit the authJwks option: of ${list(ASYMMETRIC_ALGORITHMS)} - Got ${quote(given)}`,
  );
}

function defaultExpiry(authDefaultExpiry: number | string | null | undefined): number | string | null {
  if (authDefaultExpiry === null) return null;
  const expiresIn = authDefaultExpiry ?? DEFAULT_AUTH_EXPIRY_SECONDS;
  try {
    // The library that will have to understand it at each signature is asked once, at construction.
    jwt.sign({}, 'any', { expiresIn } as jwt.SignOptions);
  } catch (error) {
    throw new InvalidOptionsError(
      `The authDefaultExpiry option must be whole seconds, a time span such as "2h", or null - Got ${quote(expiresIn)}`,
      { cause: error },
    );
  }
  return expiresIn;
}

function secretWarning(signing: KeyObject | null, refuse: boolean): string[] {
  const bytes = signing?.symmetricKeySize;
  if (bytes === undefined || bytes >= MIN_SECRET_BYTES) return [];
  const text = `The authKey option must be at least ${MIN_SECRET_BYTES} bytes long to be safe from guessing - Got ${bytes}`;
  if (refuse) throw new InvalidOptionsError(text);
  return [text];
}

function pairWarning(signing: KeyObject | null, verifying: KeyObject | null): string[] {
  if (signing?.type !== 'private' || verifying === null) return [];
  if (createPublicKey(signing).equals(verifying)) return [];
  return ['The authPublicKey option does not verify what the authPrivateKey option signs'];
}

function keySetWarnings({ authJwks }: AuthOptions, signing: KeyObject | null): string[] {
  if (!isGiven(authJwks)) return [];
  const warnings: string[] = [];
  const url = jwksUrl(authJwks);
  if (url?.protocol === 'http:' && !LOOPBACK_HOSTS.has(url.hostname)) {
    warnings.push(
      'The authJwks option should be an https address: who can change the answer can forge any token',
    );
  }
  if (signing?.type === 'secret') {
    warnings.push('The authJwks option accepts no tokens that are signed with the authKey option');
  }
  return warnings;
}

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

function isGiven<T>(value: T): value is NonNullable<T> {
  return value !== null && value !== undefined;
}

function list(names: readonly string[]): string {
  return names.length === 0 ? '(none)' : names.join(', ');
}

function quote(value: unknown): string {
  return (JSON.stringify(value) ?? typeof value).slice(0, 64);
}
