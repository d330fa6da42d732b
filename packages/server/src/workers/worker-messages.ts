import type { DrainOptions } from '../drain.js';

/** What a worker is told at its start, in its environment. */
export interface WorkerOrder {
  /** From 0; a worker that replaces another has its index. */
  readonly index: number;
  /** How many workers there are. */
  readonly count: number;
  /** The path of the Unix socket where the workers meet. */
  readonly hub: string;
  /** The secret for tokens that all workers share, where the application gives none. */
  readonly authKey: string;
}

/** From a worker to the supervisor. */
export type WorkerReport =
  | { readonly type: 'ready'; readonly port: number }
  | { readonly type: 'failed'; readonly name: string; readonly message: string }
  | { readonly type: 'drained'; readonly closed: number; readonly terminated: number };

/** From the supervisor to a worker: take no more connections; close those there are, and end. */
export type SupervisorMessage =
  | { readonly type: 'refuse' }
  | ({ readonly type: 'drain' } & Required<DrainOptions>);

/** The variable of the environment that holds the order. */
export const ORDER_VARIABLE = 'SOCKETCLUSTER_WORKER';

/** Marks our messages among others that an application may send between its processes. */
const MARK = 'socketcluster';

/** A message in the form in which it is sent. */
export function wrap(message: WorkerReport | SupervisorMessage): object {
  return { [MARK]: message };
}

/** The report in what a worker sent; `undefined` for a message of the application. */
export function reportIn(received: unknown): WorkerReport | undefined {
  return unwrap(received) as WorkerReport | undefined;
}

/** The message of the supervisor in what a worker received; `undefined` for one of the application. */
export function supervisorMessageIn(received: unknown): SupervisorMessage | undefined {
  return unwrap(received) as SupervisorMessage | undefined;
}

function unwrap(received: unknown): unknown {
  if (typeof received !== 'object' || received === null) return undefined;
  return (received as Record<string, unknown>)[MARK];
}
