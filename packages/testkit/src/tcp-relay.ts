import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterTest } from './after-test.js';
import { withDeadline } from './deadline.js';

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
  /** Refuses new connections, or takes them again. */
  refuse(isRefusing: boolean): void;
  /** Cuts every connection that is open now; both sides are told. */
  cut(): void;
}

/** Starts a relay to a port of 127.0.0.1. */
export async function startTcpRelay(targetPort: number): Promise<TcpRelay> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let isRefusing = false;
  let connectionCount = 0;
  const server = createServer((near) => {
    if (isRefusing) {
      near.resetAndDestroy();
      return;
    }
    connectionCount += 1;
    const far = connect(targetPort, '127.0.0.1');
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
    near.pipe(far);
    far.pipe(near);
  });
  const silent = new Set<Socket>();
  const destroyAll = (): void => {
    for (const socket of [...pairs].flat()) socket.destroy();
    for (const socket of silent) socket.destroy();
  };
  afterTest(async () => {
    destroyAll();
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
    silence() {
      for (const pair of pairs) {
        const [near, far] = pair;
        pairs.delete(pair);
        near.unpipe(far);
        far.unpipe(near);
        // What still comes is taken and thrown away, as by a network that has lost the way to the other side.
        for (const socket of pair) silent.add(socket.resume());
      }
    },
    refuse(value) {
      isRefusing = value;
    },
    cut: destroyAll,
  };
}
