import type { AnyContract, Untyped } from '@socketcluster-ts/core';
import type { AGServerSocket } from './socket/server-socket.js';
import type { SocketTwinEvents } from './socket/socket-context.js';

/** What {@link AGServer} emits. `C` is the contract. */
export interface ServerEvents<C extends AnyContract = Untyped>
  extends SocketTwinEvents<AGServerSocket<C>, C> {
  /** The server itself is in trouble, for example because its port is taken. */
  error: { error: unknown };
  /** Something went wrong that the server survives: every error of a socket, of the broker, a refused upgrade. */
  warning: { warning: unknown };
  /** The broker is ready: connections can be served. */
  ready: Record<string, never>;
}
