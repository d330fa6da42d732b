import {
  BadConnectionError,
  errorStatuses,
  isIgnoredStatus,
  SocketProtocolError,
  spawn,
} from '@socketcluster-ts/core';
import { withoutStack } from '../engine/without-stack.js';
import { abortedEvent } from './aborted-event.js';
import { microtasksDone } from './after-microtasks.js';
import type { Connection } from './connection.js';
import type { Inbound } from './inbound.js';
import type { SocketFace } from './socket-context.js';

/**
 * Ends the life of a socket, whoever closed it: calls fail, the close is emitted, the server forgets the socket, its
 * channels are left, its streams cleaned up, and `end` is emitted last. Everything up to the channels happens before
 * it returns. On a socket that is closed already only calls made since then are failed.
 *
 * @param reason what the event shows; the text that belongs to the code when empty
 */
export function teardown(
  connection: Connection,
  inbound: Inbound,
  code: number,
  reason: string | undefined,
): void {
  const { socket, server, outbound } = connection;
  const wasConnecting = connection.state === 'connecting';
  const shownReason = reason || errorStatuses[code] || reason;
  const type = wasConnecting ? 'connectAbort' : 'disconnect';
  const abortCalls = (): void => outbound.abortCalls((event) => abortedEvent(event, type, code, shownReason));
  if (connection.state === 'closed') {
    abortCalls();
    return;
  }
  connection.stopClocks();
  connection.state = 'closed';
  outbound.close();
  inbound.dropBatch();
  const { streamCleanupMode } = connection.settings;
  if (streamCleanupMode === 'kill') inbound.kill();
  abortCalls();
  connection.endSignals(
    new BadConnectionError('The connection of the caller was closed', type, code, shownReason),
  );

  const event = { code, reason: shownReason };
  socket.emit(type, event);
  server.emitOfSocket(wasConnecting ? 'connectionAbort' : 'disconnection', { socket, ...event });
  socket.emit('close', event);
  server.emitOfSocket('closure', { socket, ...event });
  server.release(socket);
  if (!connection.isDismissed && !isIgnoredStatus(code)) socket.emitError(protocolError(code, shownReason));

  spawn(
    async () => {
      await connection.leaveChannels();
      // What was received before the close is still processed, into streams that are not closed yet.
      if (streamCleanupMode === 'close') await inbound.end();
      if (streamCleanupMode === 'kill') killAllButListeners(socket);
      socket.emit('end', undefined);
      if (streamCleanupMode === 'close') socket.closeAllStreams();
      if (streamCleanupMode !== 'kill') return;
      // Loops that wait for `end` must have it before their streams go.
      await microtasksDone();
      socket.killAllListeners();
    },
    (error) => socket.emitError(error),
  );
}

function killAllButListeners(socket: SocketFace): void {
  socket.killAllMiddlewares();
  socket.killIO();
  socket.killAllReceivers();
  socket.killAllProcedures();
}

function protocolError(code: number, reason: string | undefined): SocketProtocolError {
  const known = errorStatuses[code];
  const suffix = reason ? ` and reason: ${reason}` : '';
  const message = known ?? `Socket connection closed with status code ${code}${suffix}`;
  return withoutStack(() => new SocketProtocolError(message, code));
}
