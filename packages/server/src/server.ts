// oxlint-disable max-lines -- the public face: documented names, each a few lines into a part
import {
  type AnyContract,
  type CodecEngine,
  type ContractChecks,
  DeadlineQueue,
  InvalidActionError,
  InvalidArgumentsError,
  ServerProtocolError,
  type Untyped,
} from '@socketcluster-ts/core';
import { AsyncStreamEmitter } from '@socketcluster-ts/streams';
import { Admission, type TurnAway } from './admission/admission.js';
import { TrustedProxies } from './admission/client-address.js';
import { AGAuthEngine, type AuthEngine } from './auth/auth-engine.js';
import { resolveAuthOptions } from './auth/auth-options.js';
import { type AuthKey, createKeyRing } from './auth/key-ring.js';
import { Revocations } from './auth/revocations.js';
import type {
  IsTokenRevoked,
  SignatureKey,
  TokenSignatureOptions,
  TokenVerificationOptions,
  VerificationKey,
} from './auth/token-options.js';
import { type UserId, UserIndex } from './auth/user-index.js';
import { Drain, type DrainOptions, type DrainResult } from './drain.js';
import { createEngine } from './engine/create-engine.js';
import type {
  EngineServer,
  EngineSocket,
  UpgradeInfo,
  UpgradeServer,
  UpgradeVerdict,
} from './engine/engine.js';
import { engineServerOptions } from './engine-server-options.js';
import type { BrokerEngine, BrokerExchange } from './exchange/broker-engine.js';
import type { AGExchange } from './exchange/exchange.js';
import { AGSimpleBroker } from './exchange/simple-broker.js';
import type { ServerStatus } from './health.js';
import { joinCluster } from './join-cluster.js';
import { jsonCodec } from './json-codec.js';
import type { ResolvedLimits } from './limits/limits.js';
import { type RateLimits, rateLimits } from './limits/rate-limits.js';
import type { ActionsByMiddleware, MiddlewareType } from './middleware/action.js';
import type { MiddlewareFunction } from './middleware/middleware-stream.js';
import type { ClusterNodes } from './nodes/cluster-nodes.js';
import { actElsewhere } from './nodes/cluster-users.js';
import { recheckTokens } from './recheck-tokens.js';
import { recordById } from './record-by-id.js';
import { resolveOptions } from './resolve-options.js';
import type { ServerEvents } from './server-events.js';
import type { ResolvedOptions, ServerOptions } from './server-options.js';
import { OutboundLedger } from './socket/outbound-ledger.js';
import { AGServerSocket, type ServerSocketSettings } from './socket/server-socket.js';
import type { SocketFace, SocketHost, SocketTwinEvents } from './socket/socket-context.js';
import { generateSocketId } from './socket-id.js';
import { HANDSHAKE_STREAM, UpgradeGate } from './upgrade-gate.js';
import { UserSockets, type UserSource } from './user-sockets.js';
import { warnOnce } from './warn.js';
import { watchBroker } from './watch-broker.js';

/** The function set for each middleware line. */
type FunctionsByLine = Record<MiddlewareType, MiddlewareFunction | undefined>;

/**
 * Owns the connected clients, the WebSocket engine, the broker and the middleware: the server.
 *
 * It serves as soon as it is constructed and its HTTP server listens; `ready` tells when the broker is ready too.
 * Nothing a client does makes it throw; what goes wrong is emitted as `warning`, or as `error` when it concerns the
 * server itself.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { AGServer } from '@socketcluster-ts/server';
 *
 * const httpServer = createServer();
 * const server = new AGServer({ httpServer, authKey: process.env['AUTH_KEY'] });
 * httpServer.listen(8000);
 *
 * for await (const { socket } of server.listener('connection')) {
 *   void socket.transmit('hello', `You are ${socket.id}`);
 * }
 * ```
 */
