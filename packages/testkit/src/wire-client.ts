import { type PerMessageDeflateOptions, WebSocket } from 'ws';
import { afterTest } from './after-test.js';
import { DEFAULT_DEADLINE_MS, withDeadline } from './deadline.js';
import { deferred } from './deferred.js';

/** What a decoded packet may hold; tests look at what is really there with `toEqual`. */
export interface Packet {
  readonly event?: string;
  readonly data?: unknown;
  readonly cid?: unknown;
  readonly rid?: unknown;
  readonly error?: { readonly name?: string; readonly message?: string; readonly [field: string]: unknown };
}

/** One WebSocket message as it arrived. */
export interface Frame {
  readonly isBinary: boolean;
  /** The payload; of a binary message its bytes read as UTF-8. */
  readonly text: string;
  readonly bytes: Buffer;
  /** The JSON value of an object or array frame, otherwise the text. */
  readonly value: unknown;
}

/** How a connection ended, as the client saw it. */
export interface CloseInfo {
  readonly code: number;
  readonly reason: string;
}

/** How to connect. */
export interface WireClientOptions {
  /** Which ping and pong texts are spoken. @default 2 */
  readonly protocolVersion?: 1 | 2;
  /** Request headers of the upgrade. */
  readonly headers?: Record<string, string>;
  /** The Origin header. */
  readonly origin?: string;
  /** Whether pings are answered at once. @default true */
  readonly autoPong?: boolean;
  /** The address that the connection comes from. @default what the system chooses */
  readonly localAddress?: string | undefined;
  /** WebSocket subprotocols to offer. */
  readonly subprotocols?: string[];
  /** Whether to offer compression, and how much is compressed. @default false */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions;
}

/**
 * Owns one WebSocket that speaks SocketCluster frames as they are, without any client library: what arrived
 * (`frames`, `received`), what of it was not taken yet, its own `cid` counter, and how it closed.
 *
 * Connections are terminated when the current test is over.
 */
export class WireClient {
  /** Every frame in arrival order, pings included. */
  readonly frames: Frame[] = [];
  /** Every packet in arrival order, arrays flattened, pings left out. */
  readonly received: Packet[] = [];
  /** Resolves when the connection is closed; never rejects. */
  readonly closed: Promise<CloseInfo>;
  /** Whether pings are answered at once. */
  autoPong: boolean;
  /** The socket id that the handshake reply told; '' before. */
  id: string = '';

  readonly #socket: WebSocket;
  readonly #ping: string;
  readonly #pong: string;
  readonly #pending: Packet[] = [];
  readonly #pendingFrames: Frame[] = [];
  readonly #watchers = new Set<() => void>();
  #pings = 0;
  #cid = 0;
  #closeInfo: CloseInfo | undefined;

