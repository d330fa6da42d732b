import { Deadline } from '@socketcluster-ts/core';
import type { EngineSocket } from '../engine/engine.js';
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

/** Owns the state of one connection and the parts that serve it. Only the library sees it. */
export class Connection implements HeartbeatOwner {
  state: SocketState = 'connecting';
  readonly socket: SocketFace;
  readonly server: SocketHost;
  readonly engine: EngineSocket;
  readonly protocolVersion: number;
  readonly settings: SocketSettings;
  /** Closes the connection with a code of ours. */
  readonly closeWith: (code: number) => void;
  readonly middleware: MiddlewareStreams;
  readonly outbound: Outbound;
  readonly auth: AuthState;
  readonly subscriptions: Subscriptions;
  #heartbeat: Heartbeat | undefined;
  #handshakeDeadline: Deadline<Connection> | undefined;

  constructor(
    socket: SocketFace,
    engine: EngineSocket,
    settings: SocketSettings,
    closeWith: (code: number) => void,
  ) {
    const { server } = socket;
    this.socket = socket;
    this.server = server;
    this.engine = engine;
    this.settings = settings;
    this.closeWith = closeWith;
    this.protocolVersion = server.protocolVersion;
    this.middleware = new MiddlewareStreams(server.middlewareFunctions, (error) => socket.emitError(error));
    this.outbound = new Outbound(this, this.middleware);
    this.auth = new AuthState(this, this.outbound);
    this.subscriptions = new Subscriptions(this, this.outbound);
  }

  /** Starts the clocks; `handshakeLeftMs` is what is left of the handshake timeout, `Infinity` for none. */
  start(handshakeLeftMs: number, onHandshakeTimeout: (connection: Connection) => void): void {
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

  get heartbeat(): Heartbeat | undefined {
    return this.#heartbeat;
  }

  stopHandshakeDeadline(): void {
    if (this.#handshakeDeadline === undefined) return;
    this.server.deadlines.cancel(this.#handshakeDeadline);
    this.#handshakeDeadline = undefined;
  }
}
