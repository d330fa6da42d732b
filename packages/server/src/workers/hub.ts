import { once } from 'node:events';
import { unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
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
  try {
    await listen(server, path);
  } catch (error) {
    if (!(await isLeftBehind(path, error))) throw error;
    await unlink(path);
    await listen(server, path);
  }
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

async function listen(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, 'listening');
}

/** Whether the path is taken by a socket that nobody listens on any more: its process was killed. */
async function isLeftBehind(path: string, error: unknown): Promise<boolean> {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return false;
  const probe = connect(path);
  try {
    await once(probe, 'connect');
    return false;
  } catch (refusal) {
    return (refusal as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  } finally {
    probe.destroy();
  }
}
