/**
 * All cores of one machine: worker processes that share a port.
 *
 * @module
 */
export { type Hub, type HubOptions, openHub } from './workers/hub.js';
export { hubLink } from './workers/hub-link.js';
export { serve } from './workers/serve.js';
export type { ServeOptions } from './workers/serve-options.js';
export type { WorkerInfo, WorkerPool, WorkerPoolEvents } from './workers/supervisor.js';
export type { WorkerContext } from './workers/worker-context.js';
export type { WorkerExit, WorkerState } from './workers/worker-process.js';
