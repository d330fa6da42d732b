import {
  BadConnectionError,
  type CallSignal,
  type CodecEngine,
  type ContractGuard,
  closeReason,
  hydrateError,
  InvalidArgumentsError,
  isIgnoredStatus,
  jsonCodec,
  SocketProtocolError,
} from '@socketcluster-ts/core';
import { AuthState } from './auth-state.js';
import type { ClientContext } from './client-context.js';
import type { SocketState } from './client-events.js';
import type { ClientSettings } from './client-options.js';
import { Inbound, type InboundTarget } from './inbound.js';
import { Liveness } from './liveness.js';
import { Outbound, type OutboundLink } from './outbound.js';
import { Reconnect } from './reconnect.js';
import { socketUri } from './socket-uri.js';
import { Subscriptions } from './subscriptions.js';
import { Timer } from './timer.js';
import { TokenRefresh } from './token-refresh.js';
import { Transport, type TransportOwner } from './transport.js';

/** What this client knows beyond the protocol of `socketcluster-client`, as the handshake tells. */
const EXTENSIONS = ['abort', 'gap', 'retry'];

/** Half of what servers take that do not say how much they take. */
const DEFAULT_BATCH_BYTES = 512 * 1024;

/** How a connection ends, as far as it is not told by code and reason. */
interface End {
  /** What the platform gave as its reason. */
  readonly cause?: unknown;
  /** Whether the client will connect again. @default as the code says */
  readonly isFinal?: boolean;
  /** Whether another connection is opened at once, so that what waits is kept. */
  readonly isReplaced?: boolean;
}

/**
 * Owns the state of a client: whether it is connected, through which transport, and what the two ends agreed on. It
 * wires the parts, and takes them through connecting, opening and ending.
 */
export class Connection implements OutboundLink, InboundTarget, TransportOwner {
  state: SocketState = 'closed';
  id: string | null = null;
  transport: Transport | undefined;
  maxBatchBytes: number = DEFAULT_BATCH_BYTES;
  pingTimeout: number;
  readonly outbound: Outbound;
  readonly auth: AuthState;
  readonly subscriptions: Subscriptions;
  readonly inbound: Inbound;
  readonly reconnect: Reconnect;
  readonly #context: ClientContext;
  readonly #liveness: Liveness;
  readonly #refresh: TokenRefresh;
  /** Runs while the client is connecting. */
  readonly #attempt: Timer;
  /** Runs while a server that announced its close has not closed. */
  readonly #farewell: Timer;
  #extensions: readonly unknown[] = [];
  #guard: ContractGuard | undefined;
  /** Of the calls of the server whose signal somebody asked for. */
  readonly #calls = new Set<AbortController>();
  /** When the attempt began, and once it is open, when it was opened. */
  #since = 0;
  /** Resolves when all WebSockets that were given up are closed. */
  #closed: Promise<void> = Promise.resolve();

  constructor(context: ClientContext) {
    this.#context = context;
    this.pingTimeout = context.settings.connectTimeout;
    this.outbound = new Outbound(this, context);
    this.auth = new AuthState(context, () => {
      this.subscriptions.process();
      this.#refresh.plan();
    });
    this.#refresh = new TokenRefresh(context, this.auth);
    this.subscriptions = new Subscriptions(context, this.outbound, this.auth, () => this.isOpen);
    this.reconnect = new Reconnect(context, () => this.connect());
    this.inbound = new Inbound(this, context);
    this.#liveness = new Liveness(context, () => this.#doubt());
    this.#attempt = new Timer(context.environment, () => this.#lose(4007));
    // The server did not close after all.
    this.#farewell = new Timer(context.environment, () => this.outbound.flush());
  }

  get settings(): ClientSettings {
    return this.#context.settings;
  }

