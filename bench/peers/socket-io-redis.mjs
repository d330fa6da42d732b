/** A node of socket.io 4.8 with its Redis adapter, with default options: `--redis=url`, or no adapter at all. */
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { serveControl } from '../servers/control.mjs';

const url = process.argv.find((argument) => argument.startsWith('--redis='))?.slice('--redis='.length);
const httpServer = createServer();
const io = new Server(httpServer);
if (url !== undefined) {
  const [publishing, subscribed] = [new Redis(url), new Redis(url)];
  io.adapter(createAdapter(publishing, subscribed));
  // Answered behind the subscriptions that the adapter has just made.
  await subscribed.ping();
}

io.on('connection', (socket) => {
  socket.on('subscribe', (channel, done) => {
    void socket.join(channel);
    done();
  });
  socket.on('publish', (channel, data) => io.to(channel).emit('message', channel, data));
});

httpServer.listen(0, '127.0.0.1', () => serveControl(httpServer.address().port));
