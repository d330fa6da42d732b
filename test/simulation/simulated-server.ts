import { createServer } from 'node:http';
import type { AGServer, AGServerSocket } from '@socketcluster-ts/server';
import { answer, fakeEngine, serverModule } from '@socketcluster-ts/testkit';
import type { SimulatedNetwork } from './simulated-network.js';
import type { VirtualClock } from './virtual-clock.js';

const AUTH_KEY = 'a secret of at least thirty-two bytes';

/** How long a call of `slow` takes, in milliseconds. */
const SLOW_MS = 4000;

/** Owns the real AGServer behind a simulated network, and what must outlive its restarts. */
export class SimulatedServer {
  /** Channels that may not be subscribed to. */
  readonly refused: Set<string> = new Set();
  /** How long a subscription waits for its answer, and everything of that client behind it. */
  holdMs: number = 0;
  /** How many subscriptions are held up now. */
  heldCount: number = 0;
  /** The data of every call and message that reached the application, in order. */
  readonly received: unknown[] = [];
  readonly errors: unknown[] = [];
  readonly #network: SimulatedNetwork;
  readonly #clock: VirtualClock;
  #server: AGServer | undefined;

  constructor(network: SimulatedNetwork, clock: VirtualClock) {
    this.#network = network;
    this.#clock = clock;
    this.start();
  }

  /** The server that runs; undefined while none does. */
  get running(): AGServer | undefined {
    return this.#server;
  }

  /** The socket of a client, if it has one. */
  socketOf(client: { readonly id: string | null }): AGServerSocket | undefined {
    return this.#server?.clients[client.id ?? ''];
  }

  start(): void {
    if (this.#server !== undefined) return;
    const wsEngine = fakeEngine();
    const server = serverModule.attach(createServer(), { authKey: AUTH_KEY, wsEngine });
    this.#server = server;
    this.#network.server = wsEngine.server;
    server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
      for await (const action of stream) {
        if (action.type === action.SUBSCRIBE && this.holdMs > 0) await this.#holdUp();
        if (action.type === action.SUBSCRIBE && this.refused.has(action.channel)) {
          action.block(Object.assign(new Error(`No entry to ${action.channel}`), { name: 'RefusedError' }));
        } else action.allow();
      }
    });
    void (async () => {
      for await (const { socket } of server.listener('connection')) this.#serve(socket);
    })();
    void (async () => {
      for await (const { error } of server.listener('error')) this.errors.push(error);
    })();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    this.#network.server = undefined;
    await Promise.all([server.close(), this.#clock.advance(1)]);
    server.closeAllListeners();
  }

  /** A signed token that lasts for `lifeMs`. */
  async sign(user: string, lifeMs: number): Promise<string> {
    const server = this.#server;
    if (server?.auth.signToken === undefined) throw new Error('No server runs that could sign');
    const exp = Math.floor((Date.now() + lifeMs) / 1000);
    return server.auth.signToken({ user, exp }, server.signatureKey);
  }

  async #holdUp(): Promise<void> {
    this.heldCount += 1;
    await new Promise<void>((resolve) => {
      this.#clock.set(resolve, this.holdMs);
    });
    this.heldCount -= 1;
  }

  #serve(socket: AGServerSocket): void {
    answer(socket, 'echo', (data) => {
      this.received.push(data);
      return data;
    });
    answer(socket, 'fail', (data) => {
      this.received.push(data);
      throw Object.assign(new Error('No luck'), { name: 'LuckError' });
    });
    void (async () => {
      for await (const request of socket.procedure('slow')) {
        this.received.push(request.data);
        this.#clock.set(() => {
          if (socket.state === 'open') request.end(request.data);
        }, SLOW_MS);
      }
    })();
    void (async () => {
      for await (const data of socket.receiver('tell')) this.received.push(data);
    })();
  }
}
