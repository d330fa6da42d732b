import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterTest } from './after-test.js';
import { DEFAULT_DEADLINE_MS, withDeadline } from './deadline.js';
import { deferred } from './deferred.js';
import { encodeFrame, type FrameOptions, OPCODES } from './encode-frame.js';

/** A WebSocket frame as it is put on or read from the wire. */
export interface RawFrame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly payload: Buffer;
}

/** How to open a raw connection. */
export interface RawConnectionOptions {
  readonly path?: string;
  readonly headers?: Record<string, string>;
}

/**
 * Owns one TCP connection on which a test writes HTTP and WebSocket bytes itself: malformed, split, half-open
 * or reset. Holds everything received, and the frames parsed from it after the upgrade.
 */
export class RawConnection {
  /** The frames received after the upgrade, in order. */
  readonly frames: RawFrame[] = [];
  /** Resolves when the connection is gone in both directions. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #watchers = new Set<() => void>();
  #buffered = Buffer.alloc(0);
  #head: string | undefined;
  #isClosed = false;
  #isEnded = false;

  /** Wraps a TCP socket; use {@link RawConnection.open} or {@link RawConnection.upgrade}. */
  constructor(socket: Socket) {
    this.#socket = socket;
    const closed = deferred();
    this.closed = closed.promise;
    socket.on('data', (chunk: Buffer) => {
      this.#buffered = Buffer.concat([this.#buffered, chunk]);
      this.#parse();
      this.#notify();
    });
    socket.on('end', () => {
      this.#isEnded = true;
      this.#notify();
    });
    socket.on('close', () => {
      this.#isClosed = true;
      closed.resolve();
      this.#notify();
    });
    // A reset ends in 'close', which is what tests look at.
    socket.on('error', () => {});
  }

  /** Connects to `port` of 127.0.0.1 and sends nothing. */
  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    // Each write arrives by itself, if the server reads in time.
    socket.setNoDelay();
    const connection = new RawConnection(socket);
    afterTest(() => {
      socket.destroy();
    });
    await withDeadline(
      new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      }),
      `a TCP connection to port ${port}`,
    );
    return connection;
  }

  /** Connects and completes the WebSocket upgrade; rejects when the answer is not 101. */
  static async upgrade(port: number, options: RawConnectionOptions = {}): Promise<RawConnection> {
    const connection = await RawConnection.open(port);
    connection.write(upgradeRequest(port, options));
    const head = await connection.head();
    if (!head.startsWith('HTTP/1.1 101')) throw new Error(`The upgrade was refused: ${head}`);
    return connection;
  }

  /** The response head, once it has arrived in full. */
  async head(deadlineMs: number = DEFAULT_DEADLINE_MS): Promise<string> {
    await this.#wait(() => this.#head !== undefined, 'a response head', deadlineMs);
    return this.#head ?? '';
  }

  /** Whether the response head has arrived in full. */
  get isAnswered(): boolean {
    return this.#head !== undefined;
  }

  /** What arrived and is no complete frame yet (before the upgrade: the body). */
  get unparsed(): Buffer {
    return this.#buffered;
  }

  /** Whether the connection is gone in both directions. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Writes bytes as they are. */
  write(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  /** Writes one frame. */
  writeFrame(payload: Uint8Array | string, options: FrameOptions = {}): void {
    this.write(encodeFrame(payload, options));
  }

  /** Writes a JSON text frame. */
  send(packet: unknown): void {
    this.writeFrame(typeof packet === 'string' ? packet : JSON.stringify(packet));
  }

  /** Resolves with the first frame, past or to come, that meets `predicate`. */
  async frame(
    predicate: (frame: RawFrame) => boolean = () => true,
    deadlineMs: number = DEFAULT_DEADLINE_MS,
  ): Promise<RawFrame> {
    await this.#wait(() => this.frames.some(predicate), 'a raw frame', deadlineMs);
    return this.frames.find(predicate) as RawFrame;
  }

  /** Resolves with the code of the close frame that the server sends. */
  async closeCode(deadlineMs: number = DEFAULT_DEADLINE_MS): Promise<number> {
    const { payload } = await this.frame((frame) => frame.opcode === OPCODES.close, deadlineMs);
    return payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
  }

  /** Resolves when the server has ended its direction or the connection is gone. */
  async ended(deadlineMs: number = DEFAULT_DEADLINE_MS): Promise<void> {
    await this.#wait(() => this.#isEnded || this.#isClosed, 'the end of the connection', deadlineMs);
  }

  /** Stops reading, so that the server's bytes pile up; the connection stays open. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads again. */
  resume(): void {
    this.#socket.resume();
  }

  /** Ends this direction only (FIN). */
  end(): void {
    this.#socket.end();
  }

  /** Resets the connection (RST); one that was ended in this direction is only dropped. */
  reset(): void {
    // The system refuses to reset what is being shut down, and Node.js then never closes it.
    if (this.#socket.writableEnded) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  #parse(): void {
    if (this.#head === undefined) {
      const end = this.#buffered.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#head = this.#buffered.subarray(0, end).toString('latin1');
      this.#buffered = this.#buffered.subarray(end + 4);
    }
    if (!this.#head.startsWith('HTTP/1.1 101')) return;
    for (let frame = this.#nextFrame(); frame !== undefined; frame = this.#nextFrame())
      this.frames.push(frame);
  }

  #nextFrame(): RawFrame | undefined {
    const bytes = this.#buffered;
    if (bytes.length < 2) return undefined;
    const short = bytes.readUInt8(1) & 0x7f;
    const headLength = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.length < headLength) return undefined;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (bytes.length < headLength + length) return undefined;
    this.#buffered = bytes.subarray(headLength + length);
    const first = bytes.readUInt8(0);
    return {
      opcode: first & 0x0f,
      fin: (first & 0x80) !== 0,
      payload: bytes.subarray(headLength, headLength + length),
    };
  }

  async #wait(isMet: () => boolean, what: string, deadlineMs: number): Promise<void> {
    if (isMet()) return;
    const met = deferred();
    const watcher = (): void => {
      if (isMet()) met.resolve();
      else if (this.#isClosed) met.reject(new Error(`The connection closed before ${what}`));
    };
    this.#watchers.add(watcher);
    watcher();
    try {
      await withDeadline(met.promise, what, deadlineMs);
    } finally {
      this.#watchers.delete(watcher);
    }
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

/** The text of a WebSocket upgrade request; given headers replace or extend the usual ones, '' leaves one out. */
export function upgradeRequest(port: number, options: RawConnectionOptions = {}): string {
  const headers: Record<string, string> = {
    Host: `127.0.0.1:${port}`,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...options.headers,
  };
  const lines = Object.entries(headers)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${options.path ?? '/socketcluster/'} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
