// The program of `startFaultPool`: the workers of `serve()`, of the built package.
import { serve } from '@socketcluster-ts/server/workers';

const pool = await serve({
  workers: Number(process.argv[2]),
  port: 0,
  host: '127.0.0.1',
  startTimeout: 60_000,
  setup(worker) {
    const server = worker.attach({ pingTimeout: 3000, pingInterval: 1000 });
    void server.listener('connection').each(({ socket }) => {
      void socket.procedure('echo').each(({ data }) => data);
      void socket.procedure('who').each(() => process.pid);
    });
  },
});
// Only the process that was started gets here. It must not outlive the test that started it.
process.once('disconnect', () => process.exit(0));
const tell = () => process.send({ port: pool.port, workers: pool.workers() });
process.on('message', tell);
void pool.listener('workerReady').each(tell);
tell();
