// The program of `startFaultServer`: one server of the built package, in a process that can be stopped, killed and asked.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { getHeapStatistics } from 'node:v8';
import { AGSimpleBroker, attach, relayBroker } from '@socketcluster-ts/server';

process.once('message', (order) => {
  start(order).catch((error) => process.send({ failure: String(error?.stack ?? error) }));
});
// It must not outlive the test that started it.
process.once('disconnect', () => process.exit(0));

async function start({ options, setup, port, host, membership }) {
  const httpServer = createServer();
  const brokerEngine = membership && (await join(membership));
  const server = attach(httpServer, { ...options, ...(brokerEngine && { brokerEngine }) });
  const counts = { warnings: 0, disconnections: {}, degradations: 0 };
  void server.listener('warning').each(() => void (counts.warnings += 1));
  void server.listener('disconnection').each(({ code }) => {
    counts.disconnections[code] = (counts.disconnections[code] ?? 0) + 1;
  });
  void brokerEngine?.listener('status').each(({ status }) => {
    if (status === 'degraded' && !server.isReady) counts.degradations += 1;
  });
  void server.listener('connection').each(({ socket }) => {
    void socket.procedure('echo').each(({ data }) => data);
  });
  if (setup !== undefined) await (await import(pathToFileURL(setup).href)).serve(server, httpServer);
  httpServer.once('error', (error) => process.send({ failure: error.message, code: error.code }));
  httpServer.listen(port, host, () => process.send({ port: httpServer.address().port }));
  process.on('message', ({ question }) => {
    if (question !== undefined) process.send({ question, answer: describe(server, counts) });
  });
}

/** The broker of a node: connected to the others through an engine. */
async function join({ engine, link, relay }) {
  const links = await import(`@socketcluster-ts/${engine}`);
  const broker = relayBroker(new AGSimpleBroker(), links[`${engine}Link`](link), relay);
  void broker.listener('gap').each(({ channel }) => void process.send({ gap: channel }));
  return broker;
}

function describe(server, counts) {
  globalThis.gc?.();
  const connections = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  return {
    clients: server.clientsCount,
    pendingClients: server.pendingClientsCount,
    connections,
    deadlines: server.deadlines.size,
    // Both without opening a file, which may be impossible.
    heapBytes: getHeapStatistics().used_heap_size,
    mostResidentBytes: process.resourceUsage().maxRSS * 1024,
    waitingBytes: server.outboundLedger.total,
    ...counts,
    isReady: server.isReady,
    relay: server.brokerEngine.stats,
  };
}
