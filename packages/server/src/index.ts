/**
 * A real-time server over WebSockets: pub/sub channels, calls in both directions, JWT authentication and middleware,
 * all consumed as async iterables.
 *
 * ```ts
 * import { createServer } from 'node:http';
 * import { attach } from '@socketcluster-ts/server';
 *
 * const httpServer = createServer();
 * const server = attach(httpServer);
 * httpServer.listen(8000);
 * ```
 *
 * Everything is exported by name; the default export has the same members, and is what `require()` gives.
 *
 * @module
 */
import * as core from '@socketcluster-ts/core';
import { AGAuthEngine } from './auth/auth-engine.js';
import { RelayBroker, relayBroker } from './cluster/relay-broker.js';
import { AGExchange } from './exchange/exchange.js';
import { AGSimpleBroker } from './exchange/simple-broker.js';
import { healthHandler } from './health.js';
import { jsonCodec } from './json-codec.js';
import { attach, listen } from './listen.js';
import { AGAction } from './middleware/action.js';
import { AGServer } from './server.js';
import { AGServerSocket } from './socket/server-socket.js';

export {
  AbortError,
  AGChannel,
  AGRequest,
  type AnyContract,
  AuthError,
  type AuthToken,
  AuthTokenError,
  AuthTokenExpiredError,
  AuthTokenInvalidError,
  AuthTokenNotBeforeError,
  BadConnectionError,
  BrokerError,
  type ChannelMethods,
  type ChannelParameters,
  type Claims,
  type CodecEngine,
  type Contract,
  type ContractDefinition,
  type DataIssue,
  defineContract,
  dehydrateError,
  HTTPServerError,
  hydrateError,
  InvalidActionError,
  InvalidArgumentsError,
  InvalidDataError,
  InvalidMessageError,
  InvalidOptionsError,
  type ParsedChannel,
  ProcedureStream,
  ProcessExitError,
  ResourceLimitError,
  type Schema,
  ServerProtocolError,
  SilentMiddlewareBlockedError,
  SocketProtocolError,
  TimeoutError,
  type,
  UnknownError,
  UnknownNameError,
  type Untyped,
} from '@socketcluster-ts/core';
export type { TurnAway } from './admission/admission.js';
export type { AuthEngine } from './auth/auth-engine.js';
export type { JsonWebKeySet, JwksLocation } from './auth/jwks.js';
export type { EncryptedKey, KeyMaterial } from './auth/key-material.js';
export type { AuthKey } from './auth/key-ring.js';
export type {
  FoundKey,
  IsTokenRevoked,
  KeySource,
  SignatureKey,
  TokenHeader,
  TokenSignatureOptions,
  TokenVerificationOptions,
  VerificationKey,
} from './auth/token-options.js';
export type { UserId } from './auth/user-index.js';
export type { BrokerLink, LinkHandlers, LinkStatus } from './cluster/broker-link.js';
export type { InboxCounts } from './cluster/inbox.js';
export type { OutboxCounts } from './cluster/outbox.js';
export type { RelayEvents, RelayStats } from './cluster/relay-events.js';
export type { RelayOptions } from './cluster/relay-options.js';
export type { DrainOptions, DrainResult } from './drain.js';
export type { CustomWebSocketServer, WebSocketModule } from './engine/custom-engine.js';
export type { RawWebSocket, UpgradeInfo, UpgradeServer, UpgradeVerdict } from './engine/engine.js';
export type { BrokerEngine, BrokerExchange, BrokerStatus } from './exchange/broker-engine.js';
export type {
  ChannelInfo,
  ClusterLine,
  ClusterLineHandlers,
  NodeInfo,
  NodeLoad,
} from './exchange/cluster-line.js';
export type { ExchangeBroker, ExchangeEvents } from './exchange/exchange.js';
export type { HandedOver } from './exchange/handed-over.js';
export type { EncodedMessage, Publication } from './exchange/publication.js';
export type { BrokerEvents } from './exchange/simple-broker.js';
export type { Gap, InvokeOptions, Subscriber, TransmitOptions } from './exchange/subscriber.js';
export type { ServerStatus } from './health.js';
export type { LimitPreset, Limits, ResolvedLimits } from './limits/limits.js';
export type {
  ConflateKey,
  OutboundBudget,
  PressureMarks,
  SlowPolicy,
  SlowPolicyOption,
} from './limits/outbound-limits.js';
export type {
  RateAction,
  RateKind,
  RateOption,
  RateScope,
  RatesOption,
  ResolvedRates,
  ScopeRates,
  ScopeRatesOption,
} from './limits/rates.js';
export type { Rate } from './limits/token-bucket.js';
export type {
  Action,
  ActionBase,
  ActionsByMiddleware,
  ActionType,
  AuthenticateAction,
  AuthInfo,
  HandshakeSCAction,
  HandshakeWSAction,
  InvokeAction,
  InvokeActionOf,
  MessageAction,
  MiddlewareType,
  PublishInAction,
  PublishOutAction,
  SubscribeAction,
  TransmitAction,
  TransmitActionOf,
} from './middleware/action.js';
export type { MiddlewareFunction, MiddlewareStream } from './middleware/middleware-stream.js';
export type { ActionAllowance } from './middleware/verdict.js';
export type { ServerEvents } from './server-events.js';
export type { AuthKeyOption, ResolvedOptions, ServerOptions } from './server-options.js';
export type { AuthTokenOptions } from './socket/auth-state.js';
export type { FarewellOptions, FarewellResult } from './socket/farewell.js';
export type { Debtor, OutboundLedger } from './socket/outbound-ledger.js';
export type { Pressure, PressureStage } from './socket/pressure.js';
export type { ServerSocketSettings } from './socket/server-socket.js';
export type { DeliveryOptions, RequestCreator, SocketHost } from './socket/socket-context.js';
export type {
  AuthenticationState,
  AuthStateChange,
  CloseEvent,
  OverflowEndEvent,
  OverflowEvent,
  PressureEvent,
  SocketEvents,
  SocketState,
  StreamCleanupMode,
  SubscriptionOptions,
} from './socket/socket-events.js';
export type { UserSockets } from './user-sockets.js';
export {
  AGAction,
  AGAuthEngine,
  AGExchange,
  AGServer,
  AGServerSocket,
  AGSimpleBroker,
  attach,
  healthHandler,
  jsonCodec,
  listen,
  RelayBroker,
  relayBroker,
};

