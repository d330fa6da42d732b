import type { FakeEngineServer, FakeWebSocket } from '@socketcluster-ts/testkit';
import type { SimulatedDevice } from './simulated-device.js';
import type { VirtualClock } from './virtual-clock.js';

/** How long a WebSocket waits for the peer's part of the closing handshake, in milliseconds. */
const CLOSE_TIMEOUT_MS = 30_000;
/** How long a system tries to reach an address that does not answer. */
const CONNECT_TIMEOUT_MS = 75_000;

type SocketEvent = { readonly data?: unknown; readonly code?: number; readonly reason?: string };

/** What passed over a link, for those who watch it. */
export interface Watcher {
  /** A frame left the client. */
  onClientFrame(link: Link, frame: string): void;
  /** A frame is about to reach the client. */
  onServerFrame(link: Link, frame: string): void;
}

/**
 * Owns one connection between a client's WebSocket and a server's, frames in flight included.
 *
 * Frames of one direction arrive in order, each after the latency of the network. A link that was lost silently carries
 * nothing any more and tells nobody.
 */
export class Link {
  readonly number: number;
  readonly client: SimulatedWebSocket;
  readonly #network: SimulatedNetwork;
  #server: FakeWebSocket | undefined;
  #isLost = false;
  #isEnded = false;

  constructor(network: SimulatedNetwork, client: SimulatedWebSocket, number: number) {
    this.#network = network;
    this.client = client;
    this.number = number;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** From now on nothing arrives on either side, and neither side is told. */
  loseSilently(): void {
    this.#isLost = true;
  }

  /** Cuts the connection; both sides hear of it. */
  cut(): void {
    this.#endClient(1006, '');
    this.#server?.closeByPeer(1006, '');
  }

  async open(uri: string): Promise<void> {
    const { server, clock } = this.#network;
    if (this.#network.isHanging) return;
    if (this.#isLost || !this.#network.isReachable) {
      clock.set(() => this.#endClient(1006, ''), CONNECT_TIMEOUT_MS);
      return;
    }
    if (server === undefined) {
      this.#endClient(1006, '');
      return;
    }
    const peer = await server.connect({ url: uri.replace(/^wss?:\/\/[^/]+/, '') });
    this.#server = peer;
    peer.on('sent', (data: string) => {
      this.#toClient(() => {
        this.#network.watcher.onServerFrame(this, data);
        this.client.dispatch('message', { data });
      });
    });
    peer.on('close', (code: number, reason: Buffer) => {
      this.#toClient(() => this.#endClient(code, reason.toString()));
    });
    if (this.#isEnded) peer.closeByPeer(1006, '');
    this.#toClient(() => this.client.opened());
  }

  /** Carries a frame of the client. */
  sendToServer(frame: string): void {
    this.#network.watcher.onClientFrame(this, frame);
    this.#toServer(() => {
      if (this.#server?.readyState === 1) this.#server.receive(frame);
    });
  }

  /** Carries the closing handshake of the client. */
  closeByClient(code: number, reason: string): void {
    this.#network.clock.set(() => this.#endClient(1006, ''), CLOSE_TIMEOUT_MS);
    this.#toServer(() => this.#server?.closeByPeer(code, reason));
  }

  /** Ends the connection from the client's side without a handshake. */
  terminateByClient(): void {
    this.#network.clock.set(() => this.#endClient(1006, ''), 1);
    this.#toServer(() => this.#server?.closeByPeer(1006, ''));
  }

  /** Answers a ping frame of the client, as every WebSocket does by itself. */
  answerPing(): void {
    this.#toServer(() => {
      if (this.#server?.readyState === 1) this.#toClient(() => this.client.dispatchPong());
    });
  }

  #toServer(deliver: () => void): void {
    this.#network.clock.set(() => {
      if (!this.#isLost) deliver();
    }, this.#network.latencyMs);
  }

  #toClient(deliver: () => void): void {
    this.#network.clock.set(() => {
      if (!this.#isLost && !this.#isEnded) this.#network.device.whenAwake(deliver);
    }, this.#network.latencyMs);
  }

  #endClient(code: number, reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#network.links.delete(this);
    this.#network.device.whenAwake(() => this.client.ended(code, reason));
  }
}

