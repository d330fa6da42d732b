import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterTest } from './after-test.js';
import { withDeadline } from './deadline.js';
import { link, type NetworkShape, unlink } from './network-link.js';

/** A piece of network between a client and a server of the current test, which can fail. */
export interface TcpRelay {
  /** Where clients connect instead. */
  readonly port: number;
  /** Connections that were made so far. */
  readonly connectionCount: number;
  /**
   * Lets every connection that is open now fall silent: nothing arrives any more on either side, and neither side is
   * told. New connections are not concerned.
   */
  silence(): void;
  /** Swallows from now on what one side sends, on every connection that is open; the other direction goes on. */
  swallow(from: 'client' | 'server'): void;
  /** Lets all connections fall silent, and new ones be silent from the beginning; or carries new ones again. */
  blackhole(isBlack: boolean): void;
  /** Refuses new connections, or takes them again. */
  refuse(isRefusing: boolean): void;
  /** Cuts every connection that is open now; both sides are told. */
  cut(): void;
  /** Cuts every connection that is open now by a reset (RST) to both sides. */
  reset(): void;
}

/** Starts a relay to a port of 127.0.0.1. `shape` is how slow it is, in each direction. */
export async function startTcpRelay(targetPort: number, shape: NetworkShape = {}): Promise<TcpRelay> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const silent = new Set<Socket>();
  let isRefusing = false;
  let isBlack = false;
  let connectionCount = 0;
  // Each direction ends by itself: what is still under way in the other one arrives.
  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (isRefusing) {
      near.resetAndDestroy();
      return;
    }
    near.on('error', () => {});
    if (isBlack) {
      silent.add(near.resume());
      return;
    }
    connectionCount += 1;
    const far = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => {});
      socket.on('close', () => {
        if (!pairs.delete(pair)) return;
        near.destroy();
        far.destroy();
      });
    }
    link(near, far, shape);
    link(far, near, shape);
  });
  const silence = (): void => {
    for (const pair of pairs) {
      const [near, far] = pair;
      pairs.delete(pair);
      unlink(near, far);
      unlink(far, near);
      for (const socket of pair) silent.add(socket);
    }
  };
  const cut = (): void => {
    for (const socket of [...pairs].flat()) socket.destroy();
    for (const socket of silent) socket.destroy();
    silent.clear();
  };
  afterTest(async () => {
    cut();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  await withDeadline(
    new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    }),
    'the relay to listen',
  );
  return {
    port: (server.address() as AddressInfo).port,
    get connectionCount() {
      return connectionCount;
    },
    silence,
    swallow(from) {
      for (const [near, far] of pairs) {
        if (from === 'client') unlink(near, far);
        else unlink(far, near);
      }
    },
    blackhole(value) {
      isBlack = value;
      if (value) silence();
    },
    refuse(value) {
      isRefusing = value;
    },
    cut,
    reset() {
      for (const socket of [...pairs].flat()) socket.resetAndDestroy();
    },
  };
}
