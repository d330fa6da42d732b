import {
  type AuthTokenExpiredError,
  BadConnectionError,
  CallSignals,
  Deadline,
  type Extension,
} from '@socketcluster-ts/core';
import type { EngineSocket } from '../engine/engine.js';
import type { MiddlewareType } from '../middleware/action.js';
import type { MiddlewareStream } from '../middleware/middleware-stream.js';
import { MiddlewareStreams } from '../middleware/middleware-streams.js';
import { AuthState } from './auth-state.js';
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

/**
 * Owns the state of one connection and the parts that serve it. Only the library sees it.
 *
 * A part that most idle connections never need is made when it is first asked for; the methods here that only end or
 * look at such a part do not make it.
 */
export abstract class Connection implements HeartbeatOwner {
  state: SocketState = 'connecting';
  readonly socket: SocketFace;
  readonly server: SocketHost;
  readonly engine: EngineSocket;
  readonly protocolVersion: number;
  readonly settings: SocketSettings;
  readonly outbound: Outbound;
  /** What the client and the server agreed on in the handshake; `undefined` for a client that knows of none. */
  extensions: readonly Extension[] | undefined;
  #signals: CallSignals | undefined;
  #middleware: MiddlewareStreams | undefined;
  #auth: AuthState | undefined;
  #subscriptions: Subscriptions | undefined;
  #heartbeat: Heartbeat | undefined;
  #handshakeDeadline: Deadline<Connection> | undefined;

  constructor(socket: SocketFace, engine: EngineSocket, settings: SocketSettings) {
    const { server } = socket;
    this.socket = socket;
    this.server = server;
    this.engine = engine;
    this.settings = settings;
    this.protocolVersion = server.protocolVersion;
    this.outbound = new Outbound(this);
  }

  /** Closes the connection with a code of ours; nothing is said about it on the wire but the code. */
  abstract closeWith(code: number): void;

  get middleware(): MiddlewareStreams {
    return (this.#middleware ??= new MiddlewareStreams(this.server.middlewareFunctions, this.socket));
  }

  get auth(): AuthState {
    return (this.#auth ??= new AuthState(this));
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

  /** Deauthenticates the socket when its token is over; gives the error then. */
  expireTokenIfDue(): AuthTokenExpiredError | undefined {
    return this.#auth?.expireIfDue();
  }

  stopHandshakeDeadline(): void {
    if (this.#handshakeDeadline === undefined) return;
    this.server.deadlines.cancel(this.#handshakeDeadline);
    this.#handshakeDeadline = undefined;
  }

  stopClocks(): void {
    this.#heartbeat?.stop();
    this.#auth?.stop();
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
