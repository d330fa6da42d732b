import {
  type AuthTokenExpiredError,
  BadConnectionError,
  CallSignals,
  CLOSE_CODES,
  Deadline,
  type Extension,
  ResourceLimitError,
} from '@socketcluster-ts/core';
import type { RevocationWatch } from '../auth/revocations.js';
import type { EngineSocket } from '../engine/engine.js';
import { FailureWindow } from '../limits/failure-window.js';
import type { MiddlewareType } from '../middleware/action.js';
import type { MiddlewareStream } from '../middleware/middleware-stream.js';
import { MiddlewareStreams } from '../middleware/middleware-streams.js';
import { AuthState } from './auth-state.js';
import type { CongestedSocket } from './congestion.js';
import { Heartbeat, type HeartbeatOwner } from './heartbeat.js';
import { Outbound } from './outbound.js';
import type { SocketFace, SocketHost } from './socket-context.js';
import type { SocketState, StreamCleanupMode } from './socket-events.js';
import { Subscriptions } from './subscriptions.js';

/** What all sockets of a server have in common. */
export interface SocketSettings {
  readonly batchOnHandshake: boolean;
  readonly batchOnHandshakeDuration: number;
  readonly batchInterval: number;
  readonly streamCleanupMode: StreamCleanupMode;
  readonly cloneData: boolean;
}

/** Why reading from a connection can pause: too much waits to be processed, or too much came. */
export const PAUSE_REASONS: { readonly QUEUE: 1; readonly RATE: 2 } = { QUEUE: 1, RATE: 2 };

/** One of {@link PAUSE_REASONS}. */
export type PauseReason = (typeof PAUSE_REASONS)[keyof typeof PAUSE_REASONS];

/** The limit of failed authentications is for so long, in ms. */
const AUTH_FAILURE_WINDOW_MS = 10_000;

/** How long calls without an answer count, at least, in ms. */
const RECOUNT_INTERVAL_MS = 60_000;

/** All of them together. */
const EVERY_REASON = 3;

/**
 * Owns the state of one connection and the parts that serve it. Only the library sees it.
 *
 * A part that most idle connections never need is made when it is first asked for; the methods here that only end or
 * look at such a part do not make it.
 */
export abstract class Connection implements HeartbeatOwner, CongestedSocket {
  state: SocketState = 'connecting';
  /** Its close is no error, whatever the code. */
  isDismissed = false;
  readonly socket: SocketFace;
  readonly server: SocketHost;
  readonly engine: EngineSocket;
  readonly protocolVersion: number;
  readonly settings: SocketSettings;
  readonly outbound: Outbound;
  /** What the client and the server agreed on in the handshake; `undefined` for a client that knows of none. */
  extensions: readonly Extension[] | undefined;
  /** Calls of the client that were handed to the application and have no answer yet; see {@link admitsCall}. */
  pendingCalls = 0;
  /** Since when they are counted, in monotonic ms. */
  #countedSince: number = Math.floor(performance.now());
  #signals: CallSignals | undefined;
  #middleware: MiddlewareStreams | undefined;
  #auth: AuthState | undefined;
  #login: RevocationWatch | undefined;
  #subscriptions: Subscriptions | undefined;
  #heartbeat: Heartbeat | undefined;
  #handshakeDeadline: Deadline<Connection> | undefined;
  #authFailures: FailureWindow | undefined;
  /** Why reading is paused: the reasons, added up. */
  #pausedFor = 0;

  constructor(socket: SocketFace, engine: EngineSocket, settings: SocketSettings) {
    const { server } = socket;
    this.socket = socket;
    this.server = server;
    this.engine = engine;
    this.settings = settings;
    this.protocolVersion = server.protocolVersion;
    this.outbound = new Outbound(this);
  }

  /** Closes the connection because the client does what no client may (1008); `what` it is, for the events. */
  closeForBreach(what: string): void {
    if (this.state === 'closed') return;
    this.socket.emitError(new ResourceLimitError(what));
    this.closeWith(CLOSE_CODES.POLICY_VIOLATION);
  }

  /** Closes the connection with a code of ours; nothing is said about it on the wire but the code. */
  abstract closeWith(code: number): void;

  /** The same, where nobody did anything wrong: it is no error. */
  abstract dismiss(code: number): void;

  /** Ends a connection whose peer does not read: what waits is dropped. `isUrgent` leaves no time for the close frame. */
  abstract cutOff(code: number, isUrgent: boolean): void;

  /** Whether the client agreed on an extension of the protocol. */
  knows(extension: Extension): boolean {
    return this.extensions?.includes(extension) === true;
  }

