import type { AGServerSocket } from '@socketcluster-ts/server';
import { until } from './until.js';
import type { StartedServer } from './with-server.js';

/** A call of the peer, as both ends offer it. */
export interface Call {
  readonly data?: unknown;
  end(data?: unknown): void;
  error(error: unknown): void;
}

/** An end of a connection that can be called: a server's socket or a client. */
export interface Callable {
  procedure(name: string): AsyncIterable<Call>;
}

/** Runs `serve` for every socket, as soon as it is connected and before its next packet is dispatched. */
export function onConnection(
  started: Pick<StartedServer, 'server'>,
  serve: (socket: AGServerSocket) => void,
): void {
  void (async () => {
    for await (const { socket } of started.server.listener('connection')) serve(socket);
  })();
}

/** Answers every call of `name` with what `reply` gives for its data, or with the error that it throws. */
export function answer(end: Callable, name: string, reply: (data: unknown) => unknown): void {
  void (async () => {
    for await (const call of end.procedure(name)) {
      try {
        call.end(await reply(call.data));
      } catch (error) {
        call.error(error);
      }
    }
  })();
}

/** Resolves with the server's socket of a connected client. */
export async function socketOf(
  { server }: Pick<StartedServer, 'server'>,
  client: { readonly id: string | null },
): Promise<AGServerSocket> {
  await until(() => server.clients[client.id ?? ''] !== undefined);
  const socket = server.clients[client.id ?? ''];
  if (socket === undefined) throw new Error('The client has left before its socket was looked up');
  return socket;
}
