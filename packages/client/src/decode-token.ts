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
    return JSON.parse(decodeBase64(payload)) as AuthToken;
  } catch {
    return payload as unknown as AuthToken;
  }
}

/** Text in UTF-8 as base64. */
export function encodeBase64(text: string): string {
  return bytesToBase64(new TextEncoder().encode(text));
}

/** The text in UTF-8 that was encoded as base64 or base64url; what is neither gives none. */
export function decodeBase64(base64: string): string {
  try {
    const bytes = atob(base64.replaceAll('-', '+').replaceAll('_', '/'));
    return new TextDecoder().decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
  } catch {
    return '';
  }
}
