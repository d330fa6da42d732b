import cluster from 'node:cluster';
import { InvalidActionError } from '@socketcluster-ts/core';
import { runWorker } from './run-worker.js';
import { type ResolvedServeOptions, resolveServeOptions, type ServeOptions } from './serve-options.js';
import { Supervisor, type WorkerPool } from './supervisor.js';
import { ORDER_VARIABLE, type WorkerOrder } from './worker-messages.js';

/**
 * Serves on all cores of the machine: starts worker processes that share one port, passes messages between them without
 * any other server, replaces a worker that ends, and drains them one after the other when the process is told to end.
 *
 * The program runs once in each process. In the one that was started, the promise resolves when all workers serve; in a
 * worker it never does, so that what follows the call is run once. Each worker calls `setup`.
 *
 * @example
 * ```ts
 * import { serve } from '@socketcluster-ts/server/workers';
 *
 * const pool = await serve({
 *   port: 8000,
 *   setup: async (worker) => {
 *     const server = worker.attach({ authKey: process.env['AUTH_KEY'] });
 *     void (async () => {
 *       for await (const { socket } of server.listener('connection')) {
 *         void socket.transmit('hello', `You are ${socket.id}, served by worker ${worker.index}`);
 *       }
 *     })();
 *   },
 * });
 * console.log(`${pool.workers().length} workers listen on port ${pool.port}`);
 * ```
 * @throws {InvalidOptionsError} that names the option, what was given and what is allowed; {ProcessExitError} with the
 *   reason when a worker does not start
 */
export async function serve(options: ServeOptions): Promise<WorkerPool> {
  const resolved = resolveServeOptions(options);
  const order = process.env[ORDER_VARIABLE];
  if (!cluster.isWorker) return await supervise(resolved);
  if (order !== undefined) return await runWorker(JSON.parse(order) as WorkerOrder, resolved);
  throw new InvalidActionError(
    'serve() starts the workers itself, and cannot run in a worker that something else has started',
  );
}

async function supervise(options: ResolvedServeOptions): Promise<WorkerPool> {
  const pool = new Supervisor(options);
  await pool.start();
  if (options.signals) obeySignals(pool);
  return pool;
}

/** Has the signals of the process end and replace the workers. */
function obeySignals(pool: Supervisor): void {
  let isEnding = false;
  const end = (): void => {
    if (isEnding) {
      pool.killAll();
      process.exit(1);
    }
    isEnding = true;
    void pool.close().then(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('SIGHUP', () => {
    // What went wrong was said where it happened.
    pool.reload().catch(() => {});
  });
}
