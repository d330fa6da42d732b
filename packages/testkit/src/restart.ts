import { createServer, type Server as HttpServer } from 'node:http';
import type { AGServer } from '@socketcluster-ts/server';
import { afterTest } from './after-test.js';
import { withDeadline } from './deadline.js';
import { serverModule } from './server-under-test.js';
import type { ServerOptions, StartedServer } from './with-server.js';

/** Closes a server, so that its clients lose their connection, and frees its port. */
export async function stop(started: StartedServer): Promise<void> {
  await started.close();
}

/**
 * Starts another server on the port of a server that was stopped, and closes it when the current test is over.
 *
 * `prepare` is called before it listens: no client is connected yet then.
 */
export async function startAgain(
  { port }: { readonly port: number },
  options: ServerOptions = {},
  prepare: (restarted: { readonly server: AGServer }) => void = () => {},
  httpServer: HttpServer = createServer(),
): Promise<{ readonly server: AGServer; readonly port: number }> {
  const server = serverModule.attach(httpServer, { ...options });
  prepare({ server });
  afterTest(async () => {
    await server.close();
    httpServer.closeAllConnections();
    await new Promise((resolve) => httpServer.close(resolve));
  });
  await withDeadline(listen(httpServer, port), `port ${port} to be free again`);
  return { server, port };
}

/** Tries again while the port is taken: the system may have lent it to an outgoing connection for a moment. */
async function listen(httpServer: HttpServer, port: number): Promise<void> {
  for (;;) {
    const error = await new Promise<unknown>((resolve) => {
      httpServer.once('error', resolve);
      httpServer.listen(port, '127.0.0.1', () => {
        httpServer.off('error', resolve);
        resolve(undefined);
      });
    });
    if (error === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
