import { createServer, type Server as HttpServer, IncomingMessage } from 'node:http';
import { type AGServer, type AGServerSocket, attach, type ServerOptions } from '@socketcluster-ts/server';
import { MemorySocket } from './memory-socket.js';
import type { PacketRules } from './packet-model.js';
import type { FrameRules, Message } from './read-frames.js';

const COMMON: ServerOptions = { maxPayload: 2000, authKey: 'a secret of forty-one bytes, for tests only' };

/** The servers that are fuzzed, by name. */
const SERVERS = {
  plain: { limits: { maxNameBytes: 80 } },
  tight: {
    limits: {
      maxBatchPackets: 6,
      maxNameBytes: 40,
      maxDepth: 8,
      maxInboundQueue: 4,
      maxFragments: 4,
      maxPendingCalls: 3,
      maxAuthFailures: 2,
    },
    socketChannelLimit: 3,
    socketStreamCleanupMode: 'close',
  },
  lenient: { limits: { maxNameBytes: 80 }, strictHandshake: false, socketStreamCleanupMode: 'close' },
  /** Every packet waits for three middleware functions. */
  asked: {
    limits: { maxNameBytes: 80 },
    socketStreamCleanupMode: 'close',
    batchOnHandshake: true,
    batchInterval: 1,
  },
} as const satisfies Record<string, ServerOptions>;

/** The name of a server. */
export type ServerName = keyof typeof SERVERS;

/** All of them. */
export const serverNames: readonly ServerName[] = Object.keys(SERVERS) as ServerName[];

/** Errors that nobody throws on purpose. */
const BUGS = new Set(['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError', 'AssertionError']);

/** One connection to a {@link FuzzServer}. */
export interface FuzzConnection {
  readonly net: MemorySocket;
  /** The messages that the server took, in order. */
  readonly messages: readonly Message[];
}

/** Owns a real server whose connections are in memory. */
export class FuzzServer {
  readonly rules: FrameRules & PacketRules;
  /** Whether what a socket received is dropped when it closes. */
  readonly isForgetful: boolean;
  /** Errors that look like faults of the server, not of the client. */
  readonly bugs: Error[] = [];
  readonly #server: AGServer;
  readonly #http: HttpServer = createServer();
  #taken: Message[] = [];

  constructor(name: ServerName) {
    const options: ServerOptions = SERVERS[name];
    this.#server = attach(this.#http, { ...COMMON, ...options });
    const { maxFragments, maxBatchPackets, maxNameBytes, maxAuthFailures } = this.#server.limits;
    this.rules = {
      isServer: true,
      maxPayload: COMMON.maxPayload as number,
      maxFragments,
      strictHandshake: this.#server.options.strictHandshake,
      maxBatchPackets,
      maxNameBytes,
      maxAuthFailures,
    };
    this.isForgetful = this.#server.options.socketStreamCleanupMode === 'kill';
    if (name === 'asked') allowAll(this.#server);
    void each(this.#server.listener('handshake'), ({ socket }) => this.#serve(socket));
    for (const event of ['error', 'warning'] as const) {
      void each(this.#server.listener(event), (told) => {
        const error = Object.values(told)[0] as Error & { code?: string };
        // Those of `ws` are RangeErrors too, and have a code.
        if (BUGS.has(error.name) && !error.code?.startsWith('WS_ERR')) this.bugs.push(error);
      });
    }
  }

  /** How many connections it has. */
  get connections(): number {
    return this.#server.clientsCount + this.#server.pendingClientsCount;
  }

  /** The channels that somebody is subscribed to. */
  get channels(): readonly string[] {
    return this.#server.brokerEngine.subscriptions();
  }

  /** Lets a client connect; one at a time. */
  connect(isSlow: boolean): FuzzConnection {
    const net = new MemorySocket(isSlow);
    const request = new IncomingMessage(net as never);
    const rawHeaders = ['Host', 'x', 'Upgrade', 'websocket', 'Connection', 'Upgrade'];
    rawHeaders.push('Sec-WebSocket-Version', '13', 'Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAAAA==');
    Object.assign(request, {
      method: 'GET',
      url: '/socketcluster/',
      httpVersion: '1.1',
      rawHeaders,
      complete: true,
    });
    this.#taken = [];
    this.#http.emit('upgrade', request, net, Buffer.alloc(0));
    return { net, messages: this.#taken };
  }

  async close(): Promise<void> {
    await this.#server.close();
  }

  #serve(socket: AGServerSocket): void {
    const taken = this.#taken;
    void each(socket.listener('message'), ({ message }) => taken.push(message));
    void each(socket.procedure('echo'), (request) => request.end(request.data));
    void each(socket.procedure('fail'), (request) => request.error(request.data as Error));
    void each(socket.receiver('echo'), (data) => void socket.transmit('echo', data));
  }
}

async function each<T>(stream: AsyncIterable<T>, handle: (value: T) => unknown): Promise<void> {
  for await (const value of stream) handle(value);
}

function allowAll(server: AGServer): void {
  for (const line of [server.MIDDLEWARE_INBOUND_RAW, server.MIDDLEWARE_INBOUND, server.MIDDLEWARE_OUTBOUND]) {
    server.setMiddleware(line, (stream: AsyncIterable<{ allow(): void }>) =>
      each(stream, (action) => action.allow()),
    );
  }
}
