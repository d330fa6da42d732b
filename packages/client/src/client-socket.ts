// oxlint-disable max-lines -- the public face: a hundred documented names, each one line into a part
import {
  AGChannel,
  type AnyContract,
  addChannelMethods,
  BadConnectionError,
  type CallSignal,
  type ChannelArguments,
  type ChannelClient,
  type ChannelInput,
  type ChannelMessage,
  type ChannelMethods,
  type ChannelOptions,
  type ChannelState,
  type ChannelStreams,
  type ChannelStreamsOwner,
  type Claims,
  type CodecEngine,
  type DataArguments,
  errorStatuses,
  InvalidArgumentsError,
  ignoreStatuses,
  RpcHost,
  type SubscriptionInput,
  type Untyped,
  type WhenUntyped,
} from '@socketcluster-ts/core';
import { platformWebSocket } from '#web-socket';
import type { AuthenticateResult } from './auth-state.js';
import { checkName } from './check-name.js';
import type { ClientContext, ClientFace } from './client-context.js';
import type { AuthenticationState, ClientEvents, SocketState } from './client-events.js';
import type { ClientOptions, ClientSettings, InvokeOptions, TransmitOptions } from './client-options.js';
import { Connection } from './connection.js';
import { decodeBase64, encodeBase64 } from './decode-token.js';
import { completeEnvironment } from './environment.js';
import { resolveOptions } from './resolve-options.js';
import { type ClientAuthEngine, TokenStore } from './token-store.js';
import { version } from './version.js';
import type { RawWebSocket } from './web-socket.js';

const STATES = [
  'CONNECTING',
  'OPEN',
  'CLOSED',
  'AUTHENTICATED',
  'UNAUTHENTICATED',
  'SUBSCRIBED',
  'PENDING',
  'UNSUBSCRIBED',
] as const;

/** The families of streams that a client has. */
const FAMILIES = ['Channels', 'Receivers', 'Procedures', 'Listeners'] as const;

let connectionOf: (socket: AGClientSocket) => Connection;

/** The channel family of method names; see {@link ChannelMethods}. */
// oxlint-disable-next-line no-unused-vars, typescript/no-unsafe-declaration-merging -- addChannelMethods() below puts the family on the prototype, and the type parameter has to be repeated
export interface AGClientSocket<C extends AnyContract = Untyped> extends ChannelMethods {}

/**
 * Owns one client: its options and its parts. It connects when it is created, and again whenever a connection is lost;
 * what was subscribed is then subscribed anew, and what was sent meanwhile is sent.
 *
 * Nothing that goes wrong on the way is thrown into the application: it is an `error` event, or rejects the promise of
 * whoever waits.
 *
 * @typeParam C - the contract with the server: names, data and claims are typed by it
 */
