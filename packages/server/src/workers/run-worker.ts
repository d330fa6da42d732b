import cluster from 'node:cluster';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AnyContract, InvalidActionError, type Untyped } from '@socketcluster-ts/core';
import { relayBroker } from '../cluster/relay-broker.js';
import type { DrainOptions } from '../drain.js';
import type { BrokerEngine } from '../exchange/broker-engine.js';
import { AGSimpleBroker } from '../exchange/simple-broker.js';
import { attach } from '../listen.js';
import type { AGServer } from '../server.js';
import type { ServerOptions } from '../server-options.js';
import { hubLink } from './hub-link.js';
import type { ResolvedServeOptions } from './serve-options.js';
import type { WorkerContext } from './worker-context.js';
import { supervisorMessageIn, type WorkerOrder, type WorkerReport, wrap } from './worker-messages.js';

/**
 * The life of one worker: sets the application up, listens, and ends when it is told, or when nobody is left to tell.
 * Never comes back: it ends the process.
 */
export async function runWorker(order: WorkerOrder, options: ResolvedServeOptions): Promise<never> {
  const broker = relayBroker(new AGSimpleBroker(), hubLink(order.hub));
  const setup = new WorkerSetup(order, broker);
  const drainAndEnd = once(async (drainOptions: DrainOptions): Promise<never> => {
    setup.httpServer.close();
    setup.httpServer.closeIdleConnections();
    const counts = await setup.server?.drain(drainOptions);
    await broker.close();
    return await report(
      { type: 'drained', closed: counts?.closed ?? 0, terminated: counts?.terminated ?? 0 },
      0,
    );
  });
  const drainByDefault = (): unknown =>
    drainAndEnd({ timeout: options.drainTimeout, spread: options.drainSpread });
  // The whole group gets the signal of a terminal; it is the supervisor who decides what comes of it.
  process.on('SIGINT', () => {});
  process.on('SIGHUP', () => {});
  process.on('SIGTERM', drainByDefault);
  // Without a supervisor there is no port to share any more. Node ends a worker at once then, unless it has left by itself.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
  process.on('disconnect', drainByDefault);
  process.on('message', (received) => {
    const message = supervisorMessageIn(received);
    if (message?.type === 'refuse') setup.httpServer.close();
    else if (message?.type === 'drain') void drainAndEnd(message);
  });
  try {
    await options.setup(setup);
    const port = await setup.listen(options);
    process.send?.(wrap({ type: 'ready', port }));
  } catch (error) {
    const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
    await report({ type: 'failed', name, message }, 1);
  }
  return await new Promise<never>(() => {});
}

/** Sends the last message of this process, and ends it. */
function report(message: WorkerReport, exitCode: number): Promise<never> {
  return new Promise(() => {
    if (process.connected) process.send?.(wrap(message), () => process.exit(exitCode));
    else process.exit(exitCode);
  });
}

/** Calls the function the first time only; later calls get what it gave. */
function once<A extends unknown[], R>(call: (...args: A) => R): (...args: A) => R {
  let result: { readonly value: R } | undefined;
  return (...args) => (result ??= { value: call(...args) }).value;
}

/** Owns the HTTP server and the one server of a worker. */
class WorkerSetup implements WorkerContext {
  readonly index: number;
  readonly count: number;
  readonly httpServer: HttpServer = createServer();
  server: AGServer | undefined;
  readonly #authKey: string;
  readonly #broker: BrokerEngine;

  constructor({ index, count, authKey }: WorkerOrder, broker: BrokerEngine) {
    this.index = index;
    this.count = count;
    this.#authKey = authKey;
    this.#broker = broker;
  }

  attach<C extends AnyContract = Untyped>(
    options?: Omit<ServerOptions<C>, 'httpServer' | 'brokerEngine'> | null,
  ): AGServer<C> {
    if (this.server !== undefined) throw new InvalidActionError('This worker has a server already');
    const hasKey = KEY_OPTIONS.some((name) => (options?.[name] ?? undefined) !== undefined);
    const server = attach<C>(this.httpServer, {
      ...options,
      ...(hasKey ? undefined : { authKey: this.#authKey }),
      brokerEngine: this.#broker,
    });
    this.server = server as unknown as AGServer;
    return server;
  }

  /** Listens when the broker is ready; gives the port. */
  async listen({ port, host }: ResolvedServeOptions): Promise<number> {
    const { server, httpServer } = this;
    if (server === undefined)
      throw new InvalidActionError('The setup of a worker must call attach() before it is done');
    if (!server.isReady) await server.listener('ready').once();
    if (httpServer.listenerCount('request') === 0) {
      httpServer.on('request', (_request, response) => {
        response.writeHead(501, { 'Content-Type': 'text/plain' });
        response.end('Not Implemented');
      });
    }
    await new Promise<void>((resolve, reject) => {
      httpServer.once('error', reject);
      httpServer.listen({ port, host }, () => {
        httpServer.off('error', reject);
        resolve();
      });
    });
    return (httpServer.address() as AddressInfo).port;
  }
}

const KEY_OPTIONS = ['authKey', 'authPrivateKey', 'authPublicKey', 'authJwks', 'authEngine'] as const;
