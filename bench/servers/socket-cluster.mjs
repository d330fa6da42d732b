/** The application that ours and upstream serve: exactly the same calls of the same API. */
import { createServer } from 'node:http';
import { AUTH_KEY, REPLY, wants } from './application.mjs';
import { serveControl } from './control.mjs';

/** @param {{ attach: Function }} library */
export function serveSocketCluster(library) {
  const httpServer = createServer();
  const server = library.attach(httpServer, { authKey: AUTH_KEY });
  if (wants.middleware) {
    server.setMiddleware(server.MIDDLEWARE_INBOUND, allowAll);
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, allowAll);
  }
  if (wants.procedure) void serveProcedure(server);
  httpServer.listen(0, '127.0.0.1', () => serveControl(httpServer.address().port));
}

async function allowAll(stream) {
  for await (const action of stream) action.allow();
}

async function serveProcedure(server) {
  for await (const { socket } of server.listener('connection')) {
    void (async () => {
      for await (const request of socket.procedure('call')) request.end(REPLY);
    })();
  }
}