export class AGServer<C extends AnyContract = Untyped> extends AsyncStreamEmitter<ServerEvents<C>> {
  static readonly MIDDLEWARE_HANDSHAKE = 'handshake';
  static readonly MIDDLEWARE_INBOUND_RAW = 'inboundRaw';
  static readonly MIDDLEWARE_INBOUND = 'inbound';
  static readonly MIDDLEWARE_OUTBOUND = 'outbound';
  static readonly SYMBOL_MIDDLEWARE_HANDSHAKE_STREAM: typeof HANDSHAKE_STREAM = HANDSHAKE_STREAM;

  declare readonly MIDDLEWARE_HANDSHAKE: 'handshake';
  declare readonly MIDDLEWARE_INBOUND_RAW: 'inboundRaw';
  declare readonly MIDDLEWARE_INBOUND: 'inbound';
  declare readonly MIDDLEWARE_OUTBOUND: 'outbound';
  declare readonly SYMBOL_MIDDLEWARE_HANDSHAKE_STREAM: typeof HANDSHAKE_STREAM;

  /** What was given and the defaults. Later changes here have no effect; change the properties below. */
  readonly options: ResolvedOptions;
  /** Publishes and subscribes on behalf of the server. */
  readonly exchange: AGExchange<C>;
  readonly brokerEngine: BrokerEngine;
  /** The sockets whose handshake is complete, by id. */
  readonly clients: Record<string, AGServerSocket<C>> = recordById();
  clientsCount = 0;
  /** The sockets between the upgrade and the completion of their handshake, by id. */
  readonly pendingClients: Record<string, AGServerSocket<C>> = recordById();
  pendingClientsCount = 0;
  readonly httpServer: UpgradeServer;

  /** The contract that was given as an option. */
  readonly contract: ContractChecks | undefined;
  checkOutgoing: boolean;
  /** The largest inbound message in bytes; `Infinity` for no limit. */
  readonly maxPayload: number;
  /** Signs and verifies tokens. An engine of the user's may lack `signToken()`. */
  auth: Required<AuthEngine>;
  codec: CodecEngine;
  /** The key of the next signature. May be replaced at any time. */
  signatureKey: SignatureKey;
  /** The key of the next verification. May be replaced at any time. */
  verificationKey: VerificationKey;
  defaultSignatureOptions: TokenSignatureOptions;
  defaultVerificationOptions: TokenVerificationOptions;

  // Read at each use: a change takes effect at once. The ping interval and the protocol version do so for new sockets.
  ackTimeout: number;
  handshakeTimeout: number;
  pingInterval: number;
  pingTimeout: number;
  pingTimeoutDisabled: boolean;
  origins: string | readonly string[];
  allowClientPublish: boolean;
  perMessageDeflate: boolean | object;
  socketChannelLimit: number | false | null;
  protocolVersion: 1 | 2;
  strictHandshake: boolean;
  middlewareEmitFailures: boolean;
  /** The limits in force. */
  readonly limits: ResolvedLimits;
  /** How fast clients may send. @hidden */
  readonly rates: RateLimits | undefined;

  /** The functions set by `setMiddleware()`, by line. */
  readonly middlewareFunctions: Readonly<FunctionsByLine>;
  /** The one timer of all sockets. */
  readonly deadlines: DeadlineQueue;
  /** May be replaced at any time. */
  isTokenRevoked: IsTokenRevoked | undefined;
  readonly userClaim: string;
  /** Tells logins under way that tokens were revoked. @hidden */
  readonly revocations: Revocations = new Revocations();
  /** How much waits for all slow sockets. */
  readonly outboundLedger: OutboundLedger;
  /** The port given to `listen()`. */
  listenPort: number | null = null;

  readonly #engine: EngineServer;
  readonly #functions: FunctionsByLine;
  readonly #users = new UserIndex<SocketFace>();
  readonly #nodes: ClusterNodes;
  readonly #admission: Admission;
  readonly #gate: UpgradeGate;
  readonly #socketSettings: ServerSocketSettings;
  #drained: Promise<DrainResult> | undefined;
  #isClosed = false;
  #wasBrokerReady = false;

