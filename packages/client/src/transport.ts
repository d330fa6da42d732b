import { sanitizeClose } from '@socketcluster-ts/core';
import type { ClientContext } from './client-context.js';
import { Timer } from './timer.js';
import type { RawWebSocket } from './web-socket.js';

/** Who uses a connection, and hears what becomes of it. */
export interface TransportOwner {
  /** The WebSocket is open; now comes the handshake. */
  transportOpened(): void;
  /** Every frame; a ping is answered already. */
  frameReceived(frame: unknown, isPing: boolean): void;
  /** The clock jumped, so that the server may not have been silent for as long as it seems: is it there? */
  transportDoubted(): void;
  /** The server was silent for too long. */
  transportSilent(): void;
  /** The connection ended by itself; `cause` is what the platform gave as its reason, if anything. */
  transportClosed(code: number, reason: string, cause: unknown): void;
}

/** How long the closing handshake may take before the connection is cut. */
const CLOSE_TIMEOUT_MS = 2000;

/** A timer that is later than this shows that the process slept. */
const SLEPT_MS = 1000;

/**
 * Owns one WebSocket, from its opening to its end, and for how long its server may be silent. Once it is closed from
 * this side its owner hears nothing of it any more, whatever still arrives.
 */
export class Transport {
  readonly socket: RawWebSocket;
  /** Resolves when the WebSocket is closed, or was cut because it did not close in time. */
  readonly closed: Promise<void>;
  bytesReceived = 0;
  /** How long the server may be silent, in milliseconds. */
  #pingTimeout: number;
  /** When the last ping came, or the WebSocket opened, by the clock of the environment. */
  #lastPing: number;
  #isProbing = false;
  #owner: TransportOwner | undefined;
  #failure: unknown;
  readonly #context: ClientContext;
  readonly #silence: Timer;
  #ending: Timer | undefined;

  constructor(owner: TransportOwner, socket: RawWebSocket, context: ClientContext) {
    const { settings, environment } = context;
    this.#owner = owner;
    this.socket = socket;
    this.#context = context;
    this.#pingTimeout = settings.connectTimeout;
    this.#lastPing = environment.now();
    this.#silence = new Timer(environment, () => this.#onSilence());
    socket.binaryType = settings.binaryType;
    socket.addEventListener('open', () => {
      if (!this.#owner) return;
      this.hearPing();
      this.#owner.transportOpened();
    });
    socket.addEventListener('message', ({ data }) => this.#onMessage(data));
    socket.on?.('pong', () => this.#onSignOfLife());
    // Followed by a close event, which takes care of everything.
    socket.addEventListener('error', ({ error }) => {
      this.#failure = error;
    });
    this.closed = new Promise((resolve) => {
      this.#ending = new Timer(environment, () => {
        socket.terminate?.();
        resolve();
      });
      socket.addEventListener('close', ({ code = 1005, reason = '' }) => {
        this.#ending?.stop();
        resolve();
        this.detach()?.transportClosed(code, reason, this.#failure);
      });
    });
  }

  /** Whether a ping is overdue, which a timer may not have noticed yet. */
  get isStale(): boolean {
    return !this.#context.settings.pingTimeoutDisabled && this.#overdueMs() >= 0;
  }

  send(frame: string | Uint8Array | ArrayBuffer): void {
    this.socket.send(frame);
  }

  /** Closes the WebSocket in the background. What it still brings is dropped. */
  close(givenCode: number, givenReason?: string): void {
    const { code, reason } = sanitizeClose(givenCode, givenReason);
    this.detach();
    this.#ending?.start(CLOSE_TIMEOUT_MS);
    try {
      this.socket.close(code, reason);
    } catch {
      // Browsers send no code below 3000 but this one.
      this.socket.close(1000, reason);
    }
  }

  /** Ends the WebSocket without waiting for the peer, which is thought to be gone. */
  cut(code: number): void {
    this.close(code);
    this.socket.terminate?.();
  }

  /** Parts from the owner, who is given back. */
  detach(): TransportOwner | undefined {
    const owner = this.#owner;
    this.#owner = undefined;
    this.#isProbing = false;
    this.#silence.stop();
    return owner;
  }

  /**
   * From now on the server has to show a sign of life within `probeTimeout`. It is asked for one, if the WebSocket can do
   * that; else the owner has to ask for something that is answered, when this gives true.
   */
  probe(): boolean {
    const { probeTimeout } = this.#context.settings;
    if (this.#isProbing || probeTimeout === 0) return false;
    this.#isProbing = true;
    this.#silence.start(probeTimeout);
    this.socket.ping?.();
    return this.socket.ping === undefined;
  }

  /** There was a sign of life that counts as a ping: from now on the server may be silent for `pingTimeout` ms. */
  hearPing(pingTimeout: number = this.#pingTimeout): void {
    const { settings, environment } = this.#context;
    this.#pingTimeout = pingTimeout;
    this.#isProbing = false;
    this.#lastPing = environment.now();
    if (settings.pingTimeoutDisabled) this.#silence.stop();
    else this.#silence.start(this.#pingTimeout);
  }

  #onMessage(frame: unknown): void {
    if (!this.#owner) return;
    const { byteLength, length = byteLength ?? 0 } = (frame ?? {}) as {
      length?: number;
      byteLength?: number;
    };
    const isV1 = this.#context.settings.protocolVersion === 1;
    const [ping, pong] = isV1 ? (['#1', '#2'] as const) : (['', ''] as const);
    const isPing = frame === ping;
    this.bytesReceived += length;
    this.#onSignOfLife();
    if (isPing) {
      this.hearPing();
      this.send(pong);
    }
    this.#owner.frameReceived(frame, isPing);
  }

  #onSignOfLife(): void {
    if (this.#isProbing) this.hearPing();
  }

  #overdueMs(): number {
    return this.#context.environment.now() - this.#lastPing - this.#pingTimeout;
  }

  #onSilence(): void {
    const { probeTimeout } = this.#context.settings;
    if (!this.#isProbing && probeTimeout > 0 && this.#overdueMs() > SLEPT_MS) this.#owner?.transportDoubted();
    else this.#owner?.transportSilent();
  }
}
