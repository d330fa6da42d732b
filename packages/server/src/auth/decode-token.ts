import jwt from 'jsonwebtoken';
import type { TokenHeader } from './token-options.js';

/** A token taken apart, nothing of it verified. */
export interface DecodedToken {
  readonly header: TokenHeader;
  readonly payload: unknown;
  readonly signature: string;
}

/**
 * Takes a token apart without verifying anything, for when the header has to be known first.
 *
 * @throws {JsonWebTokenError} with the text that verification has for a token of that form, or a `SyntaxError` for a payload that claims
 * to be JSON and is not.
 */
export function decodeToken(token: string): DecodedToken {
  if (token.split('.').length !== 3) throw new jwt.JsonWebTokenError('jwt malformed');
  const decoded = jwt.decode(token, { complete: true });
  if (decoded === null) throw new jwt.JsonWebTokenError('invalid token');
  // Any JSON can stand where the header should be; what is no object has no fields, and so no algorithm.
  const header: unknown = decoded.header;
  return { ...decoded, header: isObject(header) ? header : {} };
}

/**
 * Gives `payload` back if it is a plain object, as every payload of a socket's token must be.
 *
 * @throws {JsonWebTokenError} for text, numbers, arrays and null, however well signed.
 */
export function requirePlainPayload(payload: unknown): object {
  if (!isObject(payload)) throw new jwt.JsonWebTokenError('jwt payload must be an object');
  return payload;
}

/**
 * Refuses to sign what `requirePlainPayload` would refuse afterwards.
 *
 * differs: upstream signs text and bytes, which no socket could use as its token.
 *
 * @throws {Error} with the text that jsonwebtoken has for arrays
 */
export function refuseUnusablePayload(payload: unknown): void {
  if (!isObject(payload) || ArrayBuffer.isView(payload)) {
    throw new Error('Expected "payload" to be a plain object.');
  }
}

/**
 * Refuses a header that demands extensions to be understood.
 *
 * differs: RFC 7515 says that a token with an unknown `crit` must be rejected; upstream's library ignores the field.
 *
 * @throws {JsonWebTokenError}
 */
export function refuseCriticalHeader(header: TokenHeader): void {
  if (header.crit !== undefined) throw new jwt.JsonWebTokenError('jwt critical header is not supported');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
