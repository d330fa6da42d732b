/**
 * The server of the measurements of restarts: `node server.mjs ours|upstream PORT`. On SIGTERM ours drains; the published
 * one closes, which is all that it can do.
 */
import { createServer } from 'node:http';
import { memoryUsage } from 'node:process';
import * as ours from '@socketcluster-ts/server';
import upstream from 'socketcluster-server';
import { RETRY_DELAY_MS, SPREAD_MS } from './settings.mjs';

const [, , name, port] = process.argv;
const library = name === 'ours' ? ours : upstream;

let health = (_request, response) => response.end('up');
const httpServer = createServer((request, response) => {
  if (request.url === '/health') health(request, response);
  else response.writeHead(404).end();
});
const server = library.attach(httpServer, { authKey: 'a secret of more than thirty-two bytes' });
if (name === 'ours') health = ours.healthHandler(server);
let peakRssBytes = 0;
void (async () => {
  for await (const { socket } of server.listener('connection')) void serve(socket);
})();

async function serve(socket) {
  for await (const request of socket.procedure('echo')) request.end(request.data);
}

async function end() {
  if (name === 'ours') await server.drain({ spread: SPREAD_MS, retryDelay: RETRY_DELAY_MS });
  await server.close();
  process.exit();
}

setInterval(() => {
  peakRssBytes = Math.max(peakRssBytes, memoryUsage.rss());
}, 100).unref();

process.once('SIGTERM', () => void end());
process.on('message', () => {
  process.send({ clients: server.clientsCount, rssBytes: memoryUsage.rss(), peakRssBytes });
});
// It must not outlive the measurement.
process.once('disconnect', () => process.exit());
httpServer.listen(Number(port), '127.0.0.1', 4096, () => process.send({ port: httpServer.address().port }));