  get guard(): ContractGuard | undefined {
    const { contract } = this.settings;
    // Another one may come with `connect(options)`.
    if (this.#guard?.contract !== contract) this.#guard = contract?.guard(this.#context);
    return this.#guard;
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  get isWritable(): boolean {
    return this.isOpen && !this.#farewell.isRunning;
  }

  get codec(): CodecEngine {
    return this.settings.codecEngine ?? jsonCodec;
  }

  set codec(codecEngine: CodecEngine) {
    Object.assign(this.settings, { codecEngine });
  }

  answerer(): (packet: object) => void {
    const { transport } = this;
    // Each connection numbers its calls anew: a late answer would be taken for that of another call.
    return (packet) => this.outbound.sendObject(packet, this.isOpen && this.transport === transport);
  }

  /** A signal that is aborted when the connection ends, for a call of the server. */
  openSignal(): CallSignal {
    const controller = new AbortController();
    if (this.state === 'closed') controller.abort(connectionError('disconnect', 1001)('call'));
    else this.#calls.add(controller);
    return { signal: controller.signal, close: () => void this.#calls.delete(controller) };
  }

  knows(extension: string): boolean {
    // Until the handshake is answered the server may use what it was offered.
    return (this.isOpen ? this.#extensions : EXTENSIONS).includes(extension);
  }

  takeRetryHint(delayMs: number): void {
    this.reconnect.hintMs = delayMs;
  }

  /** What would be sent might cross the close of the server and be lost, so it waits for the next connection. */
  awaitClose(): void {
    if (!this.isOpen) return;
    this.#farewell.start(this.settings.ackTimeout);
    this.outbound.batcher.flushBatch();
  }

  /** The address of the next connection. */
  uri(): string {
    return socketUri(this.settings, this.#context.environment.now());
  }

  /** Begins to connect, unless that has happened. */
  connect(): void {
    const { face, environment } = this.#context;
    if (this.state !== 'closed') return;
    this.reconnect.cancel();
    this.state = 'connecting';
    this.#since = environment.now();
    this.#attempt.start(this.settings.connectTimeout);
    this.#liveness.start();
    this.#refresh.plan();
    face.emit('connecting', {});
    try {
      const socket = new environment.WebSocket(this.uri(), undefined, this.settings.wsOptions);
      this.transport = new Transport(this, socket, this.#context);
    } catch (cause) {
      // An address that is none. Whoever has just created the client cannot listen yet.
      queueMicrotask(() => {
        if (this.state === 'connecting' && !this.transport) this.#end(1006, '', { cause });
      });
    }
  }

  /** Closes the connection, or ends the attempt to connect, and does not connect again for now. */
  disconnect(given?: number | null, reason?: string, end: End = {}): void {
    const code = given || 1000;
    if (typeof code !== 'number') {
      throw new InvalidArgumentsError(
        `If specified, the code argument must be a number - Got ${typeof code}`,
      );
    }
    if (this.state === 'closed') {
      this.reconnect.cancel();
      this.#rest();
      if (!end.isReplaced)
        this.outbound.drop(connectionError('connectAbort', code, reason), { isFinal: true });
      return;
    }
    this.transport?.close(code, reason);
    this.#end(code, reason, end);
  }

  /** Ends for good, until `connect()`; resolves when the WebSocket is closed. */
  async close(code?: number, reason?: string): Promise<void> {
    this.disconnect(code, reason, { isFinal: true });
    await this.#closed;
  }

  /** Closes the connection and opens another one; what waits for a connection waits on. */
  replace(code?: number, reason?: string): void {
    this.disconnect(code, reason, { isReplaced: true });
    this.connect();
  }

  wake(): void {
    if (this.state === 'closed') {
      // differs: upstream gives up its delay for every message, so that a busy client hammers a server that is down.
      if (!this.reconnect.isBackingOff || this.settings.compat !== null) this.connect();
    } else if (this.isOpen && this.transport?.isStale)
      this.replace(1000, 'Stale socket was disconnected by the client to initiate a new connection');
  }

  write(frame: string | Uint8Array | ArrayBuffer): void {
    this.transport?.send(frame);
  }

  transportOpened(): void {
    void this.#shakeHands();
  }

  /** Shows the token and waits for the answer. Never rejects. */
  async #shakeHands(): Promise<void> {
    const { transport, auth } = this;
    const { signal: untilLogout } = auth.untilLogout;
    const isCurrent = (): boolean => this.transport === transport && this.state === 'connecting';
    try {
      const authToken = await this.#refresh.tokenForHandshake(await auth.load());
      if (!isCurrent()) return;
      const call = this.outbound.callNow('#handshake', { authToken, ext: EXTENSIONS }, (answer) => {
        if (isCurrent()) this.#open(answer, authToken, untilLogout.aborted);
      });
      await call.promise;
    } catch (error) {
      if (isCurrent()) this.#failHandshake(error);
    }
  }

  frameReceived(frame: unknown, isPing: boolean): void {
    this.inbound.accept(frame, isPing);
  }

  /** Asks for a sign of life: of a WebSocket of `ws` by a ping frame, else by a call that every server answers. */
  transportDoubted(): void {
    if (this.transport?.probe() !== true) return;
    const [event, data] = this.knows('abort') ? ['#abort', { cid: 0 }] : ['#unsubscribe', '#probe'];
    this.outbound.callNow(event, data).promise.catch(() => {});
  }

  transportSilent(): void {
    this.#lose(4000);
  }

  transportClosed(code: number, reason: string, cause: unknown): void {
    this.#end(code, closeReason(code, reason), { cause });
  }

  /** Subscribes what is pending; for who does it by himself. */
  processPendingSubscriptions(): void {
    this.subscriptions.isPreparing = false;
    this.subscriptions.process();
  }

  /** Gives the token up; resolves when the stored one is removed. */
  logOut(): Promise<void> {
    // While connecting nothing need be told, unless the token has been shown: that is seen when the answer comes.
    if (this.isOpen) this.#tellLogout();
    return this.auth.logOut();
  }

  /** It is about this connection: on the next one it would end a newer login. */
  #tellLogout(): void {
    this.outbound.transmitNow('#removeAuthToken');
  }

  #open(answer: unknown, authToken: string | null, hasLoggedOut: boolean): void {
    const { settings, auth, outbound, subscriptions, transport } = this;
    const { face, environment } = this.#context;
    const status = (typeof answer === 'object' ? answer : null) as Record<string, unknown> | null;
    const { id, pingTimeout, ext, maxPayload, isAuthenticated, authError } = status ?? {};
    this.state = 'open';
    this.#since = environment.now();
    this.#attempt.stop();
    if (outbound.isBatching) outbound.startBatching();
    else if (settings.batchOnHandshake)
      outbound.batcher.batchFor(settings.batchOnHandshakeDuration, settings.batchInterval);
    subscriptions.isPreparing = true;
    this.id = typeof id === 'string' ? id : null;
    this.pingTimeout = positive(pingTimeout) ?? this.pingTimeout;
    this.#extensions = Array.isArray(ext) ? ext : [];
    this.maxBatchBytes = (positive(maxPayload) ?? 2 * DEFAULT_BATCH_BYTES) / 2;
    transport?.hearPing(this.pingTimeout);
    if (isAuthenticated !== true) auth.leave();
    else if (hasLoggedOut) this.#tellLogout();
    else {
      auth.enter(authToken);
      auth.saveIfFresh();
    }
    this.#resetAttempts(0);
    if (settings.autoSubscribeOnConnect) this.processPendingSubscriptions();
    face.emit('connect', {
      ...(status && { ...status, authToken }),
      ...(authError !== undefined && { authError: hydrateError(authError) }),
      processPendingSubscriptions: () => this.processPendingSubscriptions(),
    });
    outbound.flush();
  }

  #failHandshake(error: unknown): void {
    const { statusCode } = (error ?? {}) as { statusCode?: unknown };
    const code = typeof statusCode === 'number' ? statusCode : 4003;
    // Not by assignment: an error may be frozen.
    if (error instanceof Error) Reflect.set(error, 'statusCode', code);
    this.#context.emitError(error);
    this.transport?.close(code);
    this.#end(code, error instanceof Error || typeof error !== 'object' ? String(error) : '');
  }

  /** Something happened that a connection may not have survived, or that makes one possible again. */
  #doubt(): void {
    const { probeTimeout } = this.settings;
    this.#refresh.plan();
    if (this.isOpen) this.transportDoubted();
    else if (this.reconnect.pendingReconnect) this.connect();
    else if (this.state === 'connecting' && probeTimeout > 0 && this.#lastedMs() > probeTimeout) {
      // An attempt that has taken so long was probably begun without a network.
      this.#lose(4007, { isReplaced: true });
      this.connect();
    }
  }

  #lastedMs(): number {
    return this.#context.environment.now() - this.#since;
  }

