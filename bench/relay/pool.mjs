/** `serve()` with `--workers=…`; a call costs the handler some 30 µs, as one that reads a small document does. */
import { serve } from '@socketcluster-ts/server/workers';
import { REPLY } from '../servers/application.mjs';
import { serveControl } from '../servers/control.mjs';

const workers = Number(process.argv.find((argument) => argument.startsWith('--workers='))?.split('=')[1]);
const document = JSON.stringify(
  Array.from({ length: 40 }, (_, index) => ({ id: index, name: `entry ${index}`, tags: ['one', 'two'] })),
);

const pool = await serve({
  workers,
  port: 0,
  host: '127.0.0.1',
  drainTimeout: 200,
  setup: (worker) => {
    const server = worker.attach();
    void server.listener('connection').each(({ socket }) => {
      void socket
        .procedure('call')
        .each(() => (JSON.stringify(JSON.parse(document)).length === document.length ? REPLY : ''));
    });
  },
});
serveControl(pool.port);
