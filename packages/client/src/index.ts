/**
 * A SocketCluster client for browsers and Node.js: pub/sub channels, calls in both directions and authentication, all
 * consumed as async iterables, over one connection that comes back by itself.
 *
 * ```ts
 * import { create } from '@socketcluster-ts/client';
 *
 * const socket = create({ hostname: 'localhost', port: 8000 });
 * console.log(await socket.invoke('greet', 'Ann'));
 * for await (const message of socket.subscribe('room/tea')) console.log(message);
 * ```
 *
 * Everything is exported by name; the default export has what `socketcluster-client` has, and is what `require()` gives.
 *
 * @module
 */
import type { AnyContract, Untyped } from '@socketcluster-ts/core';
import type { ClientOptions } from './client-options.js';
import { AGClientSocket } from './client-socket.js';
import { version } from './version.js';

export {
  AbortError,
  AGChannel,
  AGRequest,
  type AnyContract,
  type AuthToken,
  BadConnectionError,
  type ChannelEvents,
  type ChannelMethods,
  type ChannelOptions,
  type ChannelState,
  type Claims,
  type CodecEngine,
  type Contract,
  type ContractDefinition,
  type DataIssue,
  type Delivery,
  InvalidArgumentsError,
  type InvalidDataError,
  InvalidMessageError,
  ProcedureStream,
  ResourceLimitError,
  type Schema,
  ServerProtocolError,
  SocketProtocolError,
  TimeoutError,
  type UnknownNameError,
  type Untyped,
} from '@socketcluster-ts/core';
export type { AuthenticateResult } from './auth-state.js';
export type {
  AuthenticationState,
  AuthStateChange,
  ClientEvents,
  CloseEvent,
  ConnectEvent,
  SocketState,
  SubscriptionEvent,
} from './client-events.js';
export type {
  AutoReconnectOptions,
  ClientOptions,
  ClientSettings,
  InvokeOptions,
  TransmitOptions,
} from './client-options.js';
export type { Environment, PageEvents } from './environment.js';
export type { ClientAuthEngine } from './token-store.js';
export type { RawWebSocket, WebSocketClass, WebSocketEvent } from './web-socket.js';
export { AGClientSocket, version };

/**
 * Gives a new client, which connects at once unless `autoConnect` is false.
 * @throws {InvalidArgumentsError} that names the option, what was given and what is allowed
 */
export function create<C extends AnyContract = Untyped>(options?: ClientOptions<C>): AGClientSocket<C> {
  return new AGClientSocket<C>(options);
}

/** Makes clients. */
export interface ClientFactory {
  /** Gives a new client. */
  readonly create: typeof create;
}

/** The same `create()`, where `socketcluster-client` has it too. */
export const factory: ClientFactory = { create };

/** What the default export has. */
export interface SocketClusterClient {
  /** Gives a new client. */
  readonly create: typeof create;
  readonly AGClientSocket: typeof AGClientSocket;
  readonly factory: typeof factory;
  readonly version: string;
}

/** Everything that applications written for `require()` use. */
const socketClusterClient: SocketClusterClient = { create, AGClientSocket, factory, version };

export default socketClusterClient;
// What require() gives: the same object.
export { socketClusterClient as 'module.exports' };
