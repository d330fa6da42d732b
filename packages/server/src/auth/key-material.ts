import { createPrivateKey, createPublicKey, createSecretKey, KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';

/**
 * A key as an application gives it: an HMAC secret or a PEM text (string or bytes), a `KeyObject`, or an encrypted PEM with its
 * passphrase. Bytes may be changed in place, for example wiped: they are compared on each use.
 */
export type KeyMaterial = string | Uint8Array | KeyObject | EncryptedKey;

/** A private key in PEM format that needs a passphrase; it is decrypted on each use, so prefer a `KeyObject` on a busy server. */
export interface EncryptedKey {
  readonly key: string | Uint8Array;
  readonly passphrase: string | Uint8Array;
}

/** Says whether `material` contains a PEM block, in which case it is never taken for an HMAC secret. */
export function looksLikePem(material: string | Uint8Array): boolean {
  return typeof material === 'string'
    ? material.includes('-----BEGIN ')
    : asBuffer(material).includes('-----BEGIN ');
}

/**
 * Gives the secret or public key that verifies what `material` stands for; of a private key its public half.
 *
 * @throws {JsonWebTokenError} `secretOrPublicKey is not valid key material` for a PEM block that holds no key, and for what is no key at
 * all. It would be wrong to take such text for a secret: a public PEM is known to everybody.
 */
export function parseVerificationKey(material: KeyMaterial): KeyObject {
  try {
    if (material instanceof KeyObject)
      return material.type === 'private' ? createPublicKey(material) : material;
    if (!isTextOrBytes(material)) return createPublicKey(createPrivateKey(encryptedInput(material)));
    if (looksLikePem(material)) return createPublicKey(asKeyInput(material));
    return createSecretKey(secretBytes(material));
  } catch (error) {
    throw withCause(new jwt.JsonWebTokenError('secretOrPublicKey is not valid key material'), error);
  }
}

/**
 * Gives the secret or private key that signs with what `material` stands for.
 *
 * @throws {Error} `secretOrPrivateKey is not valid key material` for a PEM block that holds no private key, and for what is no key.
 */
export function parseSignatureKey(material: KeyMaterial): KeyObject {
  try {
    if (material instanceof KeyObject) return material;
    if (!isTextOrBytes(material)) return createPrivateKey(encryptedInput(material));
    if (looksLikePem(material)) return createPrivateKey(asKeyInput(material));
    return createSecretKey(secretBytes(material));
  } catch (error) {
    throw new Error('secretOrPrivateKey is not valid key material', { cause: error });
  }
}

/** Says whether `material` is text or bytes, as against an object that describes a key. */
export function isTextOrBytes(material: KeyMaterial): material is string | Uint8Array {
  return typeof material === 'string' || material instanceof Uint8Array;
}

function secretBytes(material: string | Uint8Array): Buffer {
  if (material.length === 0) throw new Error('The secret is empty');
  return typeof material === 'string' ? Buffer.from(material) : asBuffer(material);
}

function asKeyInput(material: string | Uint8Array): string | Buffer {
  return typeof material === 'string' ? material : asBuffer(material);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function encryptedInput(material: EncryptedKey): { key: string | Buffer; passphrase: string | Buffer } {
  return { key: asKeyInput(material.key), passphrase: asKeyInput(material.passphrase) };
}

function withCause<E extends Error>(error: E, cause: unknown): E {
  Object.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true });
  return error;
}
