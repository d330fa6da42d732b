import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import jwt from 'jsonwebtoken';
import {
  decodeToken,
  refuseCriticalHeader,
  refuseUnusablePayload,
  requirePlainPayload,
} from './decode-token.js';

/**
 * Resolves with the payload of a token signed with Ed25519, under the same checks, in the same order and with the same errors as for any
 * other algorithm. `options.algorithms` must be set.
 *
 * jsonwebtoken knows no EdDSA, so jose verifies the signature; it is loaded on first use.
 */
export async function verifyEdDSA(
  token: string,
  key: KeyObject,
  options: jwt.VerifyOptions,
): Promise<object> {
  const { header, payload, signature } = decodeToken(token);
  if (signature === '') throw new jwt.JsonWebTokenError('jwt signature is required');
  if (!(options.algorithms as readonly unknown[]).includes(header.alg)) {
    throw new jwt.JsonWebTokenError('invalid algorithm');
  }
  refuseCriticalHeader(header);
  const { compactVerify } = await import('jose');
  try {
    await compactVerify(token, key, { algorithms: ['EdDSA'] });
  } catch {
    // The form of the token and its algorithm have been checked; all that is left to be wrong is the signature.
    throw new jwt.JsonWebTokenError('invalid signature');
  }
  requirePlainPayload(payload);
  return checkClaims(token, options);
}

/**
 * Resolves with a token signed with Ed25519. `options` are those of jsonwebtoken's `sign` without `algorithm`, checked as it does; claims
 * that `mutatePayload` writes into `payload` are there when this function returns its promise.
 */
export async function signEdDSA(
  payload: string | object,
  key: KeyObject,
  options: jwt.SignOptions,
): Promise<string> {
  if (key.type !== 'private') {
    throw new Error('secretOrPrivateKey must be an asymmetric key when using EdDSA');
  }
  const header = headerWithoutAlgorithm(options.header);
  const claims = jwt.sign(payload, sealingKey(), {
    ...options,
    ...(header === undefined ? {} : { header: header as jwt.JwtHeader }),
    algorithm: 'HS256',
  });
  refuseUnusablePayload(payload);
  const { CompactSign } = await import('jose');
  return new CompactSign(Buffer.from(segment(claims, 1), 'base64url'))
    .setProtectedHeader({
      alg: 'EdDSA',
      typ: 'JWT',
      ...(options.keyid === undefined ? {} : { kid: options.keyid }),
      ...header,
    })
    .sign(key);
}

/** What is no object is left for jsonwebtoken to refuse. */
function headerWithoutAlgorithm(given: unknown): object | undefined {
  if (typeof given !== 'object' || given === null) return given as undefined;
  const { alg: _alg, ...header } = given as { alg?: unknown };
  return header;
}

/**
 * Checks `exp`, `nbf`, `aud` and the like of a token whose signature is known to be good, and gives its payload. The payload is sealed with
 * a secret of this process and handed to jsonwebtoken, so that there is one implementation of these rules and of their texts, not two.
 */
function checkClaims(token: string, options: jwt.VerifyOptions): object {
  const content = `${SEAL_HEADER}.${segment(token, 1)}`;
  const seal = createHmac('sha256', sealingKey()).update(content).digest('base64url');
  const claims = { ...options, complete: false, algorithms: ['HS256' as const] };
  return jwt.verify(`${content}.${seal}`, sealingKey(), claims) as object;
}

const SEAL_HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');

let sealing: KeyObject | undefined;

function sealingKey(): KeyObject {
  sealing ??= createSecretKey(randomBytes(32));
  return sealing;
}

function segment(token: string, index: number): string {
  return token.split('.')[index] ?? '';
}
