import { createServer, type Socket } from 'node:net';
import type { BrokerLink } from '../cluster/broker-link.js';
import { Switchboard } from './switchboard.js';

/** Where the processes of one machine meet. */
export interface Hub {
  /** Ends all connections, and the link to other machines. */
  close(): Promise<void>;
}

/** What a hub is given besides its path. */
export interface HubOptions {
  /** The link to other machines, such as `redisLink()`; it belongs to the hub from now on. */
  readonly link?: BrokerLink | undefined;
  /** Told what goes wrong with that link. */
  readonly onError?: ((error: Error) => void) | undefined;
}

/**
 * Opens a hub in this process: processes of this machine whose brokers have `hubLink(path)` get each other's messages,
 * and those of other machines where there is a link to them. `serve()` does this by itself.
 *
 * @param path - of the Unix socket that is made (on Windows: of a named pipe). Whoever can connect to it can read and
 *   publish everything: it belongs into a folder that only this user can enter.
 * @throws {Error} when the path cannot be listened on
 */
export async function openHub(path: string, { link, onError = () => {} }: HubOptions = {}): Promise<Hub> {
  const sockets = new Set<Socket>();
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  const switchboard = new Switchboard(link, onError);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    switchboard.connect(socket);
  });
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      await switchboard.close();
    },
  };
}
