// oxlint-disable max-lines -- the public face: seventy documented names, each one line into a part
import type { IncomingMessage } from 'node:http';
import {
  AGRequest,
  type AnyContract,
  type AuthToken,
  type CallSignal,
  CLOSE_CODES,
  type Claims,
  cloneData,
  type DataArguments,
  errorStatuses,
  InvalidArgumentsError,
  ignoreStatuses,
  isReservedEvent,
  isTokenExpired,
  outgoingError,
  RpcHost,
  sanitizeClose,
  type Untyped,
} from '@socketcluster-ts/core';
import type { WritableConsumableStream } from '@socketcluster-ts/streams';
import type { EngineSocket, RawWebSocket } from '../engine/engine.js';
import type { AGExchange } from '../exchange/exchange.js';
import type { Publication } from '../exchange/publication.js';
import type { Gap, InvokeOptions, TransmitOptions } from '../exchange/subscriber.js';
import type { ActionsByMiddleware, MiddlewareType } from '../middleware/action.js';
import type { MiddlewareStream } from '../middleware/middleware-stream.js';
import type { AuthTokenOptions } from './auth-state.js';
import type { SocketSettings } from './connection.js';
import {
  checkMilliseconds,
  type FarewellOptions,
  type FarewellResult,
  MAX_DRAIN_MS,
  MAX_RETRY_DELAY_MS,
} from './farewell.js';
import { Lifecycle } from './lifecycle.js';
import type { Pressure } from './pressure.js';
import { recheckToken } from './recheck-token.js';
import type { DeliveryOptions, RequestCreator, SocketFace, SocketHost } from './socket-context.js';
import type { AuthenticationState, SocketEvents, SocketState } from './socket-events.js';

/** What all sockets of a server have in common. */
export interface ServerSocketSettings extends SocketSettings {
  readonly requestCreator: RequestCreator<AGServerSocket> | undefined;
}

/**
 * Owns one client connection: its identity, its state and the streams that carry its events, calls and messages.
 *
 * The server creates it when the upgrade is complete and emits `handshake`; it is `open` from its `connection` event
 * until it is closed. Everything that goes wrong on it is emitted as `error` here and as `warning` on the server.
 *
 * @typeParam C - the contract with the clients: names, data and claims are typed by it
 */
export class AGServerSocket<C extends AnyContract = Untyped> extends RpcHost<SocketEvents<C>, C> {
  static readonly CONNECTING = 'connecting';
  static readonly OPEN = 'open';
  static readonly CLOSED = 'closed';
  static readonly AUTHENTICATED = 'authenticated';
  static readonly UNAUTHENTICATED = 'unauthenticated';
  static readonly ignoreStatuses: Readonly<Record<number, string>> = ignoreStatuses;
  static readonly errorStatuses: Readonly<Record<number, string>> = errorStatuses;

  declare readonly CONNECTING: 'connecting';
  declare readonly OPEN: 'open';
  declare readonly CLOSED: 'closed';
  declare readonly AUTHENTICATED: 'authenticated';
  declare readonly UNAUTHENTICATED: 'unauthenticated';

  readonly id: string;
  /** The server it is connected to. */
  readonly server: SocketHost;
  readonly remoteAddress: string | undefined;
  readonly remoteFamily: string | undefined;
  readonly remotePort: number | undefined;
  /** The client's address as a trusted proxy reports it (option `trustedProxies`), or as something set it on the request. */
  declare forwardedForAddress?: string;
  readonly #settings: ServerSocketSettings;
  readonly #life: Lifecycle;

  constructor(id: string, server: SocketHost, engine: EngineSocket, settings: ServerSocketSettings) {
    super();
    this.id = id;
    this.server = server;
    const { request } = engine;
    // Read now, because a socket that is gone has forgotten them. Engines other than `ws` may put them on the request.
    const peer = (request.socket ?? request) as Partial<typeof request.socket>;
    this.remoteAddress = peer.remoteAddress;
    this.remoteFamily = peer.remoteFamily;
    this.remotePort = peer.remotePort;
    const { forwardedForAddress } = request as { forwardedForAddress?: string };
    if (forwardedForAddress) this.forwardedForAddress = forwardedForAddress;
    this.#settings = settings;
    this.#life = new Lifecycle(this.#face, engine, settings);
  }

