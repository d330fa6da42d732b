import {
  type AuthToken,
  agreeOnExtensions,
  CLOSE_CODES,
  dehydrateError,
  type EventPacket,
  type Extension,
  errorPacket,
  eventPacket,
  responsePacket,
} from '@socketcluster-ts/core';
import type { TurnAway } from '../admission/admission.js';
import type { RevocationWatch } from '../auth/revocations.js';
import { AGAction, type AuthInfo } from '../middleware/action.js';
import { runAction } from '../middleware/run-action.js';
import type { Blocked } from '../middleware/verdict.js';
import type { Connection } from './connection.js';
import { nextTurn } from './next-turn.js';
import type { SocketFace, SocketTwinEvents } from './socket-context.js';
import type { SocketEvents } from './socket-events.js';
import { isOutdated, judgeAgain, verifyHandshakeToken } from './verify-token.js';

/** What became of the token a client showed. */
interface TokenOutcome {
  readonly authError?: unknown;
  /** The client has to forget its token. */
  readonly isBadToken: boolean;
  readonly isAuthenticated: boolean;
}

/** The extensions of the protocol that this server knows. */
const EXTENSIONS: readonly Extension[] = ['abort', 'gap', 'retry'];

const NO_TOKEN: TokenOutcome = { isBadToken: false, isAuthenticated: false };
const GOOD_TOKEN: TokenOutcome = { isBadToken: false, isAuthenticated: true };

/**
 * Opens the connection: verifies the token, asks the middleware, registers the socket, answers, and emits it.
 *
 * Whatever is awaited, the connection may be gone afterwards; then nothing more happens. Awaited is only what has to be:
 * a client without a token finds its connection open when the call returns, unless a middleware is set. The promise
 * resolves in a later turn of the event loop, so that loops started by a `connection` listener have begun when the next
 * packet is looked at.
 */
export async function handshake(connection: Connection, packet: EventPacket, cid: number): Promise<void> {
  const unwanted = connection.server.turnAway();
  if (unwanted !== undefined) {
    turnAway(connection, packet.data, unwanted);
    return;
  }
  const judged = verifyHandshakeToken(connection, shownToken(packet.data));
  if (!(judged instanceof Promise)) return open(connection, packet, cid, { info: judged, watch: undefined });
  const watch = connection.beginLogin();
  try {
    await open(connection, packet, cid, { info: await judged, watch });
  } finally {
    connection.endLogin();
  }
}

/** What a client showed, judged; and what became known about tokens meanwhile. */
interface Shown {
  readonly info: AuthInfo;
  readonly watch: RevocationWatch | undefined;
}

async function open(connection: Connection, packet: EventPacket, cid: number, shown: Shown): Promise<void> {
  const { socket, server, outbound } = connection;
  const { info, watch } = shown;
  if (connection.state !== 'connecting') return;

  if (server.middlewareFunctions.handshake !== undefined) {
    const refusal = await askHandshakeMiddleware(connection, info);
    if (connection.state !== 'connecting') return;
    if (refusal !== undefined) {
      refuse(connection, cid, refusal);
      return;
    }
  }

  const taken = takeOverToken(connection, info);
  let outcome = taken instanceof Promise ? await taken : taken;
  // The state may have changed behind the await, which the compiler cannot see.
  if ((connection.state as string) !== 'connecting') return;
  while (outcome.isAuthenticated && isOutdated(connection, info, watch)) {
    const error = await judgeAgain(connection, info);
    if ((connection.state as string) !== 'connecting') return;
    if (error !== undefined) {
      socket.emitError(error);
      outcome = rejected(connection, error, info.signedAuthToken);
    }
  }
  // Not before: whoever acts on a user finds sockets that are open.
  if (outcome.isAuthenticated) connection.auth.accept(info.authToken as AuthToken, info.signedAuthToken);

  connection.state = 'open';
  connection.outbound.open();
  connection.stopHandshakeDeadline();
  server.admit(socket);
  const { isAuthenticated } = outcome;
  const { pingTimeout } = server;
  const failed = outcome.authError !== undefined;
  outbound.sendUnbatched(
    responsePacket(cid, {
      id: socket.id,
      pingTimeout,
      ...(failed ? { authError: dehydrateError(outcome.authError) } : undefined),
      isAuthenticated,
      ...agreeOn(connection, packet.data),
    }),
  );
  if (outcome.isBadToken) connection.auth.sendRemoval();
  const { batchOnHandshake, batchOnHandshakeDuration, batchInterval } = connection.settings;
  if (batchOnHandshake) outbound.batcher.batchFor(batchOnHandshakeDuration, batchInterval);

  const { id } = socket;
  // Written out rather than spread: every connection makes these two.
  const status: SocketEvents['connect'] = { id, pingTimeout, isAuthenticated };
  const twin: SocketTwinEvents<SocketFace>['connection'] = { socket, id, pingTimeout, isAuthenticated };
  if (failed) status.authError = twin.authError = outcome.authError as Error;
  socket.emit('connect', status);
  server.emitOfSocket('connection', twin);
  await nextTurn();
  if (isAuthenticated && connection.auth.authToken === info.authToken)
    connection.auth.announce('unauthenticated');
  connection.closeMiddleware('handshake');
  connection.engine.releaseRequest();
}

