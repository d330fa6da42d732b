import { type AuthToken, AuthTokenInvalidError } from '@socketcluster-ts/core';
import { toAuthTokenError } from '../auth/token-errors.js';
import type { AuthInfo } from '../middleware/action.js';
import type { SocketContext } from './socket-context.js';

/** Judges a signed token without changing any state. Never rejects: what is wrong with it is in the result. */
export async function verifyToken(
  { server, socket }: SocketContext,
  signedToken: unknown,
): Promise<AuthInfo> {
  const signedAuthToken = (signedToken ?? null) as string | null;
  const info: AuthInfo = { signedAuthToken, authToken: null, authState: 'unauthenticated' };
  try {
    if (typeof signedToken === 'string' && Buffer.byteLength(signedToken) > server.maxTokenBytes) {
      throw new AuthTokenInvalidError(`The auth token is larger than ${server.maxTokenBytes} bytes`);
    }
    const options = { ...server.defaultVerificationOptions, socket };
    const token: unknown = await server.auth.verifyToken(signedAuthToken, server.verificationKey, options);
    if (typeof token === 'object' && token !== null) {
      info.authToken = token as AuthToken;
      info.authState = 'authenticated';
    }
  } catch (error) {
    info.authTokenError = toAuthTokenError(error);
  }
  return info;
}
