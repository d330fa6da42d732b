/** Bun's built-in server, whose WebSockets and topics are those of uWebSockets. Runs in Bun only. */
import { REPLY, verifyToken } from '../servers/application.mjs';
import { serveControl } from '../servers/control.mjs';

let lastId = 0;

const handlers = {
  hello(socket, { token }) {
    if (token !== null) verifyToken(token);
    lastId += 1;
    socket.send(`{"op":"welcome","id":${lastId},"isAuthenticated":${token !== null}}`);
  },
  subscribe(socket, { channel, id }) {
    socket.subscribe(channel);
    socket.send(`{"op":"done","id":${id}}`);
  },
  publish(_socket, { channel, data }) {
    server.publish(channel, JSON.stringify({ op: 'message', channel, data }));
  },
  call(socket, { id }) {
    socket.send(`{"op":"reply","id":${id},"data":"${REPLY}"}`);
  },
};

const server = globalThis.Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, self) {
    return self.upgrade(request) ? undefined : new Response('A WebSocket, please', { status: 400 });
  },
  websocket: {
    // Slow readers are to wait in memory as they do in the other servers, not to be cut off.
    backpressureLimit: 1 << 30,
    message(socket, text) {
      const message = JSON.parse(text);
      handlers[message.op](socket, message);
    },
  },
});

serveControl(server.port);
