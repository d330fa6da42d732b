import { Deadline, sanitizeClose } from '@socketcluster-ts/core';
import type { ClientContext } from './client-context.js';
import type { RawWebSocket } from './web-socket.js';

/** Who uses a connection, and hears what becomes of it. */
export interface TransportOwner {
  /** The WebSocket is open; now comes the handshake. */
  transportOpened(): void;
  /** Every frame; a ping is answered already. */
  frameReceived(frame: unknown, isPing: boolean): void;
  /** The server was silent for too long. `isLate` when the clock jumped meanwhile, so that it may not have been. */
  transportSilent(isLate: boolean): void;
  /** The connection ended by itself; `cause` is what the platform gave as its reason, if anything. */
  transportClosed(code: number, reason: string, cause: unknown): void;
}

/** How long the closing handshake may take before the connection is cut. */
const CLOSE_TIMEOUT_MS = 2000;

/** A timer that is later than this shows that the process slept. */
const SLEPT_MS = 1000;

/**
 * Owns one WebSocket, from its opening to its end, and the deadline of the pings that come over it. Once it is closed
 * from this side its owner hears nothing of it any more, whatever still arrives.
 */
export class Transport {
  readonly socket: RawWebSocket;
  /** Resolves when the WebSocket is closed, or was cut because it did not close in time. */
  readonly closed: Promise<void>;
  /** When the last ping came, or the WebSocket opened, by the clock of the environment. */
  lastPing: number;
  bytesReceived = 0;
  /** How many signs of life there were: frames, and answers to `ping()`. */
  heard = 0;
  #owner: TransportOwner | undefined;
  #pingTimeout: number;
  #failure: unknown;
  readonly #context: ClientContext;
  readonly #silence: Deadline<Transport>;
  readonly #ending: Deadline<Transport>;

  constructor(owner: TransportOwner, socket: RawWebSocket, context: ClientContext) {
    this.#owner = owner;
    this.socket = socket;
    this.#context = context;
    const { settings, environment } = context;
    this.#pingTimeout = settings.connectTimeout;
    this.lastPing = environment.now();
    let resolveClosed: (() => void) | undefined;
    this.closed = new Promise((resolve) => {
      resolveClosed = resolve;
    });
    this.#silence = new Deadline((transport: Transport) => transport.#onSilence(), this);
    this.#ending = new Deadline((transport: Transport) => {
      transport.socket.terminate?.();
      resolveClosed?.();
    }, this);
    socket.binaryType = settings.binaryType;
    socket.addEventListener('open', () => {
      if (this.#owner === undefined) return;
      this.hearPing();
      this.#owner.transportOpened();
    });
    socket.addEventListener('message', ({ data }) => this.#onMessage(data));
    socket.on?.('pong', () => {
      this.heard++;
    });
    // Followed by a close event, which takes care of everything.
    socket.addEventListener('error', ({ error }) => {
      this.#failure = error;
    });
    socket.addEventListener('close', ({ code, reason }) => {
      context.timers.cancel(this.#ending);
      resolveClosed?.();
      this.detach()?.transportClosed(code ?? 1005, reason ?? '', this.#failure);
    });
  }

  /** How long the server may be silent, in milliseconds. */
  get pingTimeout(): number {
    return this.#pingTimeout;
  }

  set pingTimeout(pingTimeout: number) {
    this.#pingTimeout = pingTimeout;
    this.hearPing();
  }

  /** Whether a ping is overdue, which a timer may not have noticed yet. */
  get isStale(): boolean {
    const { environment, settings } = this.#context;
    return !settings.pingTimeoutDisabled && environment.now() - this.lastPing >= this.#pingTimeout;
  }

  send(frame: string | Uint8Array | ArrayBuffer): void {
    this.socket.send(frame);
  }

  /** Closes the WebSocket in the background. What it still brings is dropped. */
  close(code: number, reason: string | undefined): void {
    this.detach();
    const close = sanitizeClose(code, reason);
    this.#context.timers.schedule(this.#ending, CLOSE_TIMEOUT_MS);
    try {
      this.socket.close(close.code, close.reason);
    } catch {
      // Browsers send no code below 3000 but this one.
      this.socket.close(1000, close.reason);
    }
  }

  /** Ends the WebSocket without waiting for the peer, which is thought to be gone. */
  cut(code: number): void {
    this.close(code, undefined);
    this.socket.terminate?.();
  }

  /** Parts from the owner, who is given back. */
  detach(): TransportOwner | undefined {
    const owner = this.#owner;
    this.#owner = undefined;
    this.#context.timers.cancel(this.#silence);
    return owner;
  }

  #onMessage(frame: unknown): void {
    if (this.#owner === undefined) return;
    this.heard++;
    const isText = typeof frame === 'string';
    this.bytesReceived += isText ? frame.length : ((frame as ArrayBuffer)?.byteLength ?? 0);
    const isV1 = this.#context.settings.protocolVersion === 1;
    const isPing = frame === (isV1 ? '#1' : '');
    if (isPing) {
      this.hearPing();
      this.send(isV1 ? '#2' : '');
    }
    this.#owner.frameReceived(frame, isPing);
  }

  /** Asks for a sign of life, if the WebSocket can do that. */
  ping(): boolean {
    this.socket.ping?.();
    return this.socket.ping !== undefined;
  }

  /** There was a sign of life that counts as a ping: from now on the server may be silent for `pingTimeout`. */
  hearPing(): void {
    const { timers, settings, environment } = this.#context;
    this.lastPing = environment.now();
    if (!settings.pingTimeoutDisabled) timers.schedule(this.#silence, this.#pingTimeout);
  }

  #onSilence(): void {
    const late = this.#context.environment.now() - this.lastPing - this.#pingTimeout;
    this.#owner?.transportSilent(late > SLEPT_MS);
  }
}
