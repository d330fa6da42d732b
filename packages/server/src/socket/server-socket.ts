import type { IncomingMessage } from 'node:http';
import {
  AGRequest,
  type AuthToken,
  CLOSE_CODES,
  errorStatuses,
  ignoreStatuses,
  InvalidArgumentsError,
  isTokenExpired,
  RpcHost,
  sanitizeClose,
} from '@socketcluster-ts/core';
import type { WritableConsumableStream } from '@socketcluster-ts/streams';
import type { EngineSocketHandlers, RawWebSocket } from '../engine/engine.js';
import type { TransmitOptions } from '../exchange/broker-engine.js';
import type { AGExchange } from '../exchange/exchange.js';
import type { Publication } from '../exchange/publication.js';
import type { ActionsByMiddleware, MiddlewareType } from '../middleware/action.js';
import type { MiddlewareStream } from '../middleware/middleware-stream.js';
import type { AuthTokenOptions } from './auth-state.js';
import { cloneData } from './clone-data.js';
import { Connection, type ConnectionOptions } from './connection.js';
import { Inbound, onHandshakeTimeout } from './inbound.js';
import type { DeliveryOptions, SocketFace, SocketHost } from './socket-context.js';
import type { AuthenticationState, SocketEvents, SocketState } from './socket-events.js';
import { teardown } from './teardown.js';

/** Makes the request object for a call of the client, instead of `AGRequest`. `this` is the socket. */
export type RequestCreator = (
  socket: AGServerSocket,
  id: number,
  procedureName: string,
  data: unknown,
) => AGRequest<AGServerSocket>;

/** What an {@link AGServerSocket} is made from; the server makes them. */
export interface ServerSocketOptions extends Omit<ConnectionOptions, 'closeWith'> {
  readonly cloneData: boolean;
  readonly requestCreator: RequestCreator | undefined;
}

/** How long a call waits for its answer. */
export interface InvokeOptions extends TransmitOptions {
  /** Milliseconds; the default is the server's `ackTimeout`. */
  readonly ackTimeout?: number;
}

const resolved: Promise<void> = Promise.resolve();

/**
 * Owns one client connection: its identity, its state and the streams that carry its events, calls and messages.
 *
 * The server creates it when the upgrade is complete and emits `handshake`; it is `open` from its `connection` event
 * until it is closed. Everything that goes wrong on it is emitted as `error` here and as `warning` on the server.
 */
export class AGServerSocket extends RpcHost<SocketEvents> implements SocketFace, EngineSocketHandlers {
  static readonly CONNECTING = 'connecting';
  static readonly OPEN = 'open';
  static readonly CLOSED = 'closed';
  static readonly AUTHENTICATED = 'authenticated';
  static readonly UNAUTHENTICATED = 'unauthenticated';
  /** Close codes that are no errors, with their texts. */
  static readonly ignoreStatuses: Readonly<Record<number, string>> = ignoreStatuses;
  /** Close codes with their texts. */
  static readonly errorStatuses: Readonly<Record<number, string>> = errorStatuses;

  declare readonly CONNECTING: 'connecting';
  declare readonly OPEN: 'open';
  declare readonly CLOSED: 'closed';
  declare readonly AUTHENTICATED: 'authenticated';
  declare readonly UNAUTHENTICATED: 'unauthenticated';

  readonly id: string;
  /** The server it is connected to. */
  readonly server: SocketHost;
  /** The HTTP request the connection began with. */
  readonly request: IncomingMessage;
  readonly remoteAddress: string | undefined;
  readonly remoteFamily: string | undefined;
  readonly remotePort: number | undefined;
  /** The address a proxy reported, where something set `forwardedForAddress` on the request. */
  declare forwardedForAddress?: string;
  readonly #options: ServerSocketOptions;
  readonly #connection: Connection;
  readonly #inbound: Inbound;

