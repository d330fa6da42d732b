import { createServer } from 'node:http';
import type { AGServer, AGServerSocket } from '@socketcluster-ts/server';
import {
  afterTest,
  type FakeWebSocket,
  fakeEngine,
  type ServerOptions,
  serverModule,
} from '@socketcluster-ts/testkit';
import { vi } from 'vitest';

/** A connection in memory, and the server's socket of it. */
export interface ClockedConnection {
  readonly peer: FakeWebSocket;
  readonly socket: AGServerSocket;
}

/** A server whose connections are in memory and whose clock stands still until it is told to go on. */
export interface ClockedServer {
  readonly server: AGServer;
  /** Opens a connection; with `handshake: false` it stays in its handshake. */
  connect(options?: { handshake?: boolean }): Promise<ClockedConnection>;
  /** Lets `ms` milliseconds pass, and everything happen that is due in them. */
  advance(ms: number): Promise<void>;
}

/**
 * Starts a server on a stopped clock, so that a default of many seconds is tested without waiting for it.
 *
 * Everything that tells time is replaced until the test is over; waits of the testkit would last for ever.
 */
export function startClockedServer(options: ServerOptions = {}): ClockedServer {
  vi.useFakeTimers();
  afterTest(() => {
    vi.useRealTimers();
  });
  const wsEngine = fakeEngine();
  const server = serverModule.attach(createServer(), { ...options, wsEngine });
  const advance = async (ms: number): Promise<void> => {
    await vi.advanceTimersByTimeAsync(ms);
  };
  return {
    server,
    advance,
    async connect({ handshake = true } = {}) {
      const known = new Set(Object.keys(server.pendingClients));
      const connecting = wsEngine.server.connect();
      await advance(0);
      const peer = await connecting;
      const id = Object.keys(server.pendingClients).find((name) => !known.has(name));
      const socket = server.pendingClients[id ?? ''];
      if (socket === undefined) throw new Error('The server has no pending client for the connection');
      if (handshake) {
        peer.receive({ event: '#handshake', data: { authToken: null }, cid: 1 });
        await advance(0);
      }
      return { peer, socket };
    },
  };
}
