import {
  AuthTokenError,
  AuthTokenExpiredError,
  AuthTokenInvalidError,
  AuthTokenNotBeforeError,
} from '@socketcluster-ts/core';

/** Every error that tells why a token does not authenticate a socket. */
export type TokenRefusal =
  | AuthTokenExpiredError
  | AuthTokenInvalidError
  | AuthTokenNotBeforeError
  | AuthTokenError;

/**
 * Gives the error that clients and listeners see for what an auth engine rejected with; it never throws.
 *
 * Told by `name`: `TokenExpiredError` → `AuthTokenExpiredError` with `expiry`, `JsonWebTokenError` → `AuthTokenInvalidError`,
 * `NotBeforeError` → `AuthTokenNotBeforeError` with `date`, anything else → `AuthTokenError`. The message is the engine's, its error is the
 * `cause`. `isBadToken`, an own property, tells the client to drop its token; it is false only for `NotBeforeError`.
 *
 * differs: an engine (or key source) that rejects with one of the resulting classes is taken at its word, and may set `isBadToken` itself;
 * upstream turns all of them into an `AuthTokenError` that makes the client drop its token.
 */
export function toAuthTokenError(error: unknown): TokenRefusal {
  if (isTokenRefusal(error)) {
    if (typeof error.isBadToken === 'boolean') return error;
    return withVerdict(error, !(error instanceof AuthTokenNotBeforeError));
  }
  const message = messageOf(error);
  const options = { cause: error };
  switch (field(error, 'name')) {
    case 'TokenExpiredError':
      return withVerdict(new AuthTokenExpiredError(message, timeOf(error, 'expiredAt'), options), true);
    case 'JsonWebTokenError':
      return withVerdict(new AuthTokenInvalidError(message, options), true);
    case 'NotBeforeError':
      return withVerdict(new AuthTokenNotBeforeError(message, timeOf(error, 'date'), options), false);
    default:
      return withVerdict(new AuthTokenError(message, options), true);
  }
}

function isTokenRefusal(error: unknown): error is TokenRefusal {
  return (
    error instanceof AuthTokenExpiredError ||
    error instanceof AuthTokenInvalidError ||
    error instanceof AuthTokenNotBeforeError ||
    error instanceof AuthTokenError
  );
}

function withVerdict<E extends TokenRefusal>(error: E, isBadToken: boolean): E {
  error.isBadToken = isBadToken;
  return error;
}

function messageOf(error: unknown): string {
  const message = field(error, 'message');
  if (typeof message === 'string') return message;
  return typeof error === 'string' ? error : 'The token could not be verified';
}

/** An engine of the user's may leave the time out; then all that is known is that the refusal happened now. */
function timeOf(error: unknown, name: string): Date | number | string {
  const time = field(error, name);
  return time instanceof Date || typeof time === 'number' || typeof time === 'string' ? time : new Date();
}

function field(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined;
}
