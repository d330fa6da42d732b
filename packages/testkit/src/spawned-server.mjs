// The program of `spawnServer`: waits for its orders on the IPC channel, then runs one server until it is killed.
// Plain JavaScript, since Node 20 starts no TypeScript file; the server itself is loaded from its sources.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { loadFromSources } from './load-from-sources.mjs';

async function start({ options, setup, listen }) {
  const isOracleMode = process.env.SERVER_UNDER_TEST === 'upstream';
  const loaded = await loadFromSources({
    ...(isOracleMode ? {} : { ours: '@socketcluster-ts/server' }),
    ...(setup === undefined ? {} : { app: setup }),
  });
  const serverModule = loaded.ours ?? createRequire(import.meta.url)('socketcluster-server');
  const server = listen ? serverModule.listen(0, options) : serverModule.attach(createServer(), options);
  loaded.app?.serve(server);
  const { httpServer } = server;
  httpServer.once('listening', () => {
    process.send({ port: httpServer.address().port });
  });
  if (!listen) httpServer.listen(0, '127.0.0.1');
}

process.once('message', (order) => {
  start(order).catch((error) => {
    process.send({ failure: String(error?.stack ?? error) });
  });
});
// A child must not outlive the test run that started it.
process.once('disconnect', () => {
  process.exit(0);
});
