import type { Server as HttpServer } from 'node:http';
import type { AnyContract, Untyped } from '@socketcluster-ts/core';
import type { AGServer } from '../server.js';
import type { ServerOptions } from '../server-options.js';

/** One of the processes that serve, as the application sets it up. */
export interface WorkerContext {
  /** From 0; a worker that replaces another one has its index. */
  readonly index: number;
  /** How many workers there are. */
  readonly count: number;
  /** Listens when `setup` is done; takes the application's own request handlers. Without any, it answers 501. */
  readonly httpServer: HttpServer;
  /**
   * Attaches the server of this worker to `httpServer`, once: as `attach()`, with a broker that passes messages between
   * the workers, and one secret for the tokens of all of them where none is given.
   * @throws {InvalidActionError} when it is called again; {InvalidOptionsError} as `attach()`
   */
  attach<C extends AnyContract = Untyped>(
    options?: Omit<ServerOptions<C>, 'httpServer' | 'brokerEngine'> | null,
  ): AGServer<C>;
}
