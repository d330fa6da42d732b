import { availableParallelism } from 'node:os';
import { invalidOption } from '@socketcluster-ts/core';
import type { BrokerLink } from '../cluster/broker-link.js';
import type { WorkerContext } from './worker-context.js';

/** What {@link serve} is told. */
export interface ServeOptions {
  /**
   * Runs in each worker before it listens: attaches the server (once) and wires the application. When it throws or
   * rejects, the worker does not start.
   */
  readonly setup: (worker: WorkerContext) => void | Promise<void>;
  /**
   * How many processes serve; `'auto'` for one per core that this process may use.
   * @default 'auto'
   */
  readonly workers?: number | 'auto' | undefined;
  /**
   * The port that all workers share; 0 for a free one.
   * @default 8000
   */
  readonly port?: number | undefined;
  /**
   * The address to listen on.
   * @default every address of the machine
   */
  readonly host?: string | undefined;
  /**
   * Milliseconds from the start of a worker until it must listen.
   * @default 30000
   */
  readonly startTimeout?: number | undefined;
  /**
   * Milliseconds a worker may take to end: calls in flight finish and clients are closed in slices meanwhile.
   * @default 10000
   */
  readonly drainTimeout?: number | undefined;
  /**
   * Milliseconds over which the clients of a worker that ends are closed, and come back; at most half of the timeout.
   * @default 5000, or half of a shorter timeout
   */
  readonly drainSpread?: number | undefined;
  /**
   * Milliseconds before a worker that ended unasked is replaced: the first time, and at most. Doubled each time, and the
   * first again after a worker has served for a while.
   * @default { first: 100, most: 30000 }
   */
  readonly restartDelay?: { readonly first?: number; readonly most?: number } | undefined;
  /**
   * Gives the link to other machines, such as `redisLink()`. Called once, in the supervising process: a message crosses
   * it once for all workers of this machine.
   * @default the workers of this machine only
   */
  readonly link?: (() => BrokerLink) | undefined;
  /**
   * Whether the signals of the process are obeyed: SIGTERM and SIGINT drain the workers and end the process, a second
   * one ends it at once; SIGHUP replaces the workers one after the other.
   * @default true
   */
  readonly signals?: boolean | undefined;
}

/** The options with the defaults filled in. */
export interface ResolvedServeOptions {
  readonly setup: ServeOptions['setup'];
  readonly workers: number;
  readonly port: number;
  readonly host: string | undefined;
  readonly startTimeout: number;
  readonly drainTimeout: number;
  readonly drainSpread: number;
  readonly restartDelay: { readonly first: number; readonly most: number };
  readonly signals: boolean;
  readonly link: ServeOptions['link'];
}

const MAX_WORKERS = 1024;
const MAX_TIMER_MS = 2 ** 31 - 1;
const NAMES = [
  'setup',
  'workers',
  'port',
  'host',
  'startTimeout',
  'drainTimeout',
  'drainSpread',
  'restartDelay',
  'link',
  'signals',
];

/**
 * Checks the options and fills in the defaults.
 * @throws {InvalidOptionsError} that names the option, what was given and what is allowed
 */
export function resolveServeOptions(given: ServeOptions): ResolvedServeOptions {
  const options: ServeOptions | undefined = given;
  if (typeof options !== 'object' || options === null)
    throw invalidOption('first argument of serve(): its options', 'an object', given);
  for (const name of Object.keys(options)) {
    if (!NAMES.includes(name)) throw invalidOption('options of serve()', `of ${NAMES.join(', ')}`, name);
  }
  if (typeof options.setup !== 'function') throw invalidOption('setup', 'a function', options.setup);
  const { workers = 'auto', port = 8000, host, signals = true } = options;
  if (workers !== 'auto' && !(Number.isInteger(workers) && workers >= 1 && workers <= MAX_WORKERS))
    throw invalidOption('workers', `'auto' or a whole number from 1 to ${MAX_WORKERS}`, workers);
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535))
    throw invalidOption('port', 'a whole number from 0 to 65535', port);
  if (host !== undefined && (typeof host !== 'string' || host === ''))
    throw invalidOption('host', 'an address', host);
  if (typeof signals !== 'boolean') throw invalidOption('signals', 'true or false', signals);
  const { first = 100, most = 30_000 } = options.restartDelay ?? {};
  const drainTimeout = duration('drainTimeout', options.drainTimeout, 10_000);
  const drainSpread = duration('drainSpread', options.drainSpread, Math.min(5000, drainTimeout / 2));
  if (drainSpread > drainTimeout / 2)
    throw invalidOption('drainSpread', 'at most half of drainTimeout', drainSpread);
  if (options.link !== undefined && typeof options.link !== 'function')
    throw invalidOption('link', 'a function that gives a link, such as redisLink()', options.link);
  return {
    setup: options.setup,
    workers: workers === 'auto' ? availableParallelism() : workers,
    port,
    host,
    startTimeout: duration('startTimeout', options.startTimeout, 30_000),
    drainTimeout,
    drainSpread,
    link: options.link,
    restartDelay: {
      first: duration('restartDelay.first', first, 100),
      most: duration('restartDelay.most', most, 30_000),
    },
    signals,
  };
}

function duration(name: string, given: unknown, byDefault: number): number {
  if (given === undefined) return byDefault;
  if (typeof given === 'number' && given >= 0 && given <= MAX_TIMER_MS) return given;
  throw invalidOption(name, `milliseconds from 0 to ${MAX_TIMER_MS}`, given);
}
