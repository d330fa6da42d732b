import type { AGServer, AGServerSocket } from '@socketcluster-ts/server';

/** Handles every value of a stream, without a test framework: this file runs in the spawned server. */
async function each<T>(stream: AsyncIterable<T>, handle: (value: T) => void): Promise<void> {
  for await (const value of stream) handle(value);
}

/** The application that the survival tests throw their garbage at: it answers, re-publishes and looks at all it gets. */
export function serve(server: AGServer): void {
  for (const type of [server.MIDDLEWARE_INBOUND_RAW, server.MIDDLEWARE_INBOUND, server.MIDDLEWARE_OUTBOUND]) {
    server.setMiddleware(type, (stream: AsyncIterable<{ allow(): void }>) =>
      each(stream, (action) => action.allow()),
    );
  }
  void each(server.listener('handshake'), ({ socket }: { socket: AGServerSocket }) => {
    for (const name of [
      'echo',
      '__proto__',
      'constructor',
      'toString',
      '',
      '#subscribe',
      '#publish',
      '#handshake',
    ]) {
      void each(socket.procedure(name), (request) => {
        if (!request.sent) request.end(request.data);
      });
      void each(socket.receiver(name), (data) => {
        void socket.transmit(name, data);
      });
    }
    void each(socket.procedure('fail'), (request) => {
      request.error(request.data);
    });
    void each(socket.procedure('state'), (request) => {
      const polluted: string[] = [];
      for (const key in {}) polluted.push(key);
      request.end({
        polluted,
        keys: Object.keys(server.clients).length,
        clientsCount: server.clientsCount,
        pendingClientsCount: server.pendingClientsCount,
        channels: server.brokerEngine.subscriptions(),
      });
    });
  });
}
