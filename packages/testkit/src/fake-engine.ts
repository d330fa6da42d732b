import { EventEmitter } from 'node:events';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { DEFAULT_DEADLINE_MS } from './deadline.js';
import { until } from './until.js';

/** The arguments that a WebSocket engine's server gives to `verifyClient`. */
export interface VerifyInfo {
  readonly origin: string;
  readonly secure: boolean;
  readonly req: IncomingMessage;
}

/** The gate an AGServer hands to its engine; `result` false refuses with `status` and `text`. */
export type VerifyClient = (
  info: VerifyInfo,
  callback: (result: boolean, status?: number, text?: string) => void,
) => void;

/** What an AGServer constructs an engine's server with. */
export interface FakeEngineOptions {
  readonly verifyClient?: VerifyClient;
  readonly path?: string | null;
  readonly [name: string]: unknown;
}

/** A request to connect, as far as a server looks at it. */
export interface FakeConnectOptions {
  readonly headers?: Record<string, string>;
  readonly url?: string;
}

/**
 * Owns one end of a connection that exists in memory only: what the server sent on it, and its state.
 *
 * Events to the server: `message(buffer, isBinary)`, `close(code, reasonBuffer)`, `error(error)`. Besides, `sent(data)`
 * tells the test what the server sends.
 */
export class FakeWebSocket extends EventEmitter {
  /** What the server sent, in order. */
  readonly sent: (string | Uint8Array)[] = [];
  readyState: number = 1;
  bytesReceived: number = 0;
  /** How the connection ended. */
  closeInfo: { code: number; reason: string } | undefined;

  /** Called by the server to send one message. */
  send(data: string | Uint8Array, options?: unknown, callback?: (error?: Error) => void): void {
    const done = typeof options === 'function' ? (options as (error?: Error) => void) : callback;
    if (this.readyState !== 1) {
      done?.(new Error('WebSocket is not open: readyState 3 (CLOSED)'));
      return;
    }
    this.sent.push(data);
    this.emit('sent', data);
    done?.();
  }

  /** Called by the server to close; the peer agrees on the next turn of the event loop. */
  close(code: number = 1005, reason: string = ''): void {
    if (this.readyState !== 1) return;
    this.readyState = 2;
    setImmediate(() => {
      this.#end(code, reason);
    });
  }

  /** Called by the server to cut the connection. */
  terminate(): void {
    this.readyState = 2;
    setImmediate(() => {
      this.#end(1006, '');
    });
  }

  /** Lets a text message arrive at the server. */
  receive(packet: unknown): void {
    const text = typeof packet === 'string' ? packet : JSON.stringify(packet);
    const bytes = Buffer.from(text);
    this.bytesReceived += bytes.length;
    this.emit('message', bytes, false);
  }

  /** Closes from the peer's side. */
  closeByPeer(code: number = 1000, reason: string = ''): void {
    this.readyState = 2;
    this.#end(code, reason);
  }

  /** The JSON values among what was sent. */
  get packets(): unknown[] {
    return this.sent
      .map((data) => data.toString())
      .filter((text) => /^[{[]/.test(text))
      .map((text) => JSON.parse(text) as unknown);
  }

  /** Resolves with the first packet, past or to come, that meets `predicate`. */
  async packet(
    predicate: (packet: Record<string, unknown>) => boolean,
    deadlineMs: number = DEFAULT_DEADLINE_MS,
  ): Promise<Record<string, unknown>> {
    const find = (): Record<string, unknown> | undefined =>
      (this.packets.flat() as Record<string, unknown>[]).find(predicate);
    await until(() => find() !== undefined, deadlineMs);
    return find() as Record<string, unknown>;
  }

  #end(code: number, reason: string): void {
    if (this.closeInfo !== undefined) return;
    this.readyState = 3;
    this.closeInfo = { code, reason };
    this.emit('close', code, Buffer.from(reason));
  }
}

/** Owns the connections of one in-memory WebSocket server, made by an AGServer with {@link fakeEngine}. */
export class FakeEngineServer extends EventEmitter {
  readonly options: FakeEngineOptions;
  readonly sockets: FakeWebSocket[] = [];
  isClosed: boolean = false;

  /** Keeps the options; nothing listens anywhere. */
  constructor(options: FakeEngineOptions) {
    super();
    this.options = options;
  }

  /** Called by the AGServer to stop. */
  close(callback?: (error?: Error) => void): void {
    this.isClosed = true;
    setImmediate(() => callback?.());
  }

  /**
   * Asks the server's gate and, if it agrees, opens a connection; rejects with the refusal otherwise.
   *
   * The request that the gate sees is the request of the 'connection' event: what an engine must guarantee.
   */
  async connect(options: FakeConnectOptions = {}): Promise<FakeWebSocket> {
    const request = new IncomingMessage(new Socket());
    request.url = options.url ?? '/socketcluster/';
    request.headers = { ...options.headers };
    await this.#verify(request);
    const socket = new FakeWebSocket();
    this.sockets.push(socket);
    this.emit('connection', socket, request);
    return socket;
  }

  async #verify(request: IncomingMessage): Promise<void> {
    const { verifyClient } = this.options;
    if (verifyClient === undefined) return;
    const origin = request.headers.origin ?? '';
    await new Promise<void>((resolve, reject) => {
      verifyClient({ origin, secure: false, req: request }, (result, status, text) => {
        if (result) resolve();
        else reject(new Error(`${status ?? 401} ${text ?? 'Unauthorized'}`));
      });
    });
  }
}

/** An engine for the option `wsEngine`, and the server that an AGServer made of it. */
export interface FakeEngine {
  readonly Server: new (options: FakeEngineOptions) => FakeEngineServer;
  /** The server made last. @throws {Error} when none was made */
  readonly server: FakeEngineServer;
}

/** Gives an engine for the option `wsEngine` whose connections exist in memory only. */
export function fakeEngine(): FakeEngine {
  const servers: FakeEngineServer[] = [];
  class Server extends FakeEngineServer {
    constructor(options: FakeEngineOptions) {
      super(options);
      servers.push(this);
    }
  }
  return {
    Server,
    get server() {
      const made = servers.at(-1);
      if (made === undefined) throw new Error('No server was made of this engine');
      return made;
    },
  };
}
