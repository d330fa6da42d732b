import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { afterTest } from './after-test.js';
import { withDeadline } from './deadline.js';
import { deferred } from './deferred.js';
import type { Packet } from './wire-client.js';

/** Owns one connection to a scripted server: what the client said, and a way to say anything to it. */
export class ScriptedPeer {
  /** Every packet of the client, those of a batch one by one; pongs are left out. */
  readonly received: Packet[] = [];
  readonly #socket: WebSocket;
  #waiting: (() => void)[] = [];
  #closeInfo: { readonly code: number; readonly reason: string } | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      if (text === '') return;
      this.received.push(...([JSON.parse(text)].flat() as Packet[]));
      this.#notify();
    });
    socket.on('close', (code, reason) => {
      this.#closeInfo = { code, reason: reason.toString() };
      this.#notify();
    });
    socket.on('error', () => {});
  }

  /** Sends one frame: text and bytes as they are, anything else as JSON. */
  send(frame: unknown): void {
    const isRaw = typeof frame === 'string' || frame instanceof Uint8Array;
    this.#socket.send(isRaw ? frame : JSON.stringify(frame));
  }

  /** Resolves with the first packet, past or to come, that meets `predicate`. */
  async packet(predicate: (packet: Packet) => boolean): Promise<Packet> {
    for (;;) {
      const found = this.received.find(predicate);
      if (found !== undefined) return found;
      await this.#change('a packet of the client');
    }
  }

  /** Resolves with the first packet of that event. */
  async event(name: string): Promise<Packet> {
    return this.packet(({ event }) => event === name);
  }

  /** Waits for the handshake and answers it with this data. */
  async answerHandshake(
    data: unknown = { id: 'peer', pingTimeout: 60_000, isAuthenticated: false },
  ): Promise<void> {
    const { cid } = await this.event('#handshake');
    this.send({ rid: cid, data });
  }

  /** Resolves with how the connection ended. */
  async ended(): Promise<{ readonly code: number; readonly reason: string }> {
    while (this.#closeInfo === undefined) await this.#change('the connection to end');
    return this.#closeInfo;
  }

  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  async #change(what: string): Promise<void> {
    const { promise, resolve } = deferred();
    this.#waiting.push(resolve);
    await withDeadline(promise, what);
  }

  #notify(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** A WebSocket server that does nothing by itself. */
export interface ScriptedServer {
  readonly port: number;
  /** Resolves with the next connection that no call of this has had. */
  nextPeer(): Promise<ScriptedPeer>;
}

/**
 * Starts a server of the current test that speaks no protocol: the test says every frame of it. It shows what a client
 * does when its server errs.
 */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  const peers: ScriptedPeer[] = [];
  const wanted: ((peer: ScriptedPeer) => void)[] = [];
  server.on('connection', (socket) => {
    const peer = new ScriptedPeer(socket);
    const take = wanted.shift();
    if (take === undefined) peers.push(peer);
    else take(peer);
  });
  afterTest(async () => {
    for (const socket of server.clients) socket.terminate();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  await withDeadline(
    new Promise((resolve) => {
      server.once('listening', () => {
        resolve(undefined);
      });
    }),
    'the scripted server to listen',
  );
  return {
    port: (server.address() as AddressInfo).port,
    async nextPeer() {
      const ready = peers.shift();
      if (ready !== undefined) return ready;
      const next = deferred<ScriptedPeer>();
      wanted.push(next.resolve);
      return withDeadline(next.promise, 'a connection to the scripted server');
    },
  };
}
