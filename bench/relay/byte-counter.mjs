import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * A way to an engine that counts what comes back: the bytes that a node gets.
 * @param {number} port of the engine
 * @returns {Promise<{ port: number, received: () => number, end: () => void }>}
 */
export async function countBytes(port) {
  let received = 0;
  const sockets = new Set();
  const server = createServer((near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    near.setNoDelay();
    far.on('data', (chunk) => {
      received += chunk.length;
    });
    near.pipe(far);
    far.pipe(near);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    received: () => received,
    end() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
