/** The same from CommonJS: `require` has the types of what it gives. It is never run. */
import http = require('node:http');
import scc = require('@socketcluster-ts/client');
import sc = require('@socketcluster-ts/server');
import AGAction = require('@socketcluster-ts/server/action');

const httpServer = http.createServer();
const server = sc.attach(httpServer);
server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
  for await (const action of stream) {
    if (action.type === AGAction.HANDSHAKE_SC) action.allow();
    else action.block(new Error('No'));
  }
});
const socket: InstanceType<typeof scc.AGClientSocket> = scc.create({ autoConnect: false });
void socket.transmit('hi');
const again: InstanceType<typeof sc.AGServer> = server;
export = again;
