// A server that a process manager or a balancer may restart at any time. SIGTERM sends the clients away in good order,
// and the process ends by itself, within 15 s.
import { createServer } from 'node:http';
import { attach, healthHandler } from '@socketcluster-ts/server';

const httpServer = createServer((request, response) => {
  if (request.url === '/health') health(request, response);
  else response.writeHead(404).end();
});
const server = attach(httpServer, { authKey: process.env.AUTH_KEY });
const health = healthHandler(server);

void server.listener('connection').each(({ socket }) => {
  void socket.procedure('add').each(({ data: [a, b] }) => a + b);
});

async function shutDown() {
  console.log('leaving');
  const counts = await server.drain({
    timeout: 10_000,
    spread: Number(process.env.SPREAD ?? 5000),
    retryDelay: Number(process.env.RETRY_DELAY ?? 1000),
  });
  console.log(`left ${JSON.stringify(counts)}`);
  await server.close();
  httpServer.close();
  // Health checks keep their connections open.
  httpServer.closeAllConnections();
}
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void shutDown());

httpServer.listen(Number(process.env.PORT ?? 8000), () => {
  console.log(`listening on ${httpServer.address().port}`);
});
