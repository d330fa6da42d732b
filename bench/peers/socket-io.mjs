/** socket.io 4.8, with default options; its rooms are the channels. */
import { createServer } from 'node:http';
import jwt from 'jsonwebtoken';
import { Server } from 'socket.io';
import { AUTH_KEY, REPLY, wants } from '../servers/application.mjs';
import { serveControl } from '../servers/control.mjs';

const httpServer = createServer();
const io = new Server(httpServer);

io.use((socket, next) => {
  const { token } = socket.handshake.auth;
  if (token === undefined) return next();
  jwt.verify(token, AUTH_KEY, { algorithms: ['HS256'] }, (error, claims) => {
    socket.data.claims = claims;
    next(error ?? undefined);
  });
});

io.on('connection', (socket) => {
  socket.on('subscribe', (channel, done) => {
    void socket.join(channel);
    done();
  });
  socket.on('publish', (channel, data) => io.to(channel).emit('message', channel, data));
  if (wants.procedure) socket.on('call', (_data, reply) => reply(REPLY));
});

httpServer.listen(0, '127.0.0.1', () => serveControl(httpServer.address().port));