export class AGClientSocket<C extends AnyContract = Untyped>
  extends RpcHost<ClientEvents<C>, C>
  implements ChannelStreamsOwner
{
  declare static readonly CONNECTING: 'connecting';
  declare static readonly OPEN: 'open';
  declare static readonly CLOSED: 'closed';
  declare static readonly AUTHENTICATED: 'authenticated';
  declare static readonly UNAUTHENTICATED: 'unauthenticated';
  declare static readonly SUBSCRIBED: 'subscribed';
  declare static readonly PENDING: 'pending';
  declare static readonly UNSUBSCRIBED: 'unsubscribed';
  static readonly ignoreStatuses: Readonly<Record<number, string>> = ignoreStatuses;
  static readonly errorStatuses: Readonly<Record<number, string>> = errorStatuses;

  declare readonly CONNECTING: 'connecting';
  declare readonly OPEN: 'open';
  declare readonly CLOSED: 'closed';
  declare readonly AUTHENTICATED: 'authenticated';
  declare readonly UNAUTHENTICATED: 'unauthenticated';
  declare readonly SUBSCRIBED: 'subscribed';
  declare readonly PENDING: 'pending';
  declare readonly UNSUBSCRIBED: 'unsubscribed';

  static {
    connectionOf = (socket) => socket.#connection;
  }

  /** The version of the library. */
  readonly version: string = version;
  /** Where the token is kept; its methods may be replaced. */
  auth: ClientAuthEngine;
  #options: ClientOptions;
  /** What was made of them: the options in force may be changed by the application. */
  #resolved: Readonly<Record<string, unknown>>;
  readonly #context: { -readonly [K in keyof ClientContext]: ClientContext[K] };
  readonly #connection: Connection;

  /** @throws {InvalidArgumentsError} for an option that cannot be what it is */
  constructor(options: ClientOptions<C> = {}) {
    super();
    // Applications give null, too.
    const given = (options ?? {}) as ClientOptions;
    const environment = completeEnvironment(platformWebSocket, given.environment);
    const settings = resolveOptions(given, environment);
    this.#options = given;
    this.#resolved = { ...settings };
    this.#context = {
      face: this.#face,
      environment,
      settings,
      emitError: (error) => this.#face.emit('error', { error }),
    };
    this.auth = settings.authEngine ?? new TokenStore();
    this.#connection = new Connection(this.#context);
    if (settings.autoConnect) this.connect();
  }

  /** The socket as its parts and channels see it: they know names and data at run time only. */
  get #face(): ClientFace & ChannelClient {
    return this as unknown as AGClientSocket;
  }

  /** The id that the server gave this connection; null without one. */
  declare readonly id: string | null;
  declare clientId: string;
  declare readonly state: SocketState;
  declare readonly authState: AuthenticationState;
  /** The claims of the token, not verified here. */
  declare readonly authToken: Claims<C> | null;
  declare readonly signedAuthToken: string | null;
  /** Whether an attempt to connect is scheduled. */
  declare readonly pendingReconnect: boolean;
  /** The delay of that attempt, in milliseconds; null when none is scheduled. */
  declare readonly pendingReconnectTimeout: number | null;
  /** How many attempts were scheduled since the delays began anew. */
  declare readonly connectAttempts: number;
  declare connectTimeout: number;
  declare ackTimeout: number;
  /** How long the server may be silent, in milliseconds; before the first handshake `connectTimeout`. */
  declare pingTimeout: number;
  declare pingTimeoutDisabled: boolean;
  declare channelPrefix: string | null;
  declare authTokenName: string;
  declare wsOptions: object;
  declare readonly protocolVersion: 1 | 2;
  declare batchOnHandshake: boolean;
  declare batchOnHandshakeDuration: number;
  declare batchInterval: number;
  declare codec: CodecEngine;
  /** The connection there is, or is being made; its `socket` is the WebSocket. */
  declare readonly transport: { readonly socket: RawWebSocket } | undefined;

  /** The options in force: those that were given, and the defaults. */
  get options(): ClientSettings {
    return this.#context.settings;
  }

  /** Whether the pending subscriptions of this connection wait for `processPendingSubscriptions()`. */
  get preparingPendingSubscriptions(): boolean {
    return this.#connection.subscriptions.isPreparing;
  }

  /** Whether `startBatching()` is in force. */
  get isBatching(): boolean {
    return this.#connection.outbound.isBatching;
  }

  /** Whether what is sent now is buffered. */
  get isBufferingBatch(): boolean {
    return this.#connection.outbound.batcher.isBuffering;
  }

  /** The streams of the channels. */
  get channelStreams(): ChannelStreams {
    return this.#connection.subscriptions.streams;
  }

  /** The claims of the token; the same as the property. */
  getAuthToken(): Claims<C> | null {
    return this.authToken;
  }

  /** The signed token; the same as the property. */
  getSignedAuthToken(): string | null {
    return this.signedAuthToken;
  }

  /** The state; the same as the property. */
  getState(): SocketState {
    return this.state;
  }

  /** Payload bytes received over the connection there is. */
  getBytesReceived(): number {
    return this.#connection.transport?.bytesReceived ?? 0;
  }

  /** The address that is connected to. */
  uri(): string {
    return this.#connection.uri();
  }

  /**
   * Connects, unless the client is connected or on its way. With new options, which are laid over those in force (what the
   * application has changed in them included), an existing connection is closed first.
   * @throws {InvalidArgumentsError} for an option that cannot be what it is
   */
  connect(options?: ClientOptions): void {
    if (options) {
      const { query, wsOptions, clientId } = this.options;
      // What the application has changed in the options in force stays.
      const changed = Object.entries(this.options).filter(([name, value]) => value !== this.#resolved[name]);
      const kept = { query, wsOptions, ...Object.fromEntries(changed) };
      const merged = overlay(overlay(this.#options, kept), options);
      const settings = resolveOptions(
        { ...merged, clientId: merged.clientId ?? clientId },
        this.#context.environment,
      );
      if (this.state !== 'closed') {
        const reason = 'Socket was disconnected by the client to initiate a new connection';
        this.#connection.disconnect(1000, reason, { isReplaced: true });
      }
      this.#options = merged;
      this.#context.settings = settings;
      this.#resolved = { ...settings };
      if (options.authEngine) this.auth = options.authEngine;
    }
    this.#connection.connect();
  }

  /**
   * Closes the connection, or ends the attempt to connect. Whether the client connects again follows from the code: it
   * does not after 1000, which is the default, and after 4500 and above.
   * @throws {InvalidArgumentsError} when the code is no number
   */
  disconnect(code?: number, reason?: string): void {
    this.#connection.disconnect(code, reason);
  }

  /** Closes the connection and opens another one at once. */
  reconnect(code?: number, reason?: string): void {
    this.#connection.replace(code, reason);
  }

  /**
   * Closes the connection and does not connect again, whatever the code. Resolves when the connection is closed; then
   * no timer and no handle of this client is left, and a script may end. `connect()` begins anew.
   */
  close(code?: number, reason?: string): Promise<void> {
    return this.#connection.close(code, reason);
  }

  /**
   * Sends an event that is not answered. Without a connection it waits for one, no longer than `ackTimeout`. Resolves at
   * once; a message that cannot be sent, and one that the contract does not allow, is told by an `error` event.
   */
  transmit<N extends keyof C['types']['events'] & string>(
    event: N,
    ...data: DataArguments<C['types']['events'][N]['input'], [options?: TransmitOptions]>
  ): Promise<void>;
  transmit(event?: unknown, data?: unknown, options?: TransmitOptions): Promise<void> {
    const { outbound } = this.#connection;
    return this.#guarded('transmit', event, data, async (name) => outbound.transmit(name, data, options));
  }

  /**
   * Calls a procedure of the server and resolves with its answer. Without a connection the call waits for one. Each
   * error has a field `delivery`: `'not-sent'`, `'unknown'` (it was sent, and may have had its effect) or `'refused'`.
   * @throws {TimeoutError} without an answer in time
   * @throws {BadConnectionError} when the connection ended before the answer, or could not be made
   * @throws {AbortError} when the `signal` was aborted
   * @throws {UnknownNameError} for a procedure that the contract does not have
   * @throws {InvalidDataError} for an answer that is not what the contract says
   * @throws {unknown} otherwise what the server answered with
   */
  invoke<N extends keyof C['types']['procedures'] & string>(
    event: N,
    ...data: DataArguments<C['types']['procedures'][N]['argument']['input'], [options?: InvokeOptions]>
  ): Promise<C['types']['procedures'][N]['result']['output']>;
  invoke(event?: unknown, data?: unknown, options?: InvokeOptions): Promise<unknown> {
    const { outbound } = this.#connection;
    return this.#guarded('invoke', event, data, (name) => outbound.invoke(name, data, options));
  }

  /** The signal of a call of the server; requests ask for it. */
  openCallSignal(_cid: number): CallSignal {
    return this.#connection.openSignal();
  }

  /** Publishes to a channel without an acknowledgement. A message that the contract does not allow is an `error` event. */
  transmitPublish<N extends C['types']['names']>(
    channelName: N,
    ...data: DataArguments<ChannelInput<C, N>>
  ): Promise<void>;
  transmitPublish(channelName?: unknown, data?: unknown): Promise<void> {
    const { subscriptions } = this.#connection;
    return this.#guarded('transmitPublish', channelName, data, async (name) =>
      this.#face.transmit('#publish', subscriptions.publication(name, data)),
    );
  }

  /** Publishes to a channel; rejects as `invoke()` does, also with {UnknownNameError} for a channel of no contract. */
  invokePublish<N extends C['types']['names']>(
    channelName: N,
    ...data: DataArguments<ChannelInput<C, N>>
  ): Promise<unknown>;
  invokePublish(channelName?: unknown, data?: unknown): Promise<unknown> {
    const { subscriptions } = this.#connection;
    return this.#guarded('invokePublish', channelName, data, async (name) =>
      this.#face.invoke('#publish', subscriptions.publication(name, data)),
    );
  }

  /** Sends what the contract allows; without one everything. */
  #guarded<R>(
    how: 'transmit' | 'invoke' | 'transmitPublish' | 'invokePublish',
    given: unknown,
    data: unknown,
    send: (name: string) => Promise<R>,
  ): Promise<R> {
    const name = given as string;
    const call = (): Promise<R> => send(name);
    // Each gives what `send()` gives, or rejects.
    return (this.#connection.guard?.[how](name, data, call as never) as Promise<R> | undefined) ?? call();
  }

  /** Sends a frame as it is, past everything that waits. */
  send(data: string | Uint8Array | ArrayBuffer): void {
    const { transport } = this.#connection;
    if (transport?.socket.readyState === 1) transport.send(data);
    else this.#context.emitError(new BadConnectionError('WebSocket is not open', 'disconnect'));
  }

  /** Encodes and sends a packet past the messages that wait, into the batch if one is being buffered. */
  sendObject(object: object): void {
    this.#connection.outbound.sendObject(object);
  }

  /** What the codec makes of a value. */
  encode(object: unknown): unknown {
    return this.codec.encode(object);
  }

  /** What the codec makes of a frame. */
  decode(message: unknown): unknown {
    return this.codec.decode(message);
  }

  /** Text in UTF-8 as base64. */
  encodeBase64(text: string): string {
    return encodeBase64(text);
  }

  /** The text that was encoded as base64. */
  decodeBase64(base64: string): string {
    return decodeBase64(base64);
  }

  /** Buffers what is sent from now on; keeps what is buffered already. */
  startBatch(): void {
    this.#connection.outbound.batcher.startBatch();
  }

  /** Ends buffering and sends what was buffered as one frame. */
  flushBatch(): void {
    this.#connection.outbound.batcher.flushBatch();
  }

  /** Ends buffering and drops what was buffered; calls among it are rejected. */
  cancelBatch(): void {
    this.#connection.outbound.cancelBatch();
  }

  /** Sends everything in batches, one each `batchInterval`, until stopped; over the next connection, too. */
  startBatching(): void {
    this.#connection.outbound.startBatching();
  }

  /** Ends batching and sends what was buffered. */
  stopBatching(): void {
    this.#connection.outbound.stopBatching();
  }

  /** Ends batching and drops what was buffered; calls among it are rejected. */
  cancelBatching(): void {
    this.#connection.outbound.cancelBatch();
    this.#connection.outbound.stopBatching();
  }

  /**
   * Shows a signed token to the server. Resolves with what it made of it; a token that it accepts is kept for later
   * connections.
   * @throws {AbortError} when `deauthenticate()` is called before the answer
   * @throws {unknown} when the server answered with an error, and as `invoke()`
   */
  authenticate(signedAuthToken: string): Promise<AuthenticateResult> {
    return this.#connection.auth.authenticate(signedAuthToken);
  }

  /** Forgets the token, and tells the server. Subscriptions stay. Resolves when the stored token is removed. */
  deauthenticate(): Promise<void> {
    return this.#connection.logOut();
  }

  /**
   * Subscribes to a channel, now or as soon as it can be, and gives it. For a channel that is subscribed already the
   * options are replaced.
   * @throws {UnknownNameError} for a channel that the contract does not have
   */
  subscribe<T = unknown>(
    ...untyped: WhenUntyped<C, [channelName: string, options?: ChannelOptions]>
  ): AGChannel<T>;
  subscribe<N extends C['types']['names']>(
    channelName: N,
    options?: ChannelOptions<SubscriptionInput<C, N>>,
  ): AGChannel<ChannelMessage<C, N>, ChannelInput<C, N>>;
  subscribe(channelName?: unknown, options?: ChannelOptions): unknown {
    const name = channelName as string;
    const error = this.#connection.guard?.channelError(name);
    if (error) throw error;
    this.#connection.subscriptions.subscribe(name, options);
    return new AGChannel(name, this.#face, this.channelStreams);
  }

  /** Ends a subscription. Messages of the channel that still arrive are not delivered. */
  unsubscribe(channelName: string): void {
    this.#connection.subscriptions.unsubscribe(channelName);
  }

  /**
   * A channel, subscribed or not. With a contract it may be asked for by its template, followed by the parameters; the
   * client needs the contract as an option for that.
   * @throws {InvalidArgumentsError} for parameters without a contract, and for wrong ones
   */
  channel<T = unknown>(...untyped: WhenUntyped<C, [channelName: string]>): AGChannel<T>;
  channel<N extends C['types']['names'] | (keyof C['types']['channels'] & string)>(
    channelName: N,
    ...parameters: ChannelArguments<C, N>
  ): AGChannel<ChannelMessage<C, N>, ChannelInput<C, N>>;
  channel(channelName?: unknown, parameters?: unknown): unknown {
    const { contract } = this.options;
    if (!contract && parameters instanceof Object)
      throw new InvalidArgumentsError('Parameters of a channel need the contract as an option');
    const name = contract?.channelName(channelName as string, parameters) ?? (channelName as string);
    checkName(name);
    return new AGChannel(name, this.#face, this.channelStreams);
  }

  /** The channels that are subscribed, or with `includePending` also those that are to be. */
  subscriptions(includePending?: boolean): string[] {
    return this.#connection.subscriptions.names(includePending);
  }

  /** Whether a channel is subscribed, or with `includePending` also whether it is to be. */
  isSubscribed(channelName: string, includePending?: boolean): boolean {
    return this.#connection.subscriptions.has(channelName, includePending);
  }

  /** Where the subscription to a channel stands. */
  getChannelState(channelName: string): ChannelState {
    return this.#connection.subscriptions.state(channelName);
  }

  /** How a channel was subscribed to, as a copy. */
  getChannelOptions(channelName: string): ChannelOptions {
    return this.#connection.subscriptions.options(channelName);
  }

  /** Subscribes the pending channels; for who has switched `autoSubscribeOnConnect` off. */
  processPendingSubscriptions(): void {
    this.#connection.processPendingSubscriptions();
  }

  /** The highest backpressure of all listeners, receivers, procedures and channels. */
  getBackpressure(): number {
    return Math.max(...FAMILIES.map((family) => this[`getAll${family}Backpressure`]()));
  }

  /** Lets all loops over streams of this client finish what waits for them, and ends them. */
  closeAllStreams(): void {
    for (const family of FAMILIES) this[`closeAll${family}`]();
  }

  /** Ends all loops over streams of this client at once. */
  killAllStreams(): void {
    for (const family of FAMILIES) this[`killAll${family}`]();
  }
}

addChannelMethods(AGClientSocket);
addProperties(
  ({ options }) => options,
  [
    'clientId',
    'connectTimeout',
    'ackTimeout',
    'pingTimeoutDisabled',
    'channelPrefix',
    'authTokenName',
    'wsOptions',
    'protocolVersion',
    'batchOnHandshake',
    'batchOnHandshakeDuration',
    'batchInterval',
  ],
);
addProperties(connectionOf, ['id', 'state', 'pingTimeout', 'codec', 'transport']);
addProperties((socket) => connectionOf(socket).auth, ['authState', 'authToken', 'signedAuthToken']);
addProperties(
  (socket) => connectionOf(socket).reconnect,
  ['pendingReconnect', 'pendingReconnectTimeout', 'connectAttempts'],
);
for (const name of STATES) {
  for (const target of [AGClientSocket, AGClientSocket.prototype])
    Object.defineProperty(target, name, { value: name.toLowerCase() });
}

/** Has the socket show what a part of it owns, under the same names. */
function addProperties<Part>(
  partOf: (socket: AGClientSocket) => Part,
  names: readonly (keyof Part & keyof AGClientSocket)[],
): void {
  for (const name of names) {
    Object.defineProperty(AGClientSocket.prototype, name, {
      get(this: AGClientSocket): unknown {
        return partOf(this)[name];
      },
      set(this: AGClientSocket, value: never): void {
        partOf(this)[name] = value;
      },
      configurable: true,
    });
  }
}

/** One set of options over another. One form of address takes the place of the other. */
function overlay(below: ClientOptions, above: ClientOptions): ClientOptions {
  const { host, hostname, port, ...rest } = below;
  const address = above.host
    ? {}
    : (above.hostname ?? above.port)
      ? { hostname, port }
      : { host, hostname, port };
  return { ...rest, ...address, ...above } as ClientOptions;
}