/** A client's end of a link: what a client uses of a native WebSocket, and of one of `ws`. */
export class SimulatedWebSocket {
  binaryType: string = 'blob';
  readyState: number = 0;
  readonly #link: Link;
  readonly #listeners = new Map<string, Set<(event: SocketEvent) => void>>();
  readonly #pongListeners = new Set<() => void>();

  constructor(network: SimulatedNetwork, uri: string) {
    this.#link = network.addLink(this);
    network.clock.set(() => void this.#link.open(uri), network.latencyMs);
  }

  addEventListener(type: string, listener: (event: SocketEvent) => void): void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
  }

  removeEventListener(type: string, listener: (event: SocketEvent) => void): void {
    this.#listeners.get(type)?.delete(listener);
  }

  send(data: unknown): void {
    if (this.readyState === 0) throw new Error('The WebSocket is still connecting');
    if (this.readyState === 1) this.#link.sendToServer(String(data));
  }

  close(code: number = 1005, reason: string = ''): void {
    if (code !== 1005 && code !== 1000 && (code < 3000 || code > 4999)) throw new Error(`No code is ${code}`);
    if (this.readyState >= 2) return;
    this.readyState = 2;
    this.#link.closeByClient(code, reason);
  }

  /** As that of `ws`. */
  terminate(): void {
    if (this.readyState === 3) return;
    this.readyState = 2;
    this.#link.terminateByClient();
  }

  /** As that of `ws`. */
  ping(): void {
    this.#link.answerPing();
  }

  /** As that of `ws`, for pongs. */
  on(_event: 'pong', listener: () => void): void {
    this.#pongListeners.add(listener);
  }

  opened(): void {
    if (this.readyState !== 0) return;
    this.readyState = 1;
    this.dispatch('open', {});
  }

  ended(code: number, reason: string): void {
    const wasConnecting = this.readyState === 0;
    this.readyState = 3;
    if (wasConnecting) this.dispatch('error', {});
    this.dispatch('close', { code, reason });
  }

  dispatchPong(): void {
    for (const listener of this.#pongListeners) listener();
  }

  dispatch(type: string, event: SocketEvent): void {
    for (const listener of Array.from(this.#listeners.get(type) ?? [])) listener(event);
  }
}

/** Owns the links between one device and one server, and the state of the network between them. */
export class SimulatedNetwork {
  readonly clock: VirtualClock;
  readonly device: SimulatedDevice;
  readonly watcher: Watcher;
  readonly links: Set<Link> = new Set();
  /** The server that listens; undefined while none does. */
  server: FakeEngineServer | undefined;
  /** How long a frame takes. Changing it may not reorder frames: see {@link SimulatedNetwork.addLink}. */
  readonly latencyMs: number;
  /** Whether new connections get through. */
  isReachable: boolean = true;
  /** Whether new connections are taken and then left without an answer. */
  isHanging: boolean = false;
  #count = 0;

  constructor(clock: VirtualClock, device: SimulatedDevice, watcher: Watcher, latencyMs: number) {
    this.clock = clock;
    this.device = device;
    this.watcher = watcher;
    this.latencyMs = latencyMs;
  }

  /** A class of WebSockets that connect over this network, native ones or those of `ws`. */
  webSocketClass(kind: 'native' | 'ws'): new (uri: string) => SimulatedWebSocket {
    const create = (uri: string): SimulatedWebSocket => new SimulatedWebSocket(this, uri);
    // A function, not an arrow: the client constructs what it is given.
    function WebSocket(uri: string): SimulatedWebSocket {
      const socket = create(uri);
      return kind === 'ws'
        ? socket
        : Object.assign(socket, { terminate: undefined, ping: undefined, on: undefined });
    }
    return WebSocket as unknown as new (
      uri: string,
    ) => SimulatedWebSocket;
  }

  /** Whether a client may think that it has a connection which carries nothing. */
  get hasLostLinks(): boolean {
    return [...this.links].some((link) => link.isLost);
  }

  addLink(client: SimulatedWebSocket): Link {
    this.#count += 1;
    const link = new Link(this, client, this.#count);
    this.links.add(link);
    return link;
  }

  /** Cuts every connection; both sides hear of it. */
  cutAll(): void {
    for (const link of Array.from(this.links)) link.cut();
  }

  /** Loses every connection without telling anybody, as when a laptop changes its network. */
  loseAllSilently(): void {
    for (const link of this.links) link.loseSilently();
  }
}
