// The program of the tests of serve(): runs in the supervisor and in each worker, like any application.
// Plain JavaScript, since Node 20 starts no TypeScript file; the server itself is loaded from its sources.
import { loadFromSources } from '../../packages/testkit/src/load-from-sources.mjs';

const { workers } = await loadFromSources({ workers: '@socketcluster-ts/server/workers' });
const { serve } = workers;

const { fault, ...options } = JSON.parse(process.argv[2] ?? '{}');

/** Sends what happens to the test. */
const tell = (message) => process.send?.(message);

const setup = async (worker) => {
  if (fault === 'setup') throw new Error('The database is not there');
  if (fault === 'no server') return;
  const server = worker.attach({ pingTimeout: 3000, pingInterval: 1000 });
  worker.httpServer.on('request', (_request, response) => response.end(`worker ${worker.index}`));
  void (async () => {
    for await (const { socket } of server.listener('connection')) {
      void socket.procedure('who').each(() => ({ index: worker.index, pid: process.pid }));
      void socket
        .procedure('slow')
        .each((request) => new Promise((resolve) => setTimeout(() => resolve(process.pid), request.data)), {
          concurrency: Infinity,
        });
      void socket.receiver('crash').each(() => process.exit(7));
      void socket.procedure('login').each(async () => socket.setAuthToken({ sub: 'ada' }));
    }
  })();
};

try {
  const pool = await serve({ port: 0, host: '127.0.0.1', startTimeout: 60_000, setup, ...options });
  for (const name of ['workerReady', 'workerExit']) {
    void (async () => {
      for await (const event of pool.listener(name)) tell({ event: name, ...event });
    })();
  }
  process.on('message', () => tell({ event: 'workers', workers: pool.workers() }));
  tell({ event: 'serving', port: pool.port, workers: pool.workers() });
} catch (error) {
  process.send?.({ event: 'failed', name: error.name, message: error.message });
  // The program ends by itself then, as soon as nobody listens to it.
  process.exitCode = 1;
  process.disconnect?.();
}
// A program must not outlive the test run that started it.
process.once('disconnect', () => process.exit());