  /** The socket as its parts see it: they know names and data at run time only. */
  get #face(): SocketFace {
    return this as unknown as AGServerSocket;
  }

  /** Called once by the server: begins to read and starts the clocks. */
  start(handshakeLeftMs: number, handshakeStream: MiddlewareStream | undefined): void {
    this.#life.start(handshakeLeftMs, handshakeStream);
  }

  /** The HTTP request the connection began with. */
  get request(): IncomingMessage {
    const { engine } = this.#life;
    engine.holdRequest();
    return engine.request;
  }

  /** The object of the WebSocket library. */
  get socket(): RawWebSocket {
    return this.#life.engine.raw;
  }

  get exchange(): AGExchange<C> {
    return this.server.exchange as unknown as AGExchange<C>;
  }

  get state(): SocketState {
    return this.#life.state;
  }

  get protocolVersion(): number {
    return this.#life.protocolVersion;
  }

  get authState(): AuthenticationState {
    return this.#life.auth.authState;
  }

  get authToken(): Claims<C> | null {
    return this.#life.auth.authToken;
  }

  get signedAuthToken(): string | null {
    return this.#life.auth.signedAuthToken;
  }

  /** The state; the same as the property. */
  getState(): SocketState {
    return this.state;
  }

  /** Payload bytes received so far. */
  getBytesReceived(): number {
    return this.#life.engine.bytesReceived;
  }

  /** Emits `error`, and `warning` on the server. */
  emitError(error: unknown): void {
    this.#face.emit('error', { error });
    this.server.emitWarning(error);
  }

  /** Called with what a function given to `each()` threw: emits `error`, here and on the server. */
  override handlerFailed(error: unknown): void {
    this.#face.emit('error', { error });
    this.server.emitError(error);
  }

  /**
   * Sends an event that is not answered. Resolves at once; on a socket that is not open, and for data that is not what
   * the contract says, an `error` event tells. With `whenWritable` it resolves when the event was handed over.
   * @throws {BadConnectionError} with `whenWritable`, when the connection is not open or ends before there is room
   */
  transmit<N extends keyof C['types']['events'] & string>(
    event: N,
    ...data: DataArguments<C['types']['events'][N]['input'], [options?: TransmitOptions]>
  ): Promise<void>;
  transmit(event?: unknown, data?: unknown, options?: TransmitOptions): Promise<void> {
    if (this.server.checkOutgoing) {
      const error = this.#outgoingError('event', event as string, data);
      if (error !== undefined) {
        this.emitError(error);
        return Promise.resolve();
      }
    }
    const payload = this.#settings.cloneData ? cloneData(data) : data;
    const { outbound } = this.#life;
    const send = (): Promise<void> => {
      outbound.transmit(event as string, payload, options);
      return Promise.resolve();
    };
    return options?.whenWritable === true ? outbound.whenWritable(event as string, payload, send) : send();
  }

  /**
   * Calls a procedure of the client and resolves with its answer.
   * @throws {TimeoutError} without an answer in time; {BadConnectionError} when the connection closed before it, or was
   *   not open; {InvalidDataError} for an argument that is not what the contract says (with `checkOutgoing`); otherwise
   *   the error the client answered with
   */
  invoke<N extends keyof C['types']['procedures'] & string>(
    event: N,
    ...data: DataArguments<C['types']['procedures'][N]['argument']['input'], [options?: InvokeOptions]>
  ): Promise<C['types']['procedures'][N]['result']['output']>;
  invoke(event?: unknown, data?: unknown, options?: InvokeOptions): Promise<unknown> {
    if (this.server.checkOutgoing) {
      const error = this.#outgoingError('argument', event as string, data);
      if (error !== undefined) return Promise.reject(error);
    }
    const payload = this.#settings.cloneData ? cloneData(data) : data;
    const { outbound } = this.#life;
    const send = (): Promise<unknown> => outbound.invoke(event as string, payload, options?.ackTimeout);
    return options?.whenWritable === true ? outbound.whenWritable(event as string, payload, send) : send();
  }

  #outgoingError(kind: 'event' | 'argument', name: string, data: unknown): Error | undefined {
    const { contract } = this.server;
    // Events of the protocol, which brokers send through here, are no part of a contract.
    if (contract === undefined || isReservedEvent(name)) return undefined;
    const checked = kind === 'event' ? contract.checkEvent(name, data) : contract.checkArgument(name, data);
    return outgoingError(checked, (error) => this.emitError(error));
  }

  /** The signal of a call of the client; requests ask for it. */
  openCallSignal(cid: number): CallSignal {
    return this.#life.signals.open(cid);
  }

  /** A call of the client has its answer; requests tell. */
  endCall(): void {
    if (this.#life.pendingCalls > 0) this.#life.pendingCalls -= 1;
  }

  /** Takes a message of the broker; a `transmit()` without a promise. */
  deliver(publication: Publication): void {
    // compat: who replaces transmit(), here or on the prototype, sees every message.
    if (this.transmit === ownTransmit) {
      this.#life.outbound.deliver(publication);
      return;
    }
    const options = { stringifiedData: publication.payload };
    const sent: unknown = this.transmit('#publish', publication.packet(), options);
    if (sent instanceof Promise) sent.catch((error: unknown) => this.emitError(error));
  }

  /** Tells the client that messages of a channel may be missing, if it knows what that is. */
  reportGap(gap: Gap): void {
    const { extensions, state, outbound } = this.#life;
    if (state === 'open' && extensions?.includes('gap') === true) outbound.transmit('#gap', gap);
  }

  /** Sends a message as it is, without encoding and past a batch; `options` go to the WebSocket library. */
  send(data: string | Uint8Array, options?: object): void {
    this.#life.engine.sendRaw(data, options);
  }

  /** Encodes and sends a packet past the ordered messages, into the batch if one is being buffered. */
  sendObject(object: unknown, _options?: unknown): void {
    this.#life.outbound.sendObject(object);
  }

  /** As `encode()`. */
  serializeObject(object: unknown): unknown {
    return this.server.codec.encode(object);
  }

  /** What the codec of the server makes of a value. */
  encode(object: unknown): unknown {
    return this.server.codec.encode(object);
  }

  /** What the codec of the server makes of a message. */
  decode(message: unknown): unknown {
    return this.server.codec.decode(message);
  }

  get isBatching(): boolean {
    return this.#life.outbound.isBatching;
  }

  get isBufferingBatch(): boolean {
    return this.#life.outbound.isBuffering;
  }

  get batchOnHandshake(): boolean {
    return this.#settings.batchOnHandshake;
  }

  get batchOnHandshakeDuration(): number {
    return this.#settings.batchOnHandshakeDuration;
  }

  get batchInterval(): number {
    return this.#settings.batchInterval;
  }

  /** Buffers what is sent from now on; keeps what is buffered already. */
  startBatch(): void {
    this.#life.outbound.batcher.startBatch();
  }

  /** Ends buffering and sends what was buffered as one frame. */
  flushBatch(): void {
    this.#life.outbound.batcher.flushBatch();
  }

  /** Ends buffering and drops what was buffered. */
  cancelBatch(): void {
    this.#life.outbound.batcher.cancelBatch();
  }

  /** Sends everything in batches, one each `batchInterval` ms. */
  startBatching(): void {
    this.#life.outbound.batcher.startBatching(this.batchInterval);
  }

  /** Ends batching and sends what was buffered. */
  stopBatching(): void {
    this.#life.outbound.batcher.stopBatching();
  }

  /** Ends batching and drops what was buffered. */
  cancelBatching(): void {
    this.#life.outbound.batcher.cancelBatching();
  }

  /**
   * Signs a token, authenticates the socket with it and sends it to the client. The socket is authenticated from the
   * call on. When signing fails the connection is closed with 4002.
   * @throws {InvalidActionError} before the handshake is complete; {AuthError} when the client did not confirm in time
   *   and `rejectOnFailedDelivery` is set; what the engine threw when it could not sign
   */
  setAuthToken(data: C['types']['token']['input'], options?: AuthTokenOptions): Promise<void> {
    return this.#life.auth.set(data as object, options, (error) => this.#life.failToSign(error));
  }

  /** The token; the same as the property. */
  getAuthToken(): Claims<C> | null {
    return this.authToken;
  }

  /** Forgets the token and tells the client to do the same. Subscriptions stay. */
  deauthenticate(options?: DeliveryOptions): Promise<void> {
    return this.#life.auth.deauthenticate(options);
  }

  /** Forgets the token; the client is not told. */
  deauthenticateSelf(): void {
    this.#life.auth.deauthenticateSelf();
  }

  /**
   * Judges the token of the socket again, by the keys of now and the option `isTokenRevoked`, and deauthenticates the
   * socket if it is bad. Resolves with whether that was so. What could not be found out is an `error` event, and the
   * token stays.
   */
  recheckToken(): Promise<boolean> {
    return this.#life.hasToken ? recheckToken(this.#life) : Promise.resolve(false);
  }

  /** Whether the time of a token is over. */
  isAuthTokenExpired(token: AuthToken | null): boolean {
    return isTokenExpired(token);
  }

  /** Emits that the socket is authenticated, and a change of state if `oldAuthState` was another one. */
  triggerAuthenticationEvents(oldAuthState: AuthenticationState): void {
    this.#life.auth.announce(oldAuthState);
  }

  /** A record of the channels, each `true`; made anew at each access. */
  get channelSubscriptions(): Record<string, true> {
    return this.#life.subscriptions.record();
  }

  get channelSubscriptionsCount(): number {
    return this.#life.subscriptions.count;
  }

  /** The channels of the client, those being subscribed included. */
  subscriptions(): string[] {
    return this.#life.subscriptions.names();
  }

  /** Whether the client is subscribed to the channel, or being subscribed. */
  isSubscribed(channelName: string | number): boolean {
    return this.#life.subscriptions.has(String(channelName));
  }

  /**
   * Tells the client that it left the channel (or channels; without a name all of them) and unsubscribes it. It may
   * subscribe again.
   * @throws {InvalidActionError} when it was not subscribed; the client is told all the same
   */
  kickOut(channel?: string | readonly string[], message?: string): Promise<void> {
    return this.#life.subscriptions.kickOut(channel, message);
  }

  /**
   * Closes the connection; what was sent before still goes out. A code that cannot be sent becomes 1000, a reason is
   * cut to 123 bytes. Without effect on a closed socket.
   */
  disconnect(code?: number, reason?: string): Promise<void> {
    if (code !== undefined && typeof code !== 'number') {
      this.emitError(new InvalidArgumentsError('If specified, the code argument must be a number'));
    }
    const close = sanitizeClose(code ?? CLOSE_CODES.NORMAL, reason);
    this.#life.close(close.code, close.reason, reason === undefined ? undefined : close.reason);
    return Promise.resolve();
  }

  /**
   * Ends the connection in good order: asks the client to come back after `retryDelay` ms (only clients that understand
   * it), lets what was received and the calls of both sides finish, for `timeout` ms at most, and closes with 1012.
   * Resolves when the connection is gone.
   * @default retryDelay 1000, timeout 10000
   * @throws {InvalidArgumentsError} that names the option, what was given and what is allowed
   */
  drain(options: Partial<FarewellOptions> = {}): Promise<FarewellResult> {
    const { retryDelay = 1000, timeout = 10_000 } = options;
    return this.#life.leave({
      retryDelay: checkMilliseconds('retryDelay', retryDelay, { most: MAX_RETRY_DELAY_MS }),
      timeout: checkMilliseconds('timeout', timeout, { most: MAX_DRAIN_MS }),
    });
  }

  /** Ends the connection at once, with 1006 for both sides; what was sent before is handed to the network first. */
  terminate(): void {
    this.#life.engine.terminate();
  }

  /** Makes the request object for a call of the client; the option `requestCreator` takes its place. */
  createRequest(
    socket: AGServerSocket,
    id: number,
    procedureName: string,
    data: unknown,
  ): AGRequest<AGServerSocket> {
    const { requestCreator } = this.#settings;
    if (requestCreator !== undefined) return requestCreator.call(socket, socket, id, procedureName, data);
    return new AGRequest<AGServerSocket>(socket, id, procedureName, data);
  }

  /** Makes an {@link AGRequest}; for a `requestCreator` that adds to it. */
  defaultRequestCreator(
    socket: AGServerSocket,
    id: number,
    procedureName: string,
    data: unknown,
  ): AGRequest<AGServerSocket> {
    return new AGRequest<AGServerSocket>(socket, id, procedureName, data);
  }

  get cloneData(): boolean {
    return this.#settings.cloneData;
  }

  get inboundReceivedMessageCount(): number {
    return this.#life.inbound.received;
  }

  get inboundProcessedMessageCount(): number {
    return this.#life.inbound.processed;
  }

  get outboundPreparedMessageCount(): number {
    return this.#life.outbound.prepared;
  }

  get outboundSentMessageCount(): number {
    const { prepared } = this.#life.outbound;
    return Math.max(prepared - this.getOutboundBackpressure() - this.outboundDroppedMessageCount, 0);
  }

  /** Messages of channels that were dropped because the client reads too slowly (`limits.onSlow`). */
  get outboundDroppedMessageCount(): number {
    return this.#life.outbound.dropped;
  }

  /** What waits to be sent to the client, how long, and where. */
  get pressure(): Pressure {
    return this.#life.outbound.pressure;
  }

  /** What arrives, for who wants to watch it; the outbound one likewise. */
  get inboundMessageStream(): WritableConsumableStream<string | Buffer> {
    return this.#life.inbound.stream;
  }

  get outboundPacketStream(): WritableConsumableStream<unknown> {
    return this.#life.outbound.stream;
  }

  get middlewareHandshakeStream(): MiddlewareStream<ActionsByMiddleware<AGServerSocket>['handshake']> {
    return this.#middlewareStream('handshake');
  }

  get middlewareInboundRawStream(): MiddlewareStream<ActionsByMiddleware<AGServerSocket>['inboundRaw']> {
    return this.#middlewareStream('inboundRaw');
  }

  get middlewareInboundStream(): MiddlewareStream<ActionsByMiddleware<AGServerSocket>['inbound']> {
    return this.#middlewareStream('inbound');
  }

  get middlewareOutboundStream(): MiddlewareStream<ActionsByMiddleware<AGServerSocket>['outbound']> {
    return this.#middlewareStream('outbound');
  }

  #middlewareStream<T extends MiddlewareType>(
    type: T,
  ): MiddlewareStream<ActionsByMiddleware<AGServerSocket>[T]> {
    return this.#life.middleware.stream(type) as never;
  }

  /** Messages received that have not been processed. */
  getInboundBackpressure(): number {
    return this.#life.inbound.waiting;
  }

  /** Messages that have not left this process. */
  getOutboundBackpressure(): number {
    return this.#life.outbound.waiting;
  }

  /** The highest backpressure of the socket, in messages. */
  getBackpressure(): number {
    return Math.max(
      this.getInboundBackpressure(),
      this.getOutboundBackpressure(),
      this.getAllListenersBackpressure(),
      this.getAllReceiversBackpressure(),
      this.getAllProceduresBackpressure(),
    );
  }

  /** Ends the middleware loops of this socket, once they have read what waits for them. */
  closeAllMiddlewares(): void {
    this.#life.closeMiddleware();
  }

  /** Ends the middleware loops of this socket at once. */
  killAllMiddlewares(): void {
    this.#life.killMiddleware();
  }

  /** Ends reading: what was received is processed, later messages are ignored. */
  closeInput(): void {
    void this.#life.inbound.end();
  }

  /** Ends reading: what was received and not processed is dropped, later messages are ignored. */
  killInput(): void {
    this.#life.inbound.kill();
  }

  /** Ends sending of events and calls: what waits is still sent, later ones fail as on a closed socket. */
  closeOutput(): void {
    this.#life.outbound.end();
  }

  /** Ends sending of events and calls: what waits is dropped, later ones fail as on a closed socket. */
  killOutput(): void {
    this.#life.outbound.kill();
  }

  /** `closeInput()` and `closeOutput()`. */
  closeIO(): void {
    this.closeInput();
    this.closeOutput();
  }

  /** `killInput()` and `killOutput()`. */
  killIO(): void {
    this.killInput();
    this.killOutput();
  }

  /** Closes the streams of the middlewares, of input and output, receivers, procedures and listeners. */
  closeAllStreams(): void {
    this.closeAllMiddlewares();
    this.closeIO();
    this.closeAllReceivers();
    this.closeAllProcedures();
    this.closeAllListeners();
  }

  /** Kills the streams of the middlewares, of input and output, receivers, procedures and listeners. */
  killAllStreams(): void {
    this.killAllMiddlewares();
    this.killIO();
    this.killAllReceivers();
    this.killAllProcedures();
    this.killAllListeners();
  }
}

for (const name of ['CONNECTING', 'OPEN', 'CLOSED', 'AUTHENTICATED', 'UNAUTHENTICATED'] as const) {
  Object.defineProperty(AGServerSocket.prototype, name, { value: AGServerSocket[name] });
}

const ownTransmit: unknown = Object.getOwnPropertyDescriptor(AGServerSocket.prototype, 'transmit')?.value;
