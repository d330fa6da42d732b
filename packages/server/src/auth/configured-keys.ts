import { KeyObject, randomBytes } from 'node:crypto';
import { InvalidOptionsError } from '@socketcluster-ts/core';
import { type KeyMaterial, looksLikePem, parseSignatureKey, parseVerificationKey } from './key-material.js';

/** The fewest bytes of an HMAC secret that cannot be found by trying. */
export const MIN_SECRET_BYTES = 32;

/** The key options of a server, as the application gave them. */
export interface KeyOptions {
  /**
   * The HMAC secret; or a private key in PEM format, which then also verifies.
   * @default null, a random secret: tokens are void on other servers and after a restart
   */
  readonly authKey?: KeyMaterial | null | undefined;
  /** The key that signs; together with `authPublicKey` it takes the place of `authKey`. @default null */
  readonly authPrivateKey?: KeyMaterial | null | undefined;
  /** The key that verifies what `authPrivateKey` signs. @default null */
  readonly authPublicKey?: KeyMaterial | null | undefined;
}

/** A key and the option it came from. */
export interface ConfiguredKey {
  readonly option: keyof KeyOptions;
  readonly material: KeyMaterial;
}

/** Which of the key options do what. */
export interface ConfiguredKeys {
  readonly signature: ConfiguredKey | null;
  /** Null when a key set takes its place. */
  readonly verification: ConfiguredKey | null;
  /** The random secret, when one had to be made. */
  readonly generated?: string;
}

/**
 * Chooses among the key options; makes a random secret when there is nothing to verify with.
 *
 * @throws {InvalidOptionsError} when one half of a key pair is missing, unless the half that verifies is a key set (`hasKeySet`)
 */
export function configuredKeys(options: KeyOptions, hasKeySet: boolean): ConfiguredKeys {
  const privateKey = given(options, 'authPrivateKey');
  const publicKey = given(options, 'authPublicKey');
  const authKey = given(options, 'authKey');
  if (privateKey !== null && publicKey === null && !hasKeySet) {
    throw new InvalidOptionsError(
      'The authPublicKey option must be specified if authPrivateKey is specified',
    );
  }
  if (publicKey !== null && privateKey === null) {
    throw new InvalidOptionsError(
      'The authPrivateKey option must be specified if authPublicKey is specified',
    );
  }
  if (hasKeySet) return { signature: privateKey ?? authKey, verification: null };
  if (privateKey !== null) return { signature: privateKey, verification: publicKey };
  if (authKey !== null) return { signature: authKey, verification: authKey };
  const generated = randomBytes(MIN_SECRET_BYTES).toString('hex');
  const secret: ConfiguredKey = { option: 'authKey', material: generated };
  return { signature: secret, verification: secret, generated };
}

/**
 * Gives the key object that signs; null for an `authKey` that holds a public key, with which a server can verify but not sign.
 *
 * @throws {InvalidOptionsError} when the option holds no key; the message never shows what it holds
 */
export function signatureKeyObject({ option, material }: ConfiguredKey): KeyObject | null {
  if (option === 'authKey' && isPublicKey(material)) return null;
  return parsed(option, material, parseSignatureKey);
}

/**
 * Gives the key object that verifies.
 *
 * @throws {InvalidOptionsError} when the option holds no key; the message never shows what it holds
 */
export function verificationKeyObject({ option, material }: ConfiguredKey): KeyObject {
  return parsed(option, material, parseVerificationKey);
}

/** Gives a short description of `key` that may be shown to anybody, such as `a secret` or `a key of type rsa`. */
export function describeKey(key: KeyObject): string {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.type === 'secret') return 'a secret';
  const kind = `a key of type ${key.asymmetricKeyType ?? 'unknown'}`;
  return curve === undefined ? kind : `${kind} on curve ${curve}`;
}

function given(options: KeyOptions, option: keyof KeyOptions): ConfiguredKey | null {
  const material: unknown = options[option];
  if (material === null || material === undefined) return null;
  if (isKeyMaterial(material)) return { option, material };
  const kind = material === '' || material instanceof Uint8Array ? 'nothing in it' : typeof material;
  throw refusal(option, kind);
}

/** Says whether `value` has the form of a key; whether it is one is known when it is parsed. */
export function isKeyMaterial(value: unknown): value is KeyMaterial {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length > 0;
  if (value instanceof KeyObject) return true;
  return typeof value === 'object' && value !== null && 'key' in value && 'passphrase' in value;
}

function parsed(
  option: keyof KeyOptions,
  material: KeyMaterial,
  parse: (material: KeyMaterial) => KeyObject,
): KeyObject {
  let key: KeyObject;
  try {
    key = parse(material);
  } catch (error) {
    throw refusal(option, 'something that cannot be read', error);
  }
  const needed = NEEDED_TYPES[option];
  if (needed !== undefined && key.type !== needed) throw refusal(option, describeKey(key));
  return key;
}

const NEEDED_TYPES: Readonly<Record<keyof KeyOptions, KeyObject['type'] | undefined>> = {
  authKey: undefined,
  authPrivateKey: 'private',
  authPublicKey: 'public',
};

/** What a key may be that signs or verifies, as errors say it. */
export const ANY_KEY = 'a secret that is not empty or a key in PEM format (string, Buffer or KeyObject)';

const ALLOWED: Readonly<Record<keyof KeyOptions, string>> = {
  authKey: ANY_KEY,
  authPrivateKey: 'a private key in PEM format (string, Buffer or KeyObject)',
  authPublicKey: 'a public key in PEM format (string, Buffer or KeyObject)',
};

function refusal(option: keyof KeyOptions, got: string, cause?: unknown): InvalidOptionsError {
  return new InvalidOptionsError(
    `The ${option} option must be ${ALLOWED[option]} - Got ${got}`,
    cause === undefined ? undefined : { cause },
  );
}

/** Says whether `material` is a public key, with which nothing can be signed. */
export function isPublicKey(material: KeyMaterial): boolean {
  if (material instanceof KeyObject) return material.type === 'public';
  if (typeof material !== 'string' && !(material instanceof Uint8Array)) return false;
  if (!looksLikePem(material)) return false;
  try {
    parseSignatureKey(material);
    return false;
  } catch {
    return isReadable(material);
  }
}

function isReadable(material: KeyMaterial): boolean {
  try {
    return parseVerificationKey(material).type === 'public';
  } catch {
    return false;
  }
}