  constructor(id: string, server: SocketHost, request: IncomingMessage, options: ServerSocketOptions) {
    super();
    this.id = id;
    this.server = server;
    this.request = request;
    // Read now, because a socket that is gone has forgotten them. Engines other than `ws` may put them on the request.
    const peer = (request.socket ?? request) as Partial<typeof request.socket>;
    this.remoteAddress = peer.remoteAddress;
    this.remoteFamily = peer.remoteFamily;
    this.remotePort = peer.remotePort;
    const { forwardedForAddress } = request as { forwardedForAddress?: string };
    if (forwardedForAddress) this.forwardedForAddress = forwardedForAddress;
    this.#options = options;
    this.#connection = new Connection(this, server, {
      ...options,
      closeWith: (code) => this.#close(code, '', undefined),
    });
    this.#inbound = new Inbound(this.#connection);
  }

  /** Begins to read and starts the clocks. Called once by the server. */
  start(): void {
    this.#connection.engine.start(this);
    this.#connection.start(onHandshakeTimeout);
  }

  /** Calls the middleware functions that are set now with the streams of this socket. Called once by the server. */
  startMiddleware(handshake: MiddlewareStream | undefined): void {
    const { middleware } = this.#connection;
    if (handshake !== undefined) middleware.adopt(handshake);
    middleware.line('inboundRaw');
    middleware.line('inbound');
    middleware.line('outbound');
  }

  onMessage(data: string | Buffer): void {
    this.#inbound.accept(data);
  }

  onError(error: Error): void {
    this.emitError(error);
  }

  onSendError(error: Error): void {
    this.emitError(error);
    // On a connection that is closing already the close event follows, with the real code.
    const { engine } = this.#connection;
    if (!engine.isOpen || this.state === 'closed') return;
    teardown(this.#connection, this.#inbound, CLOSE_CODES.HUNG_UP, String(error));
    engine.terminate();
  }

  onClose(code: number, reason: string): void {
    teardown(this.#connection, this.#inbound, code, reason);
  }

  /** The object of the WebSocket library. */
  get socket(): RawWebSocket {
    return this.#connection.engine.raw;
  }

  get exchange(): AGExchange {
    return this.server.exchange;
  }

  get state(): SocketState {
    return this.#connection.state;
  }

  get protocolVersion(): number {
    return this.#connection.protocolVersion;
  }

  get authState(): AuthenticationState {
    return this.#connection.auth.authState;
  }

  get authToken(): AuthToken | null {
    return this.#connection.auth.authToken;
  }

  get signedAuthToken(): string | null {
    return this.#connection.auth.signedAuthToken;
  }

  getState(): SocketState {
    return this.state;
  }

  /** Payload bytes received so far. */
  getBytesReceived(): number {
    return this.#connection.engine.bytesReceived;
  }

  emitError(error: unknown): void {
    this.emit('error', { error });
    this.server.emitWarning(error);
  }

  // ---- sending

  /**
   * Sends an event that is not answered. Resolves at once; never rejects. On a socket that is not open an `error`
   * event tells that it was not sent.
   */
  transmit(event: string, data?: unknown, options?: TransmitOptions): Promise<void> {
    this.#connection.outbound.transmit(event, this.#options.cloneData ? cloneData(data) : data, options);
    return resolved;
  }

  /**
   * Calls a procedure of the client and resolves with its answer.
   * @throws {TimeoutError} without an answer in time; {BadConnectionError} when the connection closed before it, or was
   *   not open; otherwise the error the client answered with
   */
  invoke(event: string, data?: unknown, options?: InvokeOptions): Promise<unknown> {
    const payload = this.#options.cloneData ? cloneData(data) : data;
    return this.#connection.outbound.invoke(event, payload, options?.ackTimeout);
  }

  /** Takes a message of the broker; a `transmit()` without a promise. */
  deliver(publication: Publication): void {
    // compat: who replaces transmit() sees every message.
    if (this.transmit === AGServerSocket.prototype.transmit) this.#connection.outbound.deliver(publication);
    else void this.transmit('#publish', publication.packet(), { stringifiedData: publication.payload });
  }

  /** Sends a message as it is, without encoding and past a batch; `options` go to the WebSocket library. */
  send(data: string | Uint8Array, options?: object): void {
    this.#connection.engine.sendRaw(data, options);
  }

  /** Encodes and sends a packet past the ordered messages, into the batch if one is being buffered. */
  sendObject(object: unknown, _options?: unknown): void {
    this.#connection.outbound.sendObject(object);
  }

  /** As `sendObject()` would encode it. */
  serializeObject(object: unknown): unknown {
    return this.encode(object);
  }

  encode(object: unknown): unknown {
    return this.server.codec.encode(object);
  }

  decode(message: unknown): unknown {
    return this.server.codec.decode(message);
  }

  // ---- batching

  get isBatching(): boolean {
    return this.#connection.outbound.isBatching;
  }

  get isBufferingBatch(): boolean {
    return this.#connection.outbound.isBuffering;
  }

  get batchOnHandshake(): boolean {
    return this.#options.batchOnHandshake;
  }

  get batchOnHandshakeDuration(): number {
    return this.#options.batchOnHandshakeDuration;
  }

  get batchInterval(): number {
    return this.#options.batchInterval;
  }

  /** Buffers what is sent from now on; keeps what is buffered already. */
  startBatch(): void {
    this.#connection.outbound.batcher.startBatch();
  }

  /** Ends buffering and sends what was buffered as one frame. */
  flushBatch(): void {
    this.#connection.outbound.batcher.flushBatch();
  }

  /** Ends buffering and drops what was buffered. */
  cancelBatch(): void {
    this.#connection.outbound.batcher.cancelBatch();
  }

  /** Sends everything in batches, one each `batchInterval` ms. */
  startBatching(): void {
    this.#connection.outbound.batcher.startBatching(this.batchInterval);
  }

  stopBatching(): void {
    this.#connection.outbound.batcher.stopBatching();
  }

  cancelBatching(): void {
    this.#connection.outbound.batcher.cancelBatching();
  }

  // ---- authentication

  /**
   * Signs a token, authenticates the socket with it and sends it to the client. The socket is authenticated from the
   * call on. When signing fails the connection is closed with 4002.
   * @throws {InvalidActionError} before the handshake is complete; {AuthError} when the client did not confirm in time
   *   and `rejectOnFailedDelivery` is set; what the engine threw when it could not sign
   */
  setAuthToken(data: object, options?: AuthTokenOptions): Promise<void> {
    return this.#connection.auth.set(data, options, (error) => {
      this.emitError(error);
      this.#close(CLOSE_CODES.SIGN_FAILED, '', String(error));
    });
  }

  getAuthToken(): AuthToken | null {
    return this.authToken;
  }

  /** Forgets the token and tells the client to do the same. Subscriptions stay. */
  deauthenticate(options?: DeliveryOptions): Promise<void> {
    return this.#connection.auth.deauthenticate(options);
  }

  /** Forgets the token; the client is not told. */
  deauthenticateSelf(): void {
    this.#connection.auth.deauthenticateSelf();
  }

  isAuthTokenExpired(token: AuthToken | null): boolean {
    return isTokenExpired(token);
  }

  /** Emits that the socket is authenticated, and a change of state if `oldAuthState` was another one. */
  triggerAuthenticationEvents(oldAuthState: AuthenticationState): void {
    this.#connection.auth.announce(oldAuthState);
  }

  // ---- channels

  /** A record of the channels, each `true`; made anew at each access. */
  get channelSubscriptions(): Record<string, true> {
    const record = Object.create(null) as Record<string, true>;
    for (const name of this.#connection.subscriptions.names()) record[name] = true;
    return record;
  }

  get channelSubscriptionsCount(): number {
    return this.#connection.subscriptions.count;
  }

  subscriptions(): string[] {
    return this.#connection.subscriptions.names();
  }

  isSubscribed(channelName: string): boolean {
    return this.#connection.subscriptions.has(channelName);
  }

  /**
   * Tells the client that it left the channel (or channels; without a name all of them) and unsubscribes it. It may
   * subscribe again.
   * @throws {InvalidActionError} when it was not subscribed; the client is told all the same
   */
  kickOut(channel?: string | readonly string[], message?: string): Promise<void> {
    return this.#connection.subscriptions.kickOut(channel, message);
  }

  // ---- closing

  /**
   * Closes the connection; what was sent before still goes out. A code that cannot be sent becomes 1000, a reason is
   * cut to 123 bytes. Without effect on a closed socket.
   */
  disconnect(code?: number, reason?: string): Promise<void> {
    if (code !== undefined && typeof code !== 'number') {
      this.emitError(new InvalidArgumentsError('If specified, the code argument must be a number'));
    }
    const close = sanitizeClose(code ?? CLOSE_CODES.NORMAL, reason);
    this.#close(close.code, close.reason, reason === undefined ? undefined : close.reason);
    return resolved;
  }

  /** Ends the connection at once, with 1006 for both sides. */
  terminate(): void {
    this.#connection.engine.terminate();
  }

  /** Closes with a code and reason on the wire, and another reason in the events. */
  #close(code: number, wireReason: string, shownReason: string | undefined): void {
    if (this.state === 'closed') return;
    const { outbound, engine } = this.#connection;
    outbound.flushForClose();
    teardown(this.#connection, this.#inbound, code, shownReason);
    engine.close(sanitizeClose(code, '').code, wireReason);
  }

  // ---- requests and streams

  /** Makes the request object for a call of the client. */
  createRequest(id: number, procedureName: string, data: unknown): AGRequest<AGServerSocket> {
    const { requestCreator } = this.#options;
    if (requestCreator !== undefined) return requestCreator.call(this, this, id, procedureName, data);
    return new AGRequest<AGServerSocket>(this, id, procedureName, data);
  }

  get cloneData(): boolean {
    return this.#options.cloneData;
  }

  get inboundReceivedMessageCount(): number {
    return this.#inbound.received;
  }

  get inboundProcessedMessageCount(): number {
    return this.#inbound.processed;
  }

  get outboundPreparedMessageCount(): number {
    return this.#connection.outbound.prepared;
  }

  get outboundSentMessageCount(): number {
    const { prepared } = this.#connection.outbound;
    return Math.max(prepared - this.getOutboundBackpressure(), 0);
  }

  /** The inbound messages, for who wants to watch them. */
  get inboundMessageStream(): WritableConsumableStream<string | Buffer> {
    return this.#inbound.stream;
  }

  /** The outbound events and calls, for who wants to watch them. */
  get outboundPacketStream(): WritableConsumableStream<unknown> {
    return this.#connection.outbound.stream;
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

  #middlewareStream<T extends MiddlewareType>(type: T): MiddlewareStream<ActionsByMiddleware<AGServerSocket>[T]> {
    return this.#connection.middleware.stream(type) as never;
  }

  /** Messages received that have not been processed. */
  getInboundBackpressure(): number {
    return this.state === 'closed' ? 0 : this.#inbound.waiting;
  }

  /** Messages that have not left this process. */
  getOutboundBackpressure(): number {
    return this.state === 'closed' ? 0 : this.#connection.outbound.waiting;
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

  closeAllMiddlewares(): void {
    this.#connection.middleware.closeAll();
  }

  killAllMiddlewares(): void {
    this.#connection.middleware.killAll();
  }

  /** Ends reading: what was received is still processed, later messages are ignored. */
  closeInput(): void {
    void this.#inbound.end();
  }

  /** Ends reading: what was received and not processed is dropped, later messages are ignored. */
  killInput(): void {
    this.#inbound.kill();
  }

  /** Ends sending of events and calls: what waits is still sent, later ones fail as on a closed socket. */
  closeOutput(): void {
    this.#connection.outbound.end();
  }

  /** Ends sending of events and calls: what waits is dropped, later ones fail as on a closed socket. */
  killOutput(): void {
    this.#connection.outbound.kill();
  }

  closeIO(): void {
    this.closeInput();
    this.closeOutput();
  }

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
