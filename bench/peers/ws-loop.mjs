/** The library `ws` and a loop over the subscribers: what one writes who needs no framework. */
import { createServer } from 'node:http';
import jwt from 'jsonwebtoken';
import { WebSocketServer } from 'ws';
import { AUTH_KEY, REPLY } from '../servers/application.mjs';
import { serveControl } from '../servers/control.mjs';

const httpServer = createServer();
const server = new WebSocketServer({ server: httpServer });
/** @type {Map<string, Set<import('ws').WebSocket>>} */
const channels = new Map();
let lastId = 0;

const handlers = {
  hello(socket, { token }) {
    if (token !== null) jwt.verify(token, AUTH_KEY, { algorithms: ['HS256'] });
    lastId += 1;
    socket.send(JSON.stringify({ op: 'welcome', id: lastId, isAuthenticated: token !== null }));
  },
  subscribe(socket, { channel, id }) {
    const subscribers = channels.get(channel) ?? new Set();
    channels.set(channel, subscribers.add(socket));
    socket.subscriptions.add(channel);
    socket.send(JSON.stringify({ op: 'done', id }));
  },
  publish(_socket, { channel, data }) {
    const text = JSON.stringify({ op: 'message', channel, data });
    for (const subscriber of channels.get(channel) ?? []) subscriber.send(text);
  },
  call(socket, { id }) {
    socket.send(JSON.stringify({ op: 'reply', id, data: REPLY }));
  },
};

server.on('connection', (socket) => {
  socket.subscriptions = new Set();
  socket.on('error', () => {});
  socket.on('message', (bytes) => {
    const message = JSON.parse(bytes);
    handlers[message.op](socket, message);
  });
  socket.on('close', () => {
    for (const channel of socket.subscriptions) {
      const subscribers = channels.get(channel);
      subscribers.delete(socket);
      if (subscribers.size === 0) channels.delete(channel);
    }
  });
});

httpServer.listen(0, '127.0.0.1', () => serveControl(httpServer.address().port));
