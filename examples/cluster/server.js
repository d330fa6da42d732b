// A node of a cluster: one process, connected to the others through Redis or NATS. Everything that differs between
// environments is a variable; README.md lists them.
import { createServer } from 'node:http';
import { natsLink } from '@socketcluster-ts/nats';
import { redisLink } from '@socketcluster-ts/redis';
import { AGSimpleBroker, attach, healthHandler, relayBroker } from '@socketcluster-ts/server';

const { env } = process;

/** The link to the engine that the environment names. */
function linkOf({ REDIS_URL, NATS_URL, NATS_USER: user, NATS_PASSWORD: pass }) {
  if (!REDIS_URL === !NATS_URL)
    throw new Error('Exactly one of REDIS_URL and NATS_URL must say where the engine is');
  if (REDIS_URL) return redisLink({ url: REDIS_URL });
  return natsLink({ servers: NATS_URL.split(','), user, pass });
}

/** A variable as a number of milliseconds. */
function milliseconds(name, byDefault) {
  const value = Number(env[name] ?? byDefault);
  if (!Number.isInteger(value) || value < 0)
    throw new Error(`${name} must be a number of milliseconds - Got ${env[name]}`);
  return value;
}

// A secret of its own would make each node refuse the tokens of the others.
if (!env.AUTH_KEY) throw new Error('AUTH_KEY must be set, to the same secret on every node');
const drainTimeout = milliseconds('DRAIN_TIMEOUT_MS', 25_000);

const broker = relayBroker(new AGSimpleBroker(), linkOf(env));
void broker.listener('error').each(({ error }) => console.error(String(error)));
void broker.listener('status').each(({ status }) => console.log(`engine: ${status}`));

const httpServer = createServer((request, response) => {
  // Whether new clients are welcome; and whether the process lives, which no engine that is away changes.
  if (request.url === '/health') health(request, response);
  else response.writeHead(request.url === '/live' ? 200 : 404).end();
});
const server = attach(httpServer, {
  authKey: env.AUTH_KEY,
  brokerEngine: broker,
  trustedProxies: env.TRUSTED_PROXIES ? env.TRUSTED_PROXIES.split(',') : [],
});
const health = healthHandler(server);

void server.listener('connection').each(({ socket }) => {
  void socket.procedure('whoServesMe').each(() => env.HOSTNAME ?? null);
});

async function shutDown() {
  const counts = await server.drain({ timeout: drainTimeout, spread: drainTimeout / 2 });
  console.log(`left ${JSON.stringify(counts)}`);
  await server.close();
  // Sends what waits for the engine.
  await broker.close();
  httpServer.close();
  // Health checks keep their connections open.
  httpServer.closeAllConnections();
}
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void shutDown());

httpServer.listen(Number(env.PORT ?? 8000), () => {
  console.log(`listening on ${httpServer.address().port}`);
});
