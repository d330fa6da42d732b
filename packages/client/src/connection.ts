import {
  BadConnectionError,
  type CallSignal,
  type CodecEngine,
  type ContractGuard,
  closeReason,
  Deadline,
  hydrateError,
  InvalidArgumentsError,
  isIgnoredStatus,
  jsonCodec,
  type PendingCall,
  type ResponsePacket,
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
import type { Timers } from './timers.js';
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
  readonly #connectDeadline: Deadline<Connection>;
  readonly #probeDeadline: Deadline<Connection>;
  /** Until when a server has to close that announced it. */
  readonly #farewellDeadline: Deadline<Connection>;
  #isServerLeaving = false;
  #extensions: readonly unknown[] = [];
  #handshake: PendingCall | undefined;
  #guard: ContractGuard | undefined;
  /** Of the calls of the server whose signal somebody asked for. */
  readonly #calls = new Set<AbortController>();
  #shownToken: string | null = null;
  /** Whether the application has logged out since the token to show was looked up. */
  #untilLogout: AbortSignal | undefined;
  /** When the attempt began, and once it is open, when it was opened. */
  #since = 0;
  /** How much the transport had heard when it was probed. */
  #heardBefore = 0;
  /** The WebSockets that were given up, and are not closed yet. */
  readonly #closing = new Set<Transport>();

  constructor(context: ClientContext) {
    this.#context = context;
    this.pingTimeout = context.settings.connectTimeout;
    this.outbound = new Outbound(this, context.timers, context.environment);
    this.auth = new AuthState(context, () => {
      this.subscriptions.process();
      this.#refresh.plan();
    });
    this.#refresh = new TokenRefresh(context, this.auth);
    this.subscriptions = new Subscriptions(context, this.outbound, this.auth, () => this.isOpen);
    this.reconnect = new Reconnect(context, () => this.connect());
    this.inbound = new Inbound(this, context.face);
    this.#liveness = new Liveness(context, () => this.#doubt());
    this.#connectDeadline = new Deadline((connection: Connection) => connection.#lose(4007), this);
    this.#probeDeadline = new Deadline((connection: Connection) => connection.#judgeProbe(), this);
    this.#farewellDeadline = new Deadline((connection: Connection) => connection.#stay(), this);
  }

  get settings(): ClientSettings {
    return this.#context.settings;
  }

  get timers(): Timers {
    return this.#context.timers;
  }

  get guard(): ContractGuard | undefined {
    const { contract } = this.settings;
    // Another one may come with `connect(options)`.
    if (this.#guard?.contract !== contract) this.#guard = contract?.guard(this);
    return this.#guard;
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  get isWritable(): boolean {
    return this.isOpen && !this.#isServerLeaving;
  }

  get knowsAbort(): boolean {
    return this.knows('abort');
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
    this.reconnect.takeHint(delayMs);
  }

  /** What would be sent might cross the close of the server and be lost, so it waits for the next connection. */
  awaitClose(): void {
    if (!this.isOpen) return;
    this.#isServerLeaving = true;
    this.outbound.batcher.flushBatch();
    this.#context.timers.schedule(this.#farewellDeadline, this.settings.ackTimeout);
  }

  /** The server did not close after all. */
  #stay(): void {
    this.#isServerLeaving = false;
    this.outbound.flush();
  }

  get codec(): CodecEngine {
    return this.settings.codecEngine ?? jsonCodec;
  }

  emitError(error: unknown): void {
    this.#context.face.emit('error', { error });
  }

  /** The address of the next connection. */
  uri(): string {
    const { settings } = this;
    const now = String(this.#context.environment.now());
    return socketUri(settings, settings.timestampRequests ? [settings.timestampParam, now] : undefined);
  }

  /** Begins to connect, unless that has happened. */
  connect(): void {
    if (this.state !== 'closed') return;
    this.reconnect.cancel();
    this.state = 'connecting';
    this.#since = this.#context.environment.now();
    this.#context.timers.schedule(this.#connectDeadline, this.settings.connectTimeout);
    this.#liveness.start();
    this.#refresh.plan();
    this.#context.face.emit('connecting', {});
    const { WebSocket } = this.#context.environment;
    try {
      const socket = new WebSocket(this.uri(), undefined, this.settings.wsOptions);
      this.transport = new Transport(this, socket, this.#context);
    } catch (error) {
      // An address that is none. Whoever has just created the client cannot listen yet.
      queueMicrotask(() => {
        if (this.state === 'connecting' && this.transport === undefined)
          this.#end(1006, '', { cause: error });
      });
    }
  }

  /** Closes the connection, or ends the attempt to connect, and does not connect again for now. */
  disconnect(code: number = 1000, reason?: string, end: End = {}): void {
    if (typeof code !== 'number') {
      throw new InvalidArgumentsError(
        `If specified, the code argument must be a number - Got ${typeof code}`,
      );
    }
    if (this.state === 'closed') {
      this.reconnect.cancel();
      this.#rest();
      if (end.isReplaced !== true)
        this.outbound.drop(connectionError('connectAbort', code, reason), { isFinal: true });
      return;
    }
    const { transport } = this;
    transport?.close(code, reason);
    this.#end(code, reason, end);
  }

  /** Ends for good, until `connect()`; resolves when the WebSocket is closed. */
  async close(code?: number, reason?: string): Promise<void> {
    this.disconnect(code, reason, { isFinal: true });
    await Promise.all(Array.from(this.#closing, ({ closed }) => closed));
  }

  /** Closes the connection and opens another one; what waits for a connection waits on. */
  replace(code?: number, reason?: string): void {
    this.disconnect(code, reason, { isReplaced: true });
    this.connect();
  }

  wake(): void {
    if (this.state === 'closed') {
      // differs: upstream gives up its delay for every message, so that a busy client hammers a server that is down.
      if (!this.reconnect.isBackingOff || this.settings.compat === 'v20') this.connect();
    } else if (this.isOpen && this.transport?.isStale === true) {
      this.replace(1000, 'Stale socket was disconnected by the client to initiate a new connection');
    }
  }

  write(frame: string | Uint8Array | ArrayBuffer): void {
    this.transport?.send(frame);
  }

  transportOpened(): void {
    void this.#shakeHands();
  }

  frameReceived(frame: unknown, isPing: boolean): void {
    this.inbound.accept(frame, isPing);
  }

  transportSilent(isLate: boolean): void {
    if (isLate && this.settings.probeTimeout > 0) this.#probe();
    else this.#lose(4000);
  }

  transportClosed(code: number, reason: string, cause: unknown): void {
    this.#end(code, reason, { cause });
  }

  /** Takes an answer of the server. That to the handshake opens the connection before the next frame is read. */
  takeAnswer(packet: ResponsePacket): boolean {
    const isHandshake = this.#handshake !== undefined && packet.rid === this.#handshake.cid;
    const isKnown = this.outbound.settle(packet);
    if (isHandshake && !packet.error && this.state === 'connecting') this.#open(packet.data);
    return isKnown;
  }

  /** Subscribes what is pending; for who does it by himself. */
  processPendingSubscriptions(): void {
    this.subscriptions.isPreparing = false;
    this.subscriptions.process();
  }

  /** Shows the token and waits for the answer. Never rejects. */
  async #shakeHands(): Promise<void> {
    const { transport, auth, outbound } = this;
    const isCurrent = (): boolean => this.transport === transport && this.state === 'connecting';
    this.#untilLogout = auth.untilLogout.signal;
    try {
      const authToken = await this.#refresh.tokenForHandshake(await auth.load());
      if (!isCurrent()) return;
      this.#shownToken = authToken;
      const call = outbound.callNow('#handshake', { authToken, ext: EXTENSIONS }, this.settings.ackTimeout);
      this.#handshake = call;
      await call.promise;
    } catch (error) {
      if (isCurrent()) this.#failHandshake(error);
    }
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

  #open(answer: unknown): void {
    const { settings, auth, outbound, subscriptions, transport } = this;
    const status = (typeof answer === 'object' ? answer : null) as Record<string, unknown> | null;
    this.#handshake = undefined;
    this.state = 'open';
    this.#since = this.#context.environment.now();
    this.#context.timers.cancel(this.#connectDeadline);
    if (settings.batchOnHandshake)
      outbound.batcher.batchFor(settings.batchOnHandshakeDuration, settings.batchInterval);
    subscriptions.isPreparing = true;
    this.#readStatus(status ?? {});
    if (transport !== undefined) transport.pingTimeout = this.pingTimeout;
    if (status?.['isAuthenticated'] !== true || this.#shownToken === null) auth.leave();
    else if (this.#untilLogout?.aborted === true) this.#tellLogout();
    else {
      auth.enter(this.#shownToken);
      auth.saveIfFresh();
    }
    if (settings.autoReconnectOptions.stableAfter === 0) this.reconnect.reset();
    if (settings.autoSubscribeOnConnect) this.processPendingSubscriptions();
    const { authError } = status ?? {};
    this.#context.face.emit('connect', {
      ...status,
      ...(status === null ? undefined : { authToken: this.#shownToken }),
      ...(authError === undefined ? undefined : { authError: hydrateError(authError) }),
      processPendingSubscriptions: () => this.processPendingSubscriptions(),
    });
    outbound.flush();
  }

  #readStatus({ id, pingTimeout, ext, maxPayload }: Record<string, unknown>): void {
    this.id = typeof id === 'string' ? id : null;
    if (typeof pingTimeout === 'number' && pingTimeout > 0) this.pingTimeout = pingTimeout;
    this.#extensions = Array.isArray(ext) ? ext : [];
    const isLimited = typeof maxPayload === 'number' && maxPayload > 0;
    this.maxBatchBytes = isLimited ? maxPayload / 2 : DEFAULT_BATCH_BYTES;
  }

  #failHandshake(error: unknown): void {
    const { statusCode } = (error ?? {}) as { statusCode?: unknown };
    const code = typeof statusCode === 'number' ? statusCode : 4003;
    // Not by assignment: an error may be frozen.
    if (error instanceof Error) Reflect.set(error, 'statusCode', code);
    this.emitError(error);
    this.transport?.close(code, undefined);
    this.#end(code, error instanceof Error || typeof error !== 'object' ? String(error) : '');
  }

  /** Something happened that a connection may not have survived, or that makes one possible again. */
  #doubt(): void {
    this.#refresh.plan();
    if (this.isOpen) this.#probe();
    else if (this.state === 'closed') this.reconnect.hurry();
    else if (this.#isOverdue()) {
      // An attempt that has taken so long was probably begun without a network.
      this.transport?.cut(4007);
      this.#end(4007, undefined, { isReplaced: true });
      this.connect();
    }
  }

  #isOverdue(): boolean {
    const { probeTimeout } = this.settings;
    return probeTimeout > 0 && this.#context.environment.now() - this.#since > probeTimeout;
  }

  /** Asks for a sign of life: of a WebSocket of `ws` by a ping frame, else by a call that every server answers. */
  #probe(): void {
    const { transport, settings, outbound } = this;
    const { timers } = this.#context;
    if (transport === undefined || settings.probeTimeout === 0 || timers.has(this.#probeDeadline)) return;
    this.#heardBefore = transport.heard;
    timers.schedule(this.#probeDeadline, settings.probeTimeout);
    if (transport.ping()) return;
    const [event, data] = this.knows('abort') ? ['#abort', { cid: 0 }] : ['#unsubscribe', '#probe'];
    outbound.callNow(event, data, settings.ackTimeout).promise.catch(() => {});
  }

  #judgeProbe(): void {
    const { transport } = this;
    if (transport?.heard === this.#heardBefore) this.#lose(4000);
    else transport?.hearPing();
  }

  /** Nothing is left to wait for. */
  #rest(): void {
    this.#liveness.stop();
    this.#refresh.stop();
  }

  /** The connection is thought to be dead. */
  #lose(code: number): void {
    this.transport?.cut(code);
    this.#end(code, undefined);
  }

  /** Nothing is heard of the transport any more; it may take a moment to close. */
  #letGo(): void {
    const { transport } = this;
    this.transport = undefined;
    if (transport === undefined) return;
    transport.detach();
    this.#closing.add(transport);
    void transport.closed.then(() => this.#closing.delete(transport));
  }

  #end(code: number, given: string | undefined, end: End = {}): void {
    const { outbound, reconnect, settings } = this;
    const { face, environment, timers } = this.#context;
    const type = this.isOpen ? 'disconnect' : 'connectAbort';
    const reason = closeReason(code, given);
    const lastedMs = environment.now() - this.#since;
    if (this.isOpen && lastedMs >= settings.autoReconnectOptions.stableAfter) reconnect.reset();
    this.state = 'closed';
    this.id = null;
    this.#letGo();
    this.#handshake = undefined;
    for (const call of this.#calls) call.abort(connectionError(type, code, reason)('call'));
    this.#calls.clear();
    timers.cancel(this.#connectDeadline);
    timers.cancel(this.#probeDeadline);
    timers.cancel(this.#farewellDeadline);
    const wasAnnounced = this.#isServerLeaving;
    this.#isServerLeaving = false;
    reconnect.cancel();
    const reconnects = end.isFinal !== true && end.isReplaced !== true && reconnect.follows(code);
    this.subscriptions.suspend();
    outbound.drop(connectionError(type, code, reason), {
      isFinal: !reconnects && end.isReplaced !== true,
      wasAnnounced,
    });
    face.emit(type, { code, reason });
    face.emit('close', { code, reason });
    if (!isIgnoredStatus(code)) {
      const message =
        closeReason(code, '') ||
        `Socket connection closed with status code ${code}${given ? ` and reason: ${given}` : ''}`;
      const options = end.cause === undefined ? undefined : { cause: end.cause };
      this.emitError(new SocketProtocolError(message, code, options));
    }
    if (reconnects) reconnect.schedule(code);
    else if (end.isReplaced !== true) this.#rest();
  }
}

function connectionError(type: 'connectAbort' | 'disconnect', code: number, reason?: string) {
  return (event: string): Error =>
    new BadConnectionError(`Event ${event} was aborted due to a bad connection`, type, code, reason);
}
