import { dehydrateError, errorPacket, responsePacket } from '@socketcluster-ts/core';
import type { RevocationWatch } from '../auth/revocations.js';
import type { Connection } from './connection.js';
import { askAuthenticateMiddleware, isBadToken } from './handshake.js';
import { isOutdated, judgeAgain, verifyToken } from './verify-token.js';

/**
 * Answers `#authenticate`: takes over the token the client shows, in place of the one it had.
 *
 * A token that is refused leaves the socket unauthenticated. When it can never become good the call fails and the
 * client is told to forget it; otherwise the call succeeds with `isAuthenticated: false`.
 */
export async function authenticate(connection: Connection, signedToken: unknown, cid: number): Promise<void> {
  const watch = connection.beginLogin();
  let isRefused: boolean;
  try {
    isRefused = await judgeToken(connection, signedToken, cid, watch);
  } finally {
    connection.endLogin();
  }
  // The answer has been given: who tries one token after the other learns nothing from the close.
  if (isRefused && connection.exceedsAuthFailures()) {
    connection.closeForBreach(`More than ${connection.server.limits.maxAuthFailures} tokens were refused`);
  }
}

/** Answers; gives whether a token was shown and refused. */
async function judgeToken(
  connection: Connection,
  signedToken: unknown,
  cid: number,
  watch: RevocationWatch | undefined,
): Promise<boolean> {
  const { socket, server, auth } = connection;
  const info = await verifyToken(connection, signedToken);
  if (connection.state === 'closed') return false;
  let authError: unknown = info.authTokenError;
  if (authError !== undefined) {
    if (info.signedAuthToken) socket.emitError(authError);
  } else if (info.authToken !== null) {
    const blocked = await askAuthenticateMiddleware(connection, info);
    // The state may have changed behind the await, which the compiler cannot see.
    if ((connection.state as string) === 'closed') return false;
    if (blocked !== undefined) {
      if (server.middlewareEmitFailures) socket.emitError(blocked.cause);
      authError = blocked.error;
    } else {
      while (authError === undefined && isOutdated(connection, info, watch)) {
        authError = await judgeAgain(connection, info);
        if ((connection.state as string) === 'closed') return false;
      }
      if (authError === undefined) {
        // That of now: the socket may have been logged out meanwhile.
        const oldAuthState = auth.authState;
        auth.accept(info.authToken, info.signedAuthToken);
        auth.announce(oldAuthState);
        socket.sendObject(responsePacket(cid, { isAuthenticated: true, authError: null }));
        return false;
      }
      socket.emitError(authError);
    }
  }
  if (isBadToken(authError)) {
    // The answer first: the removal that follows must not overtake it.
    socket.sendObject(errorPacket(cid, dehydrateError(authError)));
    auth.announceBadToken(authError as Error, info.signedAuthToken);
    await socket.deauthenticate();
    return true;
  }
  if (auth.authState === 'authenticated') auth.deauthenticateSelf();
  const dehydrated = authError === undefined ? null : dehydrateError(authError);
  socket.sendObject(responsePacket(cid, { isAuthenticated: false, authError: dehydrated }));
  return authError !== undefined;
}
