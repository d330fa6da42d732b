import { type AuthToken, bytesToBase64 } from '@socketcluster-ts/core';

/**
 * The claims of a signed token, read without verifying it: that is the server's part. `null` for what is no text.
 *
 * compat: a token whose payload is not base64url of JSON gives that part of it as it is.
 */
export function decodeToken(signedToken: unknown): AuthToken | null {
  if (typeof signedToken !== 'string') return null;
  const payload = signedToken.split('.')[1];
  if (payload === undefined) return null;
  try {
    return JSON.parse(decodeBase64(payload.replaceAll('-', '+').replaceAll('_', '/'))) as AuthToken;
  } catch {
    return payload as unknown as AuthToken;
  }
}

/** Text in UTF-8 as base64. */
export function encodeBase64(text: string): string {
  return bytesToBase64(new TextEncoder().encode(text));
}

/** The text in UTF-8 that was encoded as base64. */
export function decodeBase64(base64: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
}