/** What the default export has. */
export interface SocketClusterServer {
  readonly AGServer: typeof AGServer;
  readonly AGServerSocket: typeof AGServerSocket;
  readonly AGRequest: typeof core.AGRequest;
  readonly AGAction: typeof AGAction;
  readonly AGExchange: typeof AGExchange;
  readonly AGChannel: typeof core.AGChannel;
  readonly AGSimpleBroker: typeof AGSimpleBroker;
  readonly AGAuthEngine: typeof AGAuthEngine;
  readonly RelayBroker: typeof RelayBroker;
  /** Gives a broker a cluster. */
  readonly relayBroker: typeof relayBroker;
  /** Attaches a server to an HTTP server. */
  readonly attach: typeof attach;
  /** Creates an HTTP server with a server attached to it. */
  readonly listen: typeof listen;
  /** Makes a handler that tells balancers how a server is. */
  readonly healthHandler: typeof healthHandler;
  readonly jsonCodec: typeof core.jsonCodec;
}

/** Everything that applications written for `require()` use. */
const socketClusterServer: SocketClusterServer = {
  AGServer,
  AGServerSocket,
  AGRequest: core.AGRequest,
  AGAction,
  AGExchange,
  AGChannel: core.AGChannel,
  AGSimpleBroker,
  AGAuthEngine,
  RelayBroker,
  relayBroker,
  attach,
  listen,
  healthHandler,
  jsonCodec,
};

export default socketClusterServer;
// What require() gives: the same object.
export { socketClusterServer as 'module.exports' };