  /** @throws {InvalidOptionsError} that names the option, what was given and what is allowed */
  constructor(options: ServerOptions<C> = {}) {
    super();
    const { options: resolved, limits } = resolveOptions(options as unknown as ServerOptions);
    this.options = resolved;
    this.httpServer = resolved.httpServer as UpgradeServer;
    this.ackTimeout = resolved.ackTimeout;
    this.handshakeTimeout = resolved.handshakeTimeout;
    this.pingInterval = resolved.pingInterval;
    this.pingTimeout = resolved.pingTimeout;
    this.pingTimeoutDisabled = resolved.pingTimeoutDisabled;
    this.origins = resolved.origins;
    this.allowClientPublish = resolved.allowClientPublish;
    this.perMessageDeflate = resolved.perMessageDeflate;
    this.socketChannelLimit = resolved.socketChannelLimit;
    this.protocolVersion = resolved.protocolVersion;
    this.strictHandshake = resolved.strictHandshake;
    this.middlewareEmitFailures = resolved.middlewareEmitFailures;
    this.limits = limits;
    this.outboundLedger = new OutboundLedger(limits.totalOutboundBudget);
    this.rates = rateLimits(limits);
    this.#functions = {
      handshake: undefined,
      inboundRaw: undefined,
      inbound: undefined,
      outbound: undefined,
    };
    this.middlewareFunctions = this.#functions;
    this.deadlines = new DeadlineQueue({
      afterInput: (judge) => void setImmediate(judge),
      onError: (error) => this.emitError(error),
    });
    this.contract = resolved.contract ?? undefined;
    this.checkOutgoing = this.contract !== undefined && resolved.checkOutgoing;
    this.#admission = new Admission(this, new TrustedProxies(resolved.trustedProxies));
    this.#gate = new UpgradeGate(this.#host, this.#admission, resolved.allowMissingOrigin);

