import type { AGServerSocket } from './socket/server-socket.js';
import type { SocketTwinEvents } from './socket/socket-context.js';

/** What {@link AGServer} emits. */
export interface ServerEvents extends SocketTwinEvents<AGServerSocket> {
  /** The server itself is in trouble, for example because its port is taken. */
  error: { error: unknown };
  /** Something went wrong that the server survives: every error of a socket, of the broker, a refused upgrade. */
  warning: { warning: unknown };
  /** The broker is ready: connections can be served. */
  ready: Record<string, never>;
}
