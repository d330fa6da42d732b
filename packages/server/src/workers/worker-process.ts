import cluster, { type Worker } from 'node:cluster';
import { ProcessExitError } from '@socketcluster-ts/core';
import type { DrainOptions } from '../drain.js';
import { closeUntaken } from './close-untaken.js';
import {
  ORDER_VARIABLE,
  reportIn,
  type SupervisorMessage,
  type WorkerOrder,
  wrap,
} from './worker-messages.js';

/** What a worker does now. */
export type WorkerState = 'starting' | 'ready' | 'draining' | 'gone';

/** How a worker ended. */
export interface WorkerExit {
  /** The exit code; `null` when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Clients that were closed in order, and those that had to be cut, when it was drained. */
  readonly closed: number;
  readonly terminated: number;
}

/** How long a worker may take beyond its drain timeout, to leave by itself. */
const EXIT_GRACE_MS = 2000;

/** Owns one process that serves, from its start to its end. */
export class WorkerProcess {
  readonly index: number;
  /** Monotonic time of the start, in ms. */
  readonly startedAt: number = performance.now();
  /** The port it listens on; resolves when it serves, rejects when it ended, or took too long, before. */
  readonly ready: Promise<number>;
  /** Resolves when the process is gone. */
  readonly gone: Promise<WorkerExit>;
  state: WorkerState = 'starting';
  readonly #worker: Worker;
  #drained = { closed: 0, terminated: 0 };

  constructor(order: WorkerOrder, startTimeoutMs: number) {
    this.index = order.index;
    const worker = cluster.fork({ [ORDER_VARIABLE]: JSON.stringify(order) });
    this.#worker = worker;
    closeUntaken(worker.process);
    this.gone = new Promise((resolve) => {
      worker.once('exit', (code: number | null, signal: string | null) => {
        this.state = 'gone';
        // Node gives a code of 0 beside a signal.
        resolve({ code: signal === null ? code : null, signal, ...this.#drained });
      });
    });
    // The channel of a process that is about to die may fail; its end says the rest.
    worker.on('error', () => {});
    this.ready = this.#whenReady(startTimeoutMs);
    this.ready.catch(() => {});
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  #whenReady(timeoutMs: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string): void => {
        clearTimeout(timer);
        reject(new ProcessExitError(`Worker ${this.index} did not start: ${reason}`));
      };
      const onTimeout = (): void => {
        fail(`it took longer than ${timeoutMs} ms`);
        this.kill();
      };
      const timer = timeoutMs > 0 ? setTimeout(onTimeout, timeoutMs) : undefined;
      this.#worker.on('message', (received: unknown) => {
        const report = reportIn(received);
        if (report?.type === 'ready') {
          clearTimeout(timer);
          if (this.state === 'starting') this.state = 'ready';
          resolve(report.port);
        } else if (report?.type === 'failed') fail(`${report.name}: ${report.message}`);
        else if (report?.type === 'drained') this.#drained = report;
      });
      void this.gone.then(({ code, signal }) =>
        fail(signal === null ? `it ended with exit code ${code}` : `${signal} ended it`),
      );
    });
  }

  /** Has the worker take no more connections; those it has stay. */
  refuse(): void {
    this.#send({ type: 'refuse' });
  }

  /** Has the worker close its clients and end; it is killed when it takes much longer than it was given. */
  async drain(options: Required<DrainOptions>): Promise<WorkerExit> {
    if (this.state === 'gone') return this.gone;
    this.state = 'draining';
    this.#send({ type: 'drain', ...options });
    const timer = setTimeout(() => this.kill(), options.timeout + EXIT_GRACE_MS);
    const exit = await this.gone;
    clearTimeout(timer);
    return exit;
  }

  /** Ends the process at once. */
  kill(): void {
    if (this.state !== 'gone') this.#worker.process.kill('SIGKILL');
  }

  #send(message: SupervisorMessage): void {
    if (this.#worker.isConnected()) this.#worker.send(wrap(message), () => {});
  }
}