    const auth = resolveAuthOptions(options, { refuseShortSecrets: limits.preset === 'public' });
    if (auth.generatedKey !== undefined) resolved.authKey = auth.generatedKey;
    const { algorithm } = auth.defaultSignatureOptions;
    if (algorithm !== undefined) resolved.authAlgorithm = algorithm;
    this.signatureKey = auth.signatureKey;
    this.verificationKey = auth.verificationKey;
    this.defaultSignatureOptions = auth.defaultSignatureOptions;
    this.defaultVerificationOptions = auth.defaultVerificationOptions;
    this.userClaim = resolved.userClaim;
    this.isTokenRevoked = resolved.isTokenRevoked ?? undefined;
    this.auth = (resolved.authEngine ?? new AGAuthEngine()) as Required<AuthEngine>;
    this.codec = resolved.codecEngine ?? jsonCodec;
    this.#socketSettings = {
      batchOnHandshake: resolved.batchOnHandshake,
      batchOnHandshakeDuration: resolved.batchOnHandshakeDuration,
      batchInterval: resolved.batchInterval,
      streamCleanupMode: resolved.socketStreamCleanupMode,
      cloneData: resolved.cloneData,
      requestCreator: resolved.requestCreator ?? undefined,
    };
    for (const text of auth.warnings) warnOnce(text);
    if (this.#gate.admitsEverybody && process.env['NODE_ENV'] === 'production') {
      warnOnce('The origins option admits every website: list the origins of your pages');
    }

    const serverOptions = engineServerOptions(resolved, limits);
    this.maxPayload = Number(serverOptions['maxPayload']) || Infinity;
    this.#engine = createEngine(resolved.wsEngine, {
      httpServer: this.httpServer,
      serverOptions,
      verifyClient: (info, verdict) => this.verifyHandshake(info, verdict),
      onConnection: (socket) => this.#connect(socket),
      onError: (error) => this.emitError(error),
    });
    this.brokerEngine = resolved.brokerEngine ?? new AGSimpleBroker();
    this.brokerEngine.setCodecEngine(this.codec);
    const exchange: BrokerExchange = this.brokerEngine.exchange();
    this.exchange = exchange as unknown as AGExchange<C>;
    if (this.contract !== undefined) exchange.useContract?.(this.contract, this.checkOutgoing);
    this.#nodes = joinCluster(this.#host, this.#usersHere);
    this.#wasBrokerReady = watchBroker(this.brokerEngine, exchange, {
      onReady: () => this.#onBrokerReady(),
      emitError: (error) => this.emitError(error),
      emitWarning: (warning) => this.emitWarning(warning),
    });
  }

  /** The server as its parts see it: they know names and data at run time only. */
  get #host(): AGServer & SocketHost {
    return this as unknown as AGServer;
  }

  #onBrokerReady(): void {
    if (this.#isClosed || this.#drained !== undefined) return;
    this.#wasBrokerReady = true;
    this.emit('ready', {});
  }

  /** Whether the broker is ready, connected to other nodes if it has any, and the server neither drained nor closed. */
  get isReady(): boolean {
    return this.#wasBrokerReady && this.#isBrokerConnected && !this.#isClosed && this.#drained === undefined;
  }

  get #isBrokerConnected(): boolean {
    return (this.brokerEngine.status ?? 'connected') === 'connected';
  }

  /** How the server is; `healthHandler()` tells it a balancer. */
  get status(): ServerStatus {
    if (this.#isClosed) return 'closed';
    if (this.#drained !== undefined) return 'draining';
    if (!this.#wasBrokerReady) return 'starting';
    if (this.#admission.isOverloaded) return 'overloaded';
    return this.#isBrokerConnected ? 'ready' : 'degraded';
  }

  /** The server object of the WebSocket engine. */
  get wsServer(): unknown {
    return this.#engine.raw;
  }

  /** The port clients connect to: the option, the port that is listened on, or the one given to `listen()`. */
  get sourcePort(): number | null {
    const address = this.httpServer.address?.();
    const bound = typeof address === 'object' ? address?.port : undefined;
    return this.options.sourcePort ?? bound ?? this.listenPort;
  }

  /** Whether clients connect over TLS. */
  get secure(): boolean {
    return this.options.secure ?? 'setSecureContext' in this.httpServer;
  }

  /** The host name or address: the option, or what is listened on. */
  get host(): string | null {
    const address = this.httpServer.address?.();
    return this.options.host ?? (typeof address === 'object' ? address?.address : address) ?? null;
  }

  /** Messages of channels that were dropped so far because their clients read too slowly. */
  get outboundDroppedMessageCount(): number {
    return this.outboundLedger.dropped;
  }

  /** The path of the upgrade requests; `null` for any. */
  getPath(): string | null {
    return this.options.path;
  }

  /** A new socket id. May be replaced; ids must be unique. */
  generateId(): string {
    return generateSocketId();
  }

  /** The sockets of a user, to list or to act on. @throws {InvalidArgumentsError} for an id that names nobody */
  users(id: UserId): UserSockets<C> {
    return new UserSockets<C>(id, {
      ...this.#usersHere,
      elsewhere: (text, action) => actElsewhere(this.#nodes, { id: text, action }, this.ackTimeout),
    });
  }

  /** The users of this node only. */
  get #usersHere(): UserSource {
    return {
      socketsOf: (text) => this.#users.of(text),
      onRevocation: (text) => this.revocations.announce(text),
    };
  }

  /**
   * Judges the tokens of all sockets again, by the keys of now and `isTokenRevoked`; those whose token is bad are
   * deauthenticated. Resolves with how many that were. What cannot be found out is a `warning`, and the token stays.
   */
  recheckTokens(): Promise<number> {
    this.revocations.announce(undefined);
    return recheckTokens(Object.values(this.clients));
  }

  /** How many users have a socket here. */
  get usersCount(): number {
    return this.#users.size;
  }

  /** Replaces the auth engine for the next token. */
  setAuthEngine(authEngine: AuthEngine): void {
    this.auth = authEngine as Required<AuthEngine>;
  }

  /**
   * Replaces the keys for the next token: the first signs, all verify. Sockets keep the tokens they have; see
   * `recheckTokens()`.
   * @throws {InvalidOptionsError} for what is no list of keys, with `limits: 'public'` also for a short secret
   */
  setAuthKeys(authKeys: readonly AuthKey[]): void {
    const isPublic = this.limits.preset === 'public';
    const ring = createKeyRing(authKeys, { refuseShortSecrets: isPublic });
    this.signatureKey = ring.signatureKey;
    this.verificationKey = ring.keySource;
    const { algorithm, kid: keyid, algorithms } = ring;
    this.defaultSignatureOptions = { ...this.defaultSignatureOptions, algorithm, keyid };
    this.defaultVerificationOptions = { ...this.defaultVerificationOptions, algorithms };
    for (const text of ring.warnings) warnOnce(text);
  }

  /** Replaces the codec for the next message; all clients must use the same one. */
  setCodecEngine(codecEngine: CodecEngine): void {
    this.codec = codecEngine;
    this.brokerEngine.setCodecEngine(codecEngine);
  }

  /** Emits `error`; a text becomes a `ServerProtocolError`. */
  emitError(error: unknown): void {
    this.emit('error', { error: typeof error === 'string' ? new ServerProtocolError(error) : error });
  }

  /** Emits `warning`. */
  emitWarning(warning: unknown): void {
    this.emit('warning', { warning });
  }

  /** Emits what happened to a socket. Called by the sockets. */
  emitOfSocket<E extends keyof SocketTwinEvents<SocketFace>>(
    event: E,
    data: SocketTwinEvents<SocketFace>[E],
  ): void {
    // The sockets of this server are AGServerSockets.
    this.emit(event, data as never);
  }

  /**
   * Has a function decide about what clients do; see the four `MIDDLEWARE_` lines. It is called with a stream of
   * actions once per socket (`handshake`: once per upgrade request), sockets that are connected already included.
   * @throws {InvalidArgumentsError} for an unknown line or something that is no function; {InvalidActionError} when the
   *   line has a function
   */
  setMiddleware<T extends MiddlewareType>(
    type: T,
    middleware: MiddlewareFunction<ActionsByMiddleware<AGServerSocket<C>, C>[T]>,
  ): void {
    if (!Object.hasOwn(this.#functions, type)) {
      throw new InvalidArgumentsError(`Middleware ${type as string} type is not supported`);
    }
    if (typeof middleware !== 'function') {
      throw new InvalidArgumentsError(`The ${type} middleware must be a function - Got ${typeof middleware}`);
    }
    if (this.#functions[type] !== undefined) {
      throw new InvalidActionError(`Middleware ${type} type has already been set`);
    }
    this.#functions[type] = middleware as unknown as MiddlewareFunction;
  }

  /**
   * Takes a middleware function away: what it would have been asked about is allowed from now on. Without effect when
   * none is set, or another than the one given.
   */
  removeMiddleware<T extends MiddlewareType>(
    type: T,
    middleware?: MiddlewareFunction<ActionsByMiddleware<AGServerSocket<C>, C>[T]>,
  ): void {
    if (!this.hasMiddleware(type)) return;
    if (middleware !== undefined && (middleware as unknown) !== this.#functions[type]) return;
    this.#functions[type] = undefined;
  }

  /** Whether a function is set for the line. */
  hasMiddleware(type: MiddlewareType): boolean {
    return Object.hasOwn(this.#functions, type) && this.#functions[type] !== undefined;
  }

  /**
   * Judges an upgrade request by the room there is, origin and handshake middleware; the engine calls it. The verdict is
   * given once: yes, 429 or 503 without room, 401 with the message of a middleware block, 403 for the origin, 408 when
   * the middleware took too long.
   */
  verifyHandshake(info: UpgradeInfo, verdict: UpgradeVerdict): void {
    this.#gate.judge(info, verdict);
  }

  #connect(engine: EngineSocket): void {
    const { stream, spentMs } = this.#gate.take(engine.request);
    if (stream !== undefined) engine.holdRequest();
    const forwardedFor = this.#admission.forwardedFor(engine.request);
    const socket = new AGServerSocket<C>(this.generateId(), this.#host, engine, this.#socketSettings);
    if (forwardedFor !== undefined) socket.forwardedForAddress ??= forwardedFor;
    this.pendingClients[socket.id] = socket;
    this.pendingClientsCount += 1;
    socket.start(this.handshakeTimeout > 0 ? this.handshakeTimeout - spentMs : Infinity, stream);
    this.emit('handshake', { socket });
  }

  /** Whether, and how, handshakes are refused now. Called by the sockets. */
  turnAway(): TurnAway | undefined {
    return this.#admission.turnAway();
  }

  /** Moves a socket to the connected ones. Called by the socket when its handshake is complete. */
  admit(socket: SocketFace): void {
    const { id } = socket;
    if (this.pendingClients[id] !== socket) return;
    delete this.pendingClients[id];
    this.pendingClientsCount -= 1;
    this.clients[id] = socket as unknown as AGServerSocket<C>;
    this.clientsCount += 1;
  }

  /** Counts a socket to another user, or to none. Called by the socket. */
  moveToUser(socket: SocketFace, from: string | undefined, to: string | undefined): void {
    if (from !== undefined) this.#users.delete(from, socket);
    if (to !== undefined) this.#users.add(to, socket);
  }

  /** Forgets a socket. Called by the socket when it is closed. */
  release(socket: SocketFace): void {
    const { id } = socket;
    if (this.clients[id] === socket) {
      delete this.clients[id];
      this.clientsCount -= 1;
    } else if (this.pendingClients[id] === socket) {
      delete this.pendingClients[id];
      this.pendingClientsCount -= 1;
    }
  }

  /**
   * Sends all clients away in good order, before the process ends. From the call on the server is not ready and refuses
   * upgrade requests with 503. The clients are closed with 1012, evenly over the `spread`, each when its calls and the
   * calls to it are answered; clients that understand it are told when to come back. After the `timeout` the rest is
   * terminated. Resolves when nobody is connected any more; a second call gives the same promise.
   *
   * The server stays as it is then, until `close()`.
   * @throws {InvalidArgumentsError} that names the option, what was given and what is allowed
   */
  drain(options: DrainOptions = {}): Promise<DrainResult> {
    if (this.#drained !== undefined) return this.#drained;
    const drain = new Drain(options, this.deadlines);
    this.#admission.shutDown(drain.retryDelay);
    // Those that have not said who they are first: nothing of theirs is under way.
    this.#drained = drain.run([...Object.values(this.pendingClients), ...Object.values(this.clients)]);
    return this.#drained;
  }

  /**
   * Takes no more connections and terminates all sockets, unless `keepSocketsOpen`. The HTTP server stays open. Resolves
   * when the engine is closed.
   * @throws {Error} `The server is not running` when it was closed before
   */
  async close(keepSocketsOpen = false): Promise<void> {
    if (this.#isClosed) throw new Error('The server is not running');
    this.#isClosed = true;
    this.#nodes.close();
    this.#admission.stop();
    const closed = new Promise<void>((resolve, reject) => {
      this.#engine.close((error) => (error ? reject(error) : resolve()));
    });
    if (!keepSocketsOpen) {
      for (const socket of Object.values(this.pendingClients)) socket.terminate();
      for (const socket of Object.values(this.clients)) socket.terminate();
    }
    await closed;
  }
}

const CONSTANTS = [
  'MIDDLEWARE_HANDSHAKE',
  'MIDDLEWARE_INBOUND_RAW',
  'MIDDLEWARE_INBOUND',
  'MIDDLEWARE_OUTBOUND',
  'SYMBOL_MIDDLEWARE_HANDSHAKE_STREAM',
] as const;
for (const name of CONSTANTS) Object.defineProperty(AGServer.prototype, name, { value: AGServer[name] });
