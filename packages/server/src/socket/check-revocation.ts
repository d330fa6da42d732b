import {
  type AuthToken,
  AuthTokenError,
  AuthTokenInvalidError,
  Deadline,
  InvalidArgumentsError,
  TimeoutError,
} from '@socketcluster-ts/core';
import type { SocketHost } from './socket-context.js';

/**
 * Asks the application whether a token was revoked; gives what is wrong with it, undefined for one that may be used.
 *
 * Without an answer in time, or with one that is neither true nor false, the token is not accepted; but the client is
 * not told to forget it, for it may be good. Never rejects.
 */
export async function checkRevocation(
  server: SocketHost,
  token: AuthToken,
  signedToken: string | null,
): Promise<AuthTokenInvalidError | AuthTokenError | undefined> {
  const { isTokenRevoked } = server;
  if (isTokenRevoked === undefined) return undefined;
  let answer: unknown;
  try {
    answer = await inTime(isTokenRevoked(token, signedToken), server);
    if (answer === false) return undefined;
    if (answer !== true) {
      throw new InvalidArgumentsError(
        `The isTokenRevoked option must be a function that gives true or false - It gave ${typeof answer}`,
      );
    }
  } catch (cause) {
    const error = new AuthTokenError('It could not be found out whether the auth token was revoked', {
      cause,
    });
    error.isBadToken = false;
    return error;
  }
  const error = new AuthTokenInvalidError('The auth token was revoked');
  error.isBadToken = true;
  return error;
}

async function inTime(answer: boolean | Promise<boolean>, server: SocketHost): Promise<boolean> {
  if (typeof answer === 'boolean') return answer;
  const { deadlines, ackTimeout } = server;
  let deadline: Deadline | undefined;
  const late = new Promise<never>((_, reject) => {
    deadline = new Deadline(
      () => reject(new TimeoutError(`The isTokenRevoked option gave no answer within ${ackTimeout} ms`)),
      undefined,
    );
    deadlines.schedule(deadline, ackTimeout);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    if (deadline !== undefined) deadlines.cancel(deadline);
  }
}
