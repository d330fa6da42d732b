import { Deadline } from '@socketcluster-ts/core';
import type { EngineSocket } from '../engine/engine.js';
import { MiddlewareStreams } from '../middleware/middleware-streams.js';
import { AuthState } from './auth-state.js';
import { Heartbeat, type HeartbeatOwner } from './heartbeat.js';
import { Outbound } from './outbound.js';
import type { SocketFace, SocketHost } from './socket-context.js';
import type { SocketState } from './socket-events.js';
import { Subscriptions } from './subscriptions.js';

/** What a connection is made from. */
export interface ConnectionOptions {
  readonly engine: EngineSocket;
  readonly protocolVersion: number;
  readonly pingInterval: number;
  /** What is left of the handshake timeout, in ms; `Infinity` for none. */
  readonly handshakeLeftMs: number;
  readonly batchOnHandshake: boolean;
  readonly batchOnHandshakeDuration: number;
  readonly batchInterval: number;
  readonly streamCleanupMode: string;
  /** Closes the connection with a code of ours. */
  readonly closeWith: (code: number) => void;
}

/** Owns the state of one connection and the parts that serve it. Only the library sees it. */
export class Connection implements HeartbeatOwner {
  state: SocketState = 'connecting';
  readonly socket: SocketFace;
  readonly server: SocketHost;
  readonly engine: EngineSocket;
  readonly protocolVersion: number;
  readonly options: ConnectionOptions;
  readonly middleware: MiddlewareStreams;
  readonly outbound: Outbound;
  readonly auth: AuthState;
  readonly subscriptions: Subscriptions;
  #heartbeat: Heartbeat | undefined;
  #handshakeDeadline: Deadline<Connection> | undefined;

  constructor(socket: SocketFace, server: SocketHost, options: ConnectionOptions) {
    this.socket = socket;
    this.server = server;
    this.options = options;
    this.engine = options.engine;
    this.protocolVersion = options.protocolVersion;
    this.middleware = new MiddlewareStreams(server.middlewareFunctions, (error) => socket.emitError(error));
    this.outbound = new Outbound(this, this.middleware);
    this.auth = new AuthState(this, this.outbound);
    this.subscriptions = new Subscriptions(this, this.outbound);
  }

  /** Starts the clocks. */
  start(onHandshakeTimeout: (connection: Connection) => void): void {
    const { server, options } = this;
    if (!server.pingTimeoutDisabled) {
      this.#heartbeat = new Heartbeat(this, options.pingInterval);
      this.#heartbeat.start();
    }
    if (options.handshakeLeftMs !== Infinity) {
      this.#handshakeDeadline = new Deadline(onHandshakeTimeout, this);
      server.deadlines.schedule(this.#handshakeDeadline, Math.max(options.handshakeLeftMs, 1));
    }
  }

  get heartbeat(): Heartbeat | undefined {
    return this.#heartbeat;
  }

  closeWith(code: number): void {
    this.options.closeWith(code);
  }

  stopHandshakeDeadline(): void {
    if (this.#handshakeDeadline === undefined) return;
    this.server.deadlines.cancel(this.#handshakeDeadline);
    this.#handshakeDeadline = undefined;
  }
}