  /** Wraps a socket that is not open yet; use {@link WireClient.connect}. */
  constructor(socket: WebSocket, options: WireClientOptions = {}) {
    this.#socket = socket;
    this.#ping = options.protocolVersion === 1 ? '#1' : '';
    this.#pong = options.protocolVersion === 1 ? '#2' : '';
    this.autoPong = options.autoPong ?? true;
    const closed = deferred<CloseInfo>();
    this.closed = closed.promise;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.#arrive(data, isBinary);
    });
    socket.on('close', (code, reason) => {
      this.#closeInfo = { code, reason: reason.toString() };
      closed.resolve(this.#closeInfo);
      this.#notify();
    });
    // Errors of the connection end in 'close', which is what tests look at.
    socket.on('error', () => {});
  }

  /** Opens a connection; resolves once the upgrade is through and rejects when it is refused. */
  static async connect(url: string, options: WireClientOptions = {}): Promise<WireClient> {
    const socket = new WebSocket(url, options.subprotocols ?? [], {
      perMessageDeflate: options.perMessageDeflate ?? false,
      ...(options.headers === undefined ? {} : { headers: options.headers }),
      ...(options.origin === undefined ? {} : { origin: options.origin }),
      ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    });
    const client = new WireClient(socket, options);
    afterTest(() => {
      client.terminate();
    });
    await withDeadline(
      new Promise<void>((resolve, reject) => {
        socket.once('open', resolve);
        socket.once('error', reject);
      }),
      `a connection to ${url}`,
    );
    return client;
  }

  /** The underlying WebSocket, for what no method here offers. */
  get webSocket(): WebSocket {
    return this.#socket;
  }

  /** The subprotocol the server chose; '' for none. */
  get subprotocol(): string {
    return this.#socket.protocol;
  }

  /** How many pings arrived so far. */
  get pings(): number {
    return this.#pings;
  }

  /** How the connection was closed, undefined while it is not. */
  get closeInfo(): CloseInfo | undefined {
    return this.#closeInfo;
  }

  /** Sends one text frame: a string as it is, anything else as JSON. */
  send(packet: unknown): void {
    this.#socket.send(typeof packet === 'string' ? packet : JSON.stringify(packet));
  }

  /** Sends one binary frame. */
  sendBinary(bytes: Uint8Array | string): void {
    this.#socket.send(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, { binary: true });
  }

  /** Sends the pong of the protocol version. */
  pong(): void {
    this.#socket.send(this.#pong);
  }

  /** Sends `#handshake` with the token (null for none) and resolves with the whole reply. */
  async handshake(authToken: string | null = null): Promise<Packet> {
    const reply = await this.call('#handshake', { authToken });
    const data = reply.data as { id?: string } | undefined;
    if (data?.id !== undefined) this.id = data.id;
    return reply;
  }

  /** The next unused `cid` of this connection. */
  nextCid(): number {
    this.#cid += 1;
    return this.#cid;
  }

  /** Sends an event without `cid`; undefined data is left out. */
  transmit(event: string, data?: unknown): void {
    this.send({ event, data });
  }

  /** Sends an event with a fresh `cid` and resolves with the whole response, error or not. */
  call(event: string, data?: unknown, deadlineMs: number = DEFAULT_DEADLINE_MS): Promise<Packet> {
    const cid = this.nextCid();
    this.send({ event, data, cid });
    return this.next((packet) => packet.rid === cid, deadlineMs);
  }

  /**
   * Takes the earliest packet not yet taken that meets `predicate`, waiting for it if need be; the others stay.
   * Packets of an array count one by one, pings are left out. Rejects when the connection closes or
   * `deadlineMs` passes first, telling what is still untaken.
   */
  async next(
    predicate: (packet: Packet) => boolean = () => true,
    deadlineMs: number = DEFAULT_DEADLINE_MS,
  ): Promise<Packet> {
    return this.#take(this.#pending, predicate, 'a packet', deadlineMs);
  }

  /** Takes the earliest frame (pings left out) not yet taken by this method that meets `predicate`. */
  async nextFrame(
    predicate: (frame: Frame) => boolean = () => true,
    deadlineMs: number = DEFAULT_DEADLINE_MS,
  ): Promise<Frame> {
    return this.#take(this.#pendingFrames, predicate, 'a frame', deadlineMs);
  }

  /** Resolves once `count` pings in all have arrived. */
  async pinged(count: number, deadlineMs: number = DEFAULT_DEADLINE_MS): Promise<void> {
    await this.#wait(() => this.#pings >= count, `${count} pings`, deadlineMs);
  }

  /** Resolves with how the connection was closed; rejects when it is still open after `deadlineMs`. */
  async ended(deadlineMs: number = DEFAULT_DEADLINE_MS): Promise<CloseInfo> {
    return withDeadline(this.closed, 'the connection to close', deadlineMs);
  }

  /**
   * Resolves when everything sent before was processed and everything queued for this client has arrived.
   *
   * Two acknowledged publishes on a channel nobody has: an answer may overtake what was queued in its own
   * turn of the event loop, but not what was queued before the packet that it answers.
   */
  async fence(): Promise<void> {
    for (let round = 0; round < 2; round += 1) {
      const reply = await this.call('#publish', { channel: 'fence of the test' });
      if (reply.error !== undefined) throw new Error(`The fence was refused: ${JSON.stringify(reply)}`);
    }
  }

  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  /** Ends the connection without a closing handshake. */
  terminate(): void {
    this.#socket.terminate();
  }

  #arrive(bytes: Buffer, isBinary: boolean): void {
    const text = bytes.toString();
    const frame: Frame = { isBinary, text, bytes, value: isBinary ? text : decode(text) };
    this.frames.push(frame);
    if (!isBinary && text === this.#ping) {
      this.#pings += 1;
      if (this.autoPong) this.pong();
    } else {
      this.#pendingFrames.push(frame);
      for (const packet of Array.isArray(frame.value) ? frame.value : [frame.value]) {
        this.received.push(packet as Packet);
        this.#pending.push(packet as Packet);
      }
    }
    this.#notify();
  }

  async #take<T>(
    pending: T[],
    predicate: (item: T) => boolean,
    what: string,
    deadlineMs: number,
  ): Promise<T> {
    let taken: T | undefined;
    // Found and taken in one go: two who wait for the same kind of packet must not get the same one.
    const take = (): boolean => {
      const index = pending.findIndex(predicate);
      if (index < 0) return false;
      taken = pending.splice(index, 1)[0];
      return true;
    };
    await this.#wait(take, what, deadlineMs);
    return taken as T;
  }

  async #wait(isMet: () => boolean, what: string, deadlineMs: number): Promise<void> {
    if (isMet()) return;
    const met = deferred();
    const watcher = (): void => {
      if (isMet()) {
        this.#watchers.delete(watcher);
        met.resolve();
      } else if (this.#closeInfo !== undefined) {
        met.reject(new Error(`The connection closed with ${JSON.stringify(this.#closeInfo)}`));
      }
    };
    this.#watchers.add(watcher);
    if (this.#closeInfo !== undefined) watcher();
    try {
      await withDeadline(met.promise, what, deadlineMs);
    } catch (error) {
      const untaken = JSON.stringify(this.#pending).slice(0, 500);
      throw new Error(`${(error as Error).message} while waiting for ${what}; untaken: ${untaken}`, {
        cause: error,
      });
    } finally {
      this.#watchers.delete(watcher);
    }
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

function decode(text: string): unknown {
  if (!/^[ \n\r\t]*[{[]/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
