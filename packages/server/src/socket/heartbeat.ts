import { CLOSE_CODES, Deadline } from '@socketcluster-ts/core';
import type { SocketContext } from './socket-context.js';

/** What the heartbeat asks of the socket it watches. */
export interface HeartbeatOwner extends SocketContext {
  readonly protocolVersion: number;
  closeWith(code: number): void;
  cutOff(code: number, isUrgent: boolean): void;
}

/** How far the network had come with what waits, and when that was seen first. */
interface Progress {
  readonly mark: string;
  readonly since: number;
}

const PING_V1 = '#1';
const PONG_V1 = '#2';

/** Whether an inbound frame is the answer to a ping. Only text frames count. */
export function isPong(frame: string | Buffer, protocolVersion: number): boolean {
  if (typeof frame !== 'string') return false;
  return frame === (protocolVersion === 1 ? PONG_V1 : '');
}

/** Monotonic time in whole ms: a small integer costs no memory of its own. */
function monotonicMs(): number {
  return Math.floor(performance.now());
}

/**
 * Owns when one socket is pinged next, when it last gave a sign of life, and when it last took what was sent.
 *
 * Pings go out every interval, whatever else is sent. A pong is a sign of life on arrival; any other frame counts
 * as one only when a quarter of the timeout has passed since the last. A peer that sends and does not read is no better
 * than a dead one: when something waits and nothing of it has left for the timeout, the connection is cut. It is
 * itself the one deadline of them all, in the queue that all sockets of the server share.
 */
export class Heartbeat extends Deadline<HeartbeatOwner> {
  readonly #owner: HeartbeatOwner;
  readonly #intervalMs: number;
  #pingAt: number;
  #aliveAt: number;
  /** While something waits for the network. */
  #progress: Progress | undefined;
  #isSuspended = false;

  constructor(owner: HeartbeatOwner, intervalMs: number) {
    super(beat, owner);
    this.#owner = owner;
    this.#intervalMs = intervalMs;
    this.#aliveAt = monotonicMs();
    this.#pingAt = this.#aliveAt + intervalMs;
  }

  start(): void {
    this.#schedule(this.#aliveAt);
  }

  stop(): void {
    this.#owner.server.deadlines.cancel(this);
  }

  /** Something has begun to wait for the network. */
  watchProgress(): void {
    this.#noteProgress(monotonicMs());
  }

  #noteProgress(now: number): void {
    const { engine } = this.#owner;
    if (engine.unsentBytes - engine.heldBytes <= 0) {
      this.#progress = undefined;
      return;
    }
    const mark = engine.progress;
    if (this.#progress?.mark !== mark) this.#progress = { mark, since: now };
  }

  /** A pong arrived. */
  onPong(): void {
    this.#aliveAt = monotonicMs();
  }

  /** Any other frame arrived. */
  onInput(): void {
    const now = monotonicMs();
    if (now - this.#aliveAt > this.#owner.server.pingTimeout / 4) this.#aliveAt = now;
  }

  /** The server does not read: silence is no sign of death. Pings go on. */
  suspend(): void {
    this.#isSuspended = true;
  }

  /** The server reads again: the client has the full time for a sign of life. */
  restart(): void {
    this.#isSuspended = false;
    this.#giveTime(monotonicMs());
  }

  #giveTime(now: number): void {
    this.#aliveAt = now;
    if (this.#progress !== undefined) this.#progress = { ...this.#progress, since: now };
  }

  /** The next ping is due, or the socket has been silent for too long. Called by the queue. */
  override fire(): void {
    const { engine, server, protocolVersion } = this.#owner;
    const now = monotonicMs();
    if (this.#isSuspended) this.#giveTime(now);
    this.#noteProgress(now);
    if (this.#progress !== undefined && now - this.#progress.since >= server.pingTimeout) {
      this.#owner.cutOff(CLOSE_CODES.PONG_TIMEOUT, true);
      return;
    }
    if (now - this.#aliveAt >= server.pingTimeout) {
      this.#owner.closeWith(CLOSE_CODES.PONG_TIMEOUT);
      return;
    }
    if (now >= this.#pingAt) {
      this.#pingAt = now + this.#intervalMs;
      if (engine.isOpen) engine.send(protocolVersion === 1 ? PING_V1 : '');
    }
    this.#schedule(now);
  }

  #schedule(now: number): void {
    const { deadlines, pingTimeout } = this.#owner.server;
    // Mostly the interval: one list of the queue serves all sockets that answer.
    const lifeAt = Math.min(this.#aliveAt, this.#progress?.since ?? now);
    deadlines.schedule(this, Math.min(this.#pingAt, lifeAt + pingTimeout) - now);
  }
}

/** Never called: `fire()` is overridden. */
function beat(): void {}
