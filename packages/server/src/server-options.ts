import type { AnyContract, Claims, CodecEngine, ContractChecks, Untyped } from '@socketcluster-ts/core';
import type { AuthEngine } from './auth/auth-engine.js';
import type { JwksLocation } from './auth/jwks.js';
import type { AuthKey } from './auth/key-ring.js';
import type { IsTokenRevoked } from './auth/token-options.js';
import type { WebSocketModule } from './engine/custom-engine.js';
import type { UpgradeServer } from './engine/engine.js';
import type { BrokerEngine } from './exchange/broker-engine.js';
import type { LimitPreset, Limits } from './limits/limits.js';
import type { AGServerSocket } from './socket/server-socket.js';
import type { RequestCreator } from './socket/socket-context.js';
import type { StreamCleanupMode } from './socket/socket-events.js';

/** A key as text in PEM or as a secret, or its bytes. */
export type AuthKeyOption = string | Buffer;

/**
 * The options of a server. `undefined` means not given, and so does `null` unless its option says otherwise. Options
 * not listed here are kept in `server.options` and ignored.
 *
 * @typeParam C - the contract, which is found in the option of that name
 */
export interface ServerOptions<C extends AnyContract = Untyped> {
  /**
   * What the server and its clients agreed on (`defineContract()`): what clients send is checked by it, before any
   * middleware or application code sees it.
   * @default nothing is checked
   */
  contract?: C | null | undefined;
  /**
   * Check by the contract what the server sends, too: results, transmits, calls, publishes of the exchange and tokens.
   * What is wrong is not sent and becomes an error of the server's own; a schema that gives a promise is too late to
   * hold data back, and what it finds is reported only.
   * @default false
   */
  checkOutgoing?: boolean | null | undefined;
  /** The HTTP or HTTPS server to take upgrade requests from. Set by `attach()` and `listen()`. */
  httpServer?: UpgradeServer | null | undefined;
  /**
   * The WebSocket engine: the name of a module, the path of one, or the module itself.
   * @default 'ws'
   */
  wsEngine?: string | WebSocketModule | object | null | undefined;
  /**
   * Further options for the engine's own server; they win over the options here, but for `server` and `verifyClient`.
   * @default {}
   */
  wsEngineServerOptions?: Record<string, unknown> | null | undefined;
  /**
   * The secret that signs and verifies tokens.
   * @default 32 random bytes as hexadecimal digits: tokens are void after a restart
   */
  authKey?: AuthKeyOption | null | undefined;
  /** Signs tokens with an RSA, ECDSA or Ed25519 key (PEM), instead of `authKey`. Needs `authPublicKey`. */
  authPrivateKey?: AuthKeyOption | null | undefined;
  /** Verifies tokens signed by `authPrivateKey` (PEM). */
  authPublicKey?: AuthKeyOption | null | undefined;
  /**
   * The lifetime of tokens: seconds, or a time span such as `'2h'`; `null` for none.
   * @default 86400
   */
  authDefaultExpiry?: number | string | null | undefined;
  /**
   * The algorithm that signs tokens, and the only one accepted.
   * @default 'HS256', or what fits the key pair
   */
  authAlgorithm?: string | null | undefined;
  /** The algorithms accepted, when there are several. */
  authVerifyAlgorithms?: readonly string[] | null | undefined;
  /**
   * Several keys in place of `authKey`: the first signs, all verify. Tokens say in their header with which one they were
   * signed, so keys can be replaced one after the other; see also `server.setAuthKeys()`.
   */
  authKeys?: readonly AuthKey[] | null | undefined;
  /**
   * The seconds by which the clocks of those who sign tokens may differ from this one: 0 to 60. A token is good for so
   * long after its `exp` and before its `nbf`.
   * @default 0
   */
  authClockTolerance?: number | null | undefined;
  /** Verifies tokens with the public keys of a JSON Web Key Set: its address, or the set. */
  authJwks?: JwksLocation | null | undefined;
  /** Signs and verifies tokens instead of the built-in engine. */
  authEngine?: AuthEngine | null | undefined;
  /**
   * Says whether a valid token was revoked: asked in handshakes, when a client authenticates, and by
   * `server.recheckTokens()`. Without an answer within `ackTimeout`, or when it fails, the token is not accepted, but the
   * client may keep it and try again.
   * @default nothing is asked
   */
  isTokenRevoked?: IsTokenRevoked<Claims<C>> | null | undefined;
  /**
   * The claim of a token that says whose it is; `server.users(id)` finds sockets by it. Its value names a user when it
   * is text that is not empty, or a finite number.
   * @default 'sub'
   */
  userClaim?: (keyof Claims<C> & string) | null | undefined;
  /**
   * Turns packets into messages and back.
   * @default jsonCodec
   */
  codecEngine?: CodecEngine | null | undefined;
  /**
   * Carries messages from publishers to subscribers.
   * @default a new AGSimpleBroker
   */
  brokerEngine?: BrokerEngine | null | undefined;
  /**
   * Compression of messages: `true`, or options for the engine. Saves bandwidth and costs much CPU time and memory.
   * @default false
   */
  perMessageDeflate?: boolean | object | null | undefined;
  /**
   * The largest inbound message in bytes; a larger one closes the connection with 1009. `null`, `0` and `Infinity`
   * for no limit.
   * @default 1048576
   */
  maxPayload?: number | null | undefined;
  /** Chooses a WebSocket subprotocol; passed to the engine. */
  handleProtocols?: ((protocols: Set<string>, request: never) => string | false) | null | undefined;
  /**
   * The version of the wire protocol: 1 for clients before SocketCluster 15, else 2. They differ in their pings.
   * @default 2
   */
  protocolVersion?: 1 | 2 | null | undefined;
  /**
   * Milliseconds from the upgrade request until the handshake must be complete, middleware and token verification
   * included. `0` or `Infinity` for no limit.
   * @default 10000
   */
  handshakeTimeout?: number | null | undefined;
  /**
   * Milliseconds that `socket.invoke()` waits for an answer.
   * @default 10000
   */
  ackTimeout?: number | null | undefined;
  /**
   * Who may connect, by `Origin` header: `host:port`, `host:*`, `*:port`, each with or without `http(s)://` in front,
   * or `self` for the host the request was sent to; an array, or a text with commas or white space between.
   * @default '*:*' (with `limits: 'public'`: 'self')
   */
  origins?: string | readonly string[] | null | undefined;
  /**
   * Admit clients that send no `Origin` header even though `origins` is restricted. Browsers always send one.
   * @default false
   */
  allowMissingOrigin?: boolean | null | undefined;
  /**
   * The proxies whose `X-Forwarded-For` header is believed when connections of one address are counted: IP addresses,
   * networks such as `10.0.0.0/8`, and `unix` for those that connect over a Unix domain socket. Of a client that comes
   * through one of them, `socket.forwardedForAddress` is the address; `socket.remoteAddress` is always the peer's.
   * @default []
   */
  trustedProxies?: readonly string[] | null | undefined;
  /**
   * How many channels a socket may be subscribed to. `null`, `0`, `false` and `Infinity` for no limit.
   * @default 1000
   */
  socketChannelLimit?: number | false | null | undefined;
  /**
   * Milliseconds between two pings to a client.
   * @default 8000
   */
  pingInterval?: number | null | undefined;
  /**
   * Milliseconds without a sign of life after which a connection is closed, on both sides.
   * @default 20000
   */
  pingTimeout?: number | null | undefined;
  /**
   * Send no pings and close no connection for its silence. Clients must be told by their own option.
   * @default false
   */
  pingTimeoutDisabled?: boolean | null | undefined;
  /**
   * Emit an error when a middleware blocks something.
   * @default true
   */
  middlewareEmitFailures?: boolean | null | undefined;
  /**
   * The path of the upgrade requests, compared exactly; `null` for any.
   * @default '/socketcluster/'
   */
  path?: string | null | undefined;
  /**
   * Whether clients may publish.
   * @default true
   */
  allowClientPublish?: boolean | null | undefined;
  /**
   * Send messages in batches for a while after each handshake.
   * @default false
   */
  batchOnHandshake?: boolean | null | undefined;
  /**
   * How long, in milliseconds.
   * @default 400
   */
  batchOnHandshakeDuration?: number | null | undefined;
  /**
   * Milliseconds between two batches.
   * @default 50
   */
  batchInterval?: number | null | undefined;
  /**
   * What happens to the streams of a socket that closes: `'kill'` drops what is waiting in them, `'close'` lets
   * consumers finish, `'none'` leaves them open.
   * @default 'kill'
   */
  socketStreamCleanupMode?: StreamCleanupMode | null | undefined;
  /**
   * Close connections that send something before their handshake (4009).
   * @default true
   */
  strictHandshake?: boolean | null | undefined;
  /**
   * Copy data given to `transmit()` and `invoke()` at the call, so that later changes do not show.
   * @default false
   */
  cloneData?: boolean | null | undefined;
  /** Makes the request objects for calls of clients, instead of `AGRequest`. */
  requestCreator?: RequestCreator<AGServerSocket> | null | undefined;
  /**
   * Protection against clients that ask for too much: a preset, or single limits on top of one.
   * @default the preset 'default'
   */
  limits?: LimitPreset | Limits | null | undefined;
  /** What `server.sourcePort` says, where it differs from the port that is listened on. */
  sourcePort?: number | null | undefined;
  /** What `server.secure` says, behind a proxy that ends TLS. */
  secure?: boolean | null | undefined;
  /** What `server.host` says. */
  host?: string | null | undefined;
}

/** The options with all defaults filled in, as in `server.options`; unknown ones are kept. */
export interface ResolvedOptions extends Omit<ServerOptions, 'contract'> {
  contract?: ContractChecks | null | undefined;
  checkOutgoing: boolean;
  wsEngine: string | WebSocketModule | object;
  wsEngineServerOptions: Record<string, unknown>;
  authDefaultExpiry: number | string | null;
  userClaim: string;
  perMessageDeflate: boolean | object;
  maxPayload: number | null;
  protocolVersion: 1 | 2;
  handshakeTimeout: number;
  ackTimeout: number;
  origins: string | readonly string[];
  allowMissingOrigin: boolean;
  trustedProxies: readonly string[];
  socketChannelLimit: number | false | null;
  pingInterval: number;
  pingTimeout: number;
  pingTimeoutDisabled: boolean;
  middlewareEmitFailures: boolean;
  path: string | null;
  allowClientPublish: boolean;
  batchOnHandshake: boolean;
  batchOnHandshakeDuration: number;
  batchInterval: number;
  socketStreamCleanupMode: StreamCleanupMode;
  strictHandshake: boolean;
  cloneData: boolean;
  [unknown: string]: unknown;
}
