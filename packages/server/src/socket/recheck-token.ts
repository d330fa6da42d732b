import type { Connection } from './connection.js';
import { isBadToken } from './handshake.js';
import { judgeAgain } from './verify-token.js';

/**
 * Judges the token that a socket has again: by the keys of now, the contract, and whether it was revoked. A socket whose
 * token is bad is deauthenticated, and its client told. Resolves with whether that was so; never rejects.
 *
 * A token that was set by the application and is not signed yet, and one that an engine of its own made of nothing, is
 * only looked up among the revoked ones.
 */
export async function recheckToken(connection: Connection): Promise<boolean> {
  const { auth, socket } = connection;
  const { authToken, version } = auth;
  if (authToken === null) return false;
  const signedAuthToken = auth.isSigning ? null : auth.signedAuthToken;
  const error = await judgeAgain(connection, { authToken, signedAuthToken });
  // Another token came meanwhile, which was judged when it came; or the socket has none any more, or is closed.
  if (error === undefined || auth.version !== version || connection.state === 'closed') return false;
  if (!isBadToken(error)) {
    socket.emitError(error);
    return false;
  }
  auth.announceBadToken(error as Error, signedAuthToken);
  await socket.deauthenticate();
  return true;
}
