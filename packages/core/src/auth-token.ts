/**
 * What a verified token says: the registered claims that matter here, and whatever else the application put in.
 *
 * All times are seconds since 1970. An application that knows its own claims narrows this by an interface of its own
 * that extends it.
 */
export interface AuthToken {
  /** From this time on the token is expired. */
  exp?: number;
  /** When the token was issued. */
  iat?: number;
  /** Before this time the token is not valid. */
  nbf?: number;
  readonly [claim: string]: unknown;
}

/**
 * Whether the time of a token is over: now is later than its `exp`.
 *
 * A missing token, and one whose `exp` is not a number, does not expire. `nowMs` is wall clock time in milliseconds.
 * @default nowMs `Date.now()`
 */
export function isTokenExpired(token: AuthToken | null | undefined, nowMs: number = Date.now()): boolean {
  const expiry: unknown = token?.exp;
  return typeof expiry === 'number' && nowMs > expiry * 1000;
}
