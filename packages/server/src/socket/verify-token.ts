import {
  type AuthToken,
  AuthTokenInvalidError,
  type ContractChecks,
  InvalidDataError,
  verdictInTime,
} from '@socketcluster-ts/core';
import { AGAuthEngine } from '../auth/auth-engine.js';
import type { RevocationWatch } from '../auth/revocations.js';
import { toAuthTokenError } from '../auth/token-errors.js';
import { userIdText } from '../auth/user-index.js';
import type { AuthInfo } from '../middleware/action.js';
import { checkRevocation } from './check-revocation.js';
import type { SocketContext, SocketHost } from './socket-context.js';

/** Shared: nobody changes it who is no middleware, and without one nobody else sees it. */
const NOTHING_SHOWN: AuthInfo = { signedAuthToken: null, authToken: null, authState: 'unauthenticated' };

/**
 * What a handshake brings to authenticate itself, judged.
 *
 * Most clients bring nothing. The built-in engine would answer that with an error which nobody looks at unless a
 * handshake middleware is set, and making errors is expensive: a tenth of the cost of a connection.
 */
export function verifyHandshakeToken(
  context: SocketContext,
  signedToken: unknown,
): AuthInfo | Promise<AuthInfo> {
  const { auth, middlewareFunctions } = context.server;
  const isBuiltIn = auth.verifyToken === AGAuthEngine.prototype.verifyToken;
  if ((signedToken ?? '') !== '' || !isBuiltIn || middlewareFunctions.handshake !== undefined) {
    return verifyToken(context, signedToken);
  }
  return NOTHING_SHOWN;
}

/** Judges a signed token without changing any state. Never rejects: what is wrong with it is in the result. */
export async function verifyToken(
  { server, socket }: SocketContext,
  signedToken: unknown,
): Promise<AuthInfo> {
  const signedAuthToken = (signedToken ?? null) as string | null;
  const info: AuthInfo = { signedAuthToken, authToken: null, authState: 'unauthenticated' };
  try {
    if (typeof signedToken === 'string' && Buffer.byteLength(signedToken) > server.limits.maxTokenBytes) {
      throw new AuthTokenInvalidError(`The auth token is larger than ${server.limits.maxTokenBytes} bytes`);
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
  if (server.contract !== undefined && info.authToken !== null)
    await checkClaims(server.contract, server, info);
  if (server.isTokenRevoked !== undefined && info.authToken !== null) {
    const error = await checkRevocation(server, info.authToken, signedAuthToken);
    if (error !== undefined) reject(info, error);
  }
  return info;
}

/** Judges a token that was found good once more; gives what is wrong with it now. Never rejects. */
export async function judgeAgain(
  context: SocketContext,
  { authToken, signedAuthToken }: Pick<AuthInfo, 'authToken' | 'signedAuthToken'>,
): Promise<unknown> {
  if (signedAuthToken === null) return checkRevocation(context.server, authToken as AuthToken, null);
  return (await verifyToken(context, signedAuthToken)).authTokenError;
}

/**
 * Whether tokens of this user were revoked since that was last asked: then what was found out about the token before
 * may be out of date.
 */
export function isOutdated(
  { server }: SocketContext,
  { authToken }: AuthInfo,
  watch: RevocationWatch | undefined,
): boolean {
  return watch?.concerns(userIdText(authToken?.[server.userClaim])) === true;
}

function reject(info: AuthInfo, error: Error): void {
  info.authToken = null;
  info.authState = 'unauthenticated';
  info.authTokenError = error;
}

/**
 * Puts the claims as the contract lets them through in the place of what the token says, or the error in the place of
 * both. Wrong claims make a bad token; a schema that failed is no fault of the token.
 */
async function checkClaims(contract: ContractChecks, server: SocketHost, info: AuthInfo): Promise<void> {
  const checked = contract.checkToken(info.authToken as AuthToken);
  const { error, value } =
    checked instanceof Promise
      ? await verdictInTime(checked, 'token', { scheduler: server.deadlines, timeoutMs: server.ackTimeout })
      : checked;
  if (error === undefined) {
    info.authToken = value as AuthToken;
    return;
  }
  if (error instanceof InvalidDataError && error.cause === undefined) error.isBadToken = true;
  reject(info, error);
}
