import { createServer } from 'node:net';

/**
 * Below those from which systems choose the ports of connections: none of these takes one in the meantime. So are those
 * ten thousand further, where a Redis of a cluster listens as well.
 */
const LEAST = 15_000;
const MOST = 22_000;
const ATTEMPTS = 100;

/** A port of 127.0.0.1 that is free now. @returns {Promise<number>} */
export async function freePort() {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = LEAST + Math.floor(Math.random() * (MOST - LEAST));
    if (await isFree(port)) return port;
  }
  throw new Error(`None of ${ATTEMPTS} ports between ${LEAST} and ${MOST} is free`);
}

function isFree(port) {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => {
      server.close(() => resolve(true));
    });
  });
}