  /** The delays between attempts begin anew after a connection that lasted long enough. */
  #resetAttempts(lastedMs: number): void {
    if (lastedMs >= this.settings.autoReconnectOptions.stableAfter) this.reconnect.connectAttempts = 0;
  }

  /** Nothing is left to wait for. */
  #rest(): void {
    this.#liveness.stop();
    this.#refresh.stop();
  }

  /** The connection is thought to be dead. */
  #lose(code: number, end?: End): void {
    this.transport?.cut(code);
    this.#end(code, closeReason(code, ''), end);
  }

  #end(code: number, reason: string | undefined, end: End = {}): void {
    const { outbound, reconnect, transport } = this;
    const { face } = this.#context;
    const type = this.isOpen ? 'disconnect' : 'connectAbort';
    const makeError = connectionError(type, code, reason);
    if (this.isOpen) this.#resetAttempts(this.#lastedMs());
    this.state = 'closed';
    this.id = null;
    // Nothing is heard of the transport any more; it may take a moment to close.
    this.transport = undefined;
    transport?.detach();
    this.#closed = this.#closed.then(() => transport?.closed);
    for (const call of this.#calls) call.abort(makeError('call'));
    this.#calls.clear();
    const wasAnnounced = this.#farewell.isRunning;
    this.#farewell.stop();
    this.#attempt.stop();
    reconnect.cancel();
    const follows = !end.isFinal && !end.isReplaced && reconnect.follows(code);
    this.subscriptions.suspend();
    outbound.drop(makeError, { isFinal: !follows && !end.isReplaced, wasAnnounced });
    face.emit(type, { code, reason });
    face.emit('close', { code, reason });
    if (!isIgnoredStatus(code)) {
      const message =
        closeReason(code, '') ||
        `Socket connection closed with status code ${code}${reason ? ` and reason: ${reason}` : ''}`;
      this.#context.emitError(new SocketProtocolError(message, code, end));
    }
    if (follows) reconnect.schedule(code);
    else if (!end.isReplaced) this.#rest();
  }
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}

function connectionError(type: 'connectAbort' | 'disconnect', code: number, reason?: string) {
  return (event: string): Error =>
    new BadConnectionError(`Event ${event} was aborted due to a bad connection`, type, code, reason);
}
