import { CLOSE_CODES, Deadline } from '@socketcluster-ts/core';
import type { SocketContext } from './socket-context.js';

/** What the heartbeat asks of the socket it watches. */
export interface HeartbeatOwner extends SocketContext {
  readonly protocolVersion: number;
  closeWith(code: number): void;
}

const PING_V1 = '#1';
const PONG_V1 = '#2';

/** Whether an inbound frame is the answer to a ping. Only text frames count. */
export function isPong(frame: string | Buffer, protocolVersion: number): boolean {
  if (typeof frame !== 'string') return false;
  return frame === (protocolVersion === 1 ? PONG_V1 : '');
}

/**
 * Owns the ping and pong deadlines of one socket.
 *
 * Pings go out every `intervalMs`, whatever else is sent. A pong restarts the pong deadline on arrival; any other
 * frame does so only when a quarter of the timeout has passed since the last restart. All deadlines are nodes of
 * the server's one queue.
 */
export class Heartbeat {
  readonly #owner: HeartbeatOwner;
  readonly #intervalMs: number;
  readonly #ping: Deadline<Heartbeat>;
  readonly #pong: Deadline<Heartbeat>;
  #restartedAt: number;

  constructor(owner: HeartbeatOwner, intervalMs: number) {
    this.#owner = owner;
    this.#intervalMs = intervalMs;
    this.#ping = new Deadline(Heartbeat.#onPing, this);
    this.#pong = new Deadline(Heartbeat.#onPong, this);
    this.#restartedAt = performance.now();
  }

  static #onPing(this: void, heartbeat: Heartbeat): void {
    heartbeat.#sendPing();
  }

  static #onPong(this: void, heartbeat: Heartbeat): void {
    heartbeat.#owner.closeWith(CLOSE_CODES.PONG_TIMEOUT);
  }

  start(): void {
    const { deadlines, pingTimeout } = this.#owner.server;
    deadlines.schedule(this.#ping, this.#intervalMs);
    deadlines.schedule(this.#pong, pingTimeout);
  }

  stop(): void {
    const { deadlines } = this.#owner.server;
    deadlines.cancel(this.#ping);
    deadlines.cancel(this.#pong);
  }

  #sendPing(): void {
    const { server, engine, protocolVersion } = this.#owner;
    server.deadlines.schedule(this.#ping, this.#intervalMs);
    if (engine.isOpen) engine.send(protocolVersion === 1 ? PING_V1 : '');
  }

  /** A pong arrived. */
  onPong(): void {
    this.#restart(performance.now());
  }

  /** Any other frame arrived. */
  onInput(): void {
    const now = performance.now();
    if (now - this.#restartedAt > this.#owner.server.pingTimeout / 4) this.#restart(now);
  }

  #restart(now: number): void {
    this.#restartedAt = now;
    const { server } = this.#owner;
    server.deadlines.schedule(this.#pong, server.pingTimeout);
  }
}
