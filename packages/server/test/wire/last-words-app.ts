import type { AGServer } from '@socketcluster-ts/server';

/** Says its last words to a channel, and exits in the same turn. */
export function serve(server: AGServer): void {
  void (async () => {
    const { socket } = await server.listener('connection').once();
    await socket.procedure('exit').once();
    await server.exchange.invokePublish('c', 'the last');
    process.exit(0);
  })();
}