/** Closes a connection for which there is no room; a client that knows of `#retry` is told when to try again. */
function turnAway(connection: Connection, data: unknown, { code, delayMs }: TurnAway): void {
  if (offered(data)?.includes('retry') === true)
    connection.outbound.sendUnbatched(eventPacket('#retry', { delayMs }));
  connection.dismiss(code);
}

/** Agrees on extensions with a client that offers some; gives what it is told about them. */
function agreeOn(
  connection: Connection,
  data: unknown,
): { readonly ext: readonly Extension[]; readonly maxPayload?: number } | undefined {
  const ext = offered(data);
  if (ext === undefined) return undefined;
  connection.extensions = ext;
  const { maxPayload } = connection.server;
  return maxPayload === Infinity ? { ext } : { ext, maxPayload };
}

/** The extensions that the client offers, as far as this server knows them. */
function offered(data: unknown): readonly Extension[] | undefined {
  if (typeof data !== 'object' || data === null || !Object.hasOwn(data, 'ext')) return undefined;
  return agreeOnExtensions((data as { ext: unknown }).ext, EXTENSIONS);
}

function shownToken(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || !Object.hasOwn(data, 'authToken')) return null;
  // compat: what is falsy is no token.
  return (data as { authToken: unknown }).authToken || null;
}

async function askHandshakeMiddleware(connection: Connection, info: AuthInfo): Promise<Blocked | undefined> {
  const stream = connection.middleware.line('handshake');
  if (stream === undefined) return undefined;
  const { socket } = connection;
  const { request } = socket;
  const verdict = await runAction(
    stream,
    new AGAction(AGAction.HANDSHAKE_SC, { request, socket, data: info }),
  );
  return verdict.allowed ? undefined : verdict;
}

function refuse(connection: Connection, cid: number, { error, cause }: Blocked): void {
  const { server, outbound } = connection;
  if (server.middlewareEmitFailures) server.emitWarning(cause);
  const statusCode = statusCodeOf(cause) ?? statusCodeOf(error) ?? CLOSE_CODES.HANDSHAKE_REJECTED;
  const dehydrated = dehydrateError(error);
  const answer =
    typeof dehydrated === 'object' && dehydrated !== null ? { ...dehydrated, statusCode } : dehydrated;
  outbound.sendUnbatched(errorPacket(cid, answer));
  connection.closeWith(statusCode);
}

function statusCodeOf(error: unknown): number | undefined {
  const code = (error as { statusCode?: unknown } | null | undefined)?.statusCode;
  return typeof code === 'number' ? code : undefined;
}

/** What is to become of the token. */
function takeOverToken(connection: Connection, info: AuthInfo): TokenOutcome | Promise<TokenOutcome> {
  const { socket, server } = connection;
  const { authTokenError, signedAuthToken } = info;
  if (authTokenError) {
    // Without a token there is nothing to be wrong about.
    if (!signedAuthToken) return NO_TOKEN;
    socket.emitError(authTokenError);
    return rejected(connection, authTokenError, signedAuthToken);
  }
  // compat: a middleware may have put a token in; what counts is that there is one.
  if (!info.authToken) return NO_TOKEN;
  if (server.middlewareFunctions.inbound === undefined) return GOOD_TOKEN;
  return askAuthenticateMiddleware(connection, info).then((blocked) => {
    if (blocked === undefined) return GOOD_TOKEN;
    if (server.middlewareEmitFailures) socket.emitError(blocked.cause);
    return rejected(connection, blocked.error, signedAuthToken);
  });
}

/** Asks the inbound middleware whether a valid token may be used; gives the block if not. */
export async function askAuthenticateMiddleware(
  connection: Connection,
  { signedAuthToken, authToken }: AuthInfo,
): Promise<Blocked | undefined> {
  const stream = connection.middleware.line('inbound');
  if (stream === undefined) return undefined;
  const { socket } = connection;
  const verdict = await runAction(
    stream,
    new AGAction(AGAction.AUTHENTICATE, { socket, signedAuthToken, authToken }),
  );
  return verdict.allowed ? undefined : verdict;
}

function rejected(connection: Connection, authError: unknown, signedAuthToken: string | null): TokenOutcome {
  const isBad = isBadToken(authError);
  if (isBad && connection.state === 'connecting') {
    connection.auth.announceBadToken(authError as Error, signedAuthToken);
    connection.auth.deauthenticateSelf();
  }
  return { authError, isBadToken: isBad, isAuthenticated: false };
}

/** Whether an authentication error says that the token will never be good again. */
export function isBadToken(error: unknown): boolean {
  return Boolean((error as { isBadToken?: unknown } | null | undefined)?.isBadToken);
}
