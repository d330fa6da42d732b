import type { AddressInfo } from 'node:net';
import { afterTest, deferred, until, withDeadline } from '@socketcluster-ts/testkit';
import { type WebSocket, WebSocketServer } from 'ws';
import { AGClientSocket, type AnyContract, type ClientOptions } from '../src/index.js';

/** A packet as it came from the client. */
export interface SentPacket {
  readonly event?: string;
  readonly data?: unknown;
  readonly cid?: number;
  readonly rid?: number;
  readonly error?: { readonly name?: string; readonly message?: string };
}

/** How the server behaves by itself. */
export interface Script {
  /** Whether the handshake is answered. @default true */
  readonly answersHandshake?: boolean;
  /** Laid over the answer to the handshake. */
  readonly status?: Record<string, unknown>;
  /** Whether subscriptions are answered with success. @default true */
  readonly answersSubscribe?: boolean;
}

/** Owns one connection of a scripted server: what the client sent over it. */
export class ScriptedConnection {
  /** The frames as they came, pongs included. */
  readonly frames: string[] = [];
  /** The packets, batches flattened. */
  readonly packets: SentPacket[] = [];
  readonly socket: WebSocket;
  readonly url: string;
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor(socket: WebSocket, url: string, script: Script) {
    this.socket = socket;
    this.url = url;
    const closed = deferred<{ code: number; reason: string }>();
    this.closed = closed.promise;
    socket.on('close', (code, reason) => closed.resolve({ code, reason: String(reason) }));
    socket.on('message', (data: Buffer) => {
      const text = String(data);
      this.frames.push(text);
      if (!/^[[{]/.test(text)) return;
      for (const packet of [JSON.parse(text) as SentPacket | SentPacket[]].flat()) this.#take(packet, script);
    });
  }

  /** Sends one value as JSON, or a text as it is. */
  send(value: unknown): void {
    this.socket.send(typeof value === 'string' ? value : JSON.stringify(value));
  }

  /** The packets of one event, in order. */
  of(event: string): SentPacket[] {
    return this.packets.filter((packet) => packet.event === event);
  }

  /** Resolves with the first packet of that event, sent already or to come. */
  async first(event: string): Promise<SentPacket> {
    await until(() => this.of(event).length > 0);
    const [found] = this.of(event);
    if (found === undefined) throw new Error(`No packet ${event}`);
    return found;
  }

  #take(packet: SentPacket, { answersHandshake, answersSubscribe, status }: Script): void {
    this.packets.push(packet);
    const answer = { id: `id-${this.url}`, pingTimeout: 20_000, isAuthenticated: false, ...status };
    if (packet.event === '#handshake' && answersHandshake !== false)
      this.send({ rid: packet.cid, data: answer });
    if (packet.event === '#subscribe' && answersSubscribe !== false) this.send({ rid: packet.cid });
  }
}

/** A server that does what a test says, and speaks frames. */
export interface ScriptedServer {
  readonly port: number;
  readonly connections: ScriptedConnection[];
  /** Resolves with the connection of that number, counted from 0, when it is there. */
  connection(index?: number): Promise<ScriptedConnection>;
  /** A client of it, which is closed when the test is over; with a contract it is checked, not typed. */
  client(options?: ClientOptions<AnyContract>): AGClientSocket;
}

/** Starts a server on a free port of 127.0.0.1; it ends with the test. `script` may be changed while it runs. */
export async function scriptedServer(script: Script = {}): Promise<ScriptedServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const connections: ScriptedConnection[] = [];
  server.on('connection', (socket, request) => {
    connections.push(new ScriptedConnection(socket, request.url ?? '', script));
  });
  await withDeadline(
    new Promise<void>((resolve) => {
      server.on('listening', resolve);
    }),
    'the server to listen',
  );
  const { port } = server.address() as AddressInfo;
  afterTest(() => {
    for (const { socket } of connections) socket.terminate();
    server.close();
  });
  return {
    port,
    connections,
    async connection(index = 0) {
      await until(() => connections.length > index);
      const found = connections[index];
      if (found === undefined) throw new Error(`No connection ${index}`);
      return found;
    },
    client(options) {
      const client = new AGClientSocket({ hostname: '127.0.0.1', port, ...(options as ClientOptions) });
      afterTest(() => client.close());
      return client;
    },
  };
}