  get middleware(): MiddlewareStreams {
    return (this.#middleware ??= new MiddlewareStreams(this.server.middlewareFunctions, this.socket));
  }

  get auth(): AuthState {
    return (this.#auth ??= new AuthState(this));
  }

  /** The user whose socket this is, if it is authenticated and its token says so. */
  get userId(): string | undefined {
    return this.#auth?.userId;
  }

  get subscriptions(): Subscriptions {
    return (this.#subscriptions ??= new Subscriptions(this));
  }

  /** The signals of the client's calls. */
  get signals(): CallSignals {
    if (this.#signals === undefined) {
      this.#signals = new CallSignals();
      if (this.state === 'closed') {
        this.#signals.end(new BadConnectionError('The connection of the caller is closed', 'disconnect'));
      }
    }
    return this.#signals;
  }

  /** Aborts the signals of the client's calls. */
  endSignals(reason: Error): void {
    this.#signals?.end(reason);
  }

  get heartbeat(): Heartbeat | undefined {
    return this.#heartbeat;
  }

  /**
   * Whether another call of the client may be handed to the application. Nobody can tell a call that is slow from one that
   * is never answered, so once in a while the count begins anew: an application that leaves calls unanswered goes on.
   */
  admitsCall(): boolean {
    if (this.pendingCalls < this.server.limits.maxPendingCalls) return true;
    const now = Math.floor(performance.now());
    if (now - this.#countedSince < RECOUNT_INTERVAL_MS) return false;
    this.#countedSince = now;
    this.pendingCalls = 0;
    return true;
  }

  /** Notes that a token was refused; `true` when there were too many. */
  exceedsAuthFailures(): boolean {
    const { maxAuthFailures } = this.server.limits;
    if (maxAuthFailures === Infinity) return false;
    this.#authFailures ??= new FailureWindow(maxAuthFailures, AUTH_FAILURE_WINDOW_MS);
    return this.#authFailures.exceedsWith(performance.now());
  }

  /** Starts the clocks; `handshakeLeftMs` is what is left of the handshake timeout, `Infinity` for none. */
  protected startClocks(handshakeLeftMs: number, onHandshakeTimeout: (connection: Connection) => void): void {
    const { server } = this;
    if (!server.pingTimeoutDisabled) {
      this.#heartbeat = new Heartbeat(this, server.pingInterval);
      this.#heartbeat.start();
    }
    if (handshakeLeftMs !== Infinity) {
      this.#handshakeDeadline = new Deadline(onHandshakeTimeout, this);
      server.deadlines.schedule(this.#handshakeDeadline, Math.max(handshakeLeftMs, 1));
    }
  }

  /** Calls the middleware functions that are set now; `handshake` is where that line has been running before. */
  protected startMiddleware(handshake: MiddlewareStream | undefined): void {
    const { inboundRaw, inbound, outbound } = this.server.middlewareFunctions;
    if (handshake !== undefined) this.middleware.adopt(handshake);
    if (inboundRaw !== undefined) this.middleware.line('inboundRaw');
    if (inbound !== undefined) this.middleware.line('inbound');
    if (outbound !== undefined) this.middleware.line('outbound');
  }

  /** Pauses reading until all reasons for it are gone. Meanwhile the client need not give a sign of life. */
  pauseReading(reason: PauseReason): void {
    if (this.state === 'closed') return;
    const wasPaused = this.#pausedFor !== 0;
    this.#pausedFor |= reason;
    if (wasPaused) return;
    this.#heartbeat?.suspend();
    this.engine.pause();
  }

  /** This reason to pause is gone. */
  resumeReading(reason: PauseReason | typeof EVERY_REASON): void {
    if ((this.#pausedFor & reason) === 0) return;
    this.#pausedFor &= ~reason;
    if (this.#pausedFor !== 0) return;
    this.#heartbeat?.restart();
    this.engine.resume();
  }

  /** Whether the socket has a token. */
  get hasToken(): boolean {
    return (this.#auth?.authToken ?? null) !== null;
  }

  /** Deauthenticates the socket when its token is over; gives the error then. */
  expireTokenIfDue(): AuthTokenExpiredError | undefined {
    return this.#auth?.expireIfDue();
  }

  stopHandshakeDeadline(): void {
    if (this.#handshakeDeadline === undefined) return;
    this.server.deadlines.cancel(this.#handshakeDeadline);
    this.#handshakeDeadline = undefined;
  }

  /**
   * Follows revocations while the client logs in, which it does once at a time; the login may never end, as an engine or
   * middleware of the application's own may hang, so it is over with the connection at the latest.
   */
  beginLogin(): RevocationWatch | undefined {
    if (this.state === 'closed') return undefined;
    this.endLogin();
    return (this.#login = this.server.revocations.watch());
  }

  endLogin(): void {
    this.#login?.end();
    this.#login = undefined;
  }

  /** Ends all clocks and pauses: the connection is closed, and only the answer of the client is awaited. */
  stopClocks(): void {
    this.resumeReading(EVERY_REASON);
    this.#heartbeat?.stop();
    this.#auth?.stop();
    this.endLogin();
    this.stopHandshakeDeadline();
  }

  /** Ends the loops of one middleware line, or of all, once they have read what waits for them. */
  closeMiddleware(type?: MiddlewareType): void {
    if (type === undefined) this.#middleware?.closeAll();
    else this.#middleware?.close(type);
  }

  /** Ends the loops of all middleware lines at once. */
  killMiddleware(): void {
    this.#middleware?.killAll();
  }

  /** Leaves all channels; never rejects. */
  async leaveChannels(): Promise<void> {
    await this.#subscriptions?.leaveAll();
  }
}
