import { randomBytes } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import { AsyncStreamEmitter } from '@socketcluster-ts/streams';
import { warn } from '../warn.js';
import { type Hub, openHub } from './hub.js';
import { makePrivatePath, type PrivatePath } from './private-path.js';
import { RestartDelays } from './restart-delays.js';
import type { ResolvedServeOptions } from './serve-options.js';
import { type WorkerExit, WorkerProcess, type WorkerState } from './worker-process.js';

/** One worker, as {@link WorkerPool.workers} shows it. */
export interface WorkerInfo {
  readonly index: number;
  readonly pid: number | undefined;
  readonly state: WorkerState;
  /** How often a worker of this index ended unasked. */
  readonly restarts: number;
}

/** What a pool emits. */
export interface WorkerPoolEvents {
  /** A worker serves. */
  workerReady: { index: number; pid: number | undefined };
  /** Something went wrong with the link to other machines; it goes on. */
  linkError: { error: Error };
  /** A worker ended. Unasked, it is replaced after `restartInMs`. */
  workerExit: { index: number; pid: number | undefined; restartInMs: number | undefined } & WorkerExit;
}

/** The workers that share a port, in the process that supervises them. */
export interface WorkerPool extends AsyncStreamEmitter<WorkerPoolEvents> {
  /** The port that the workers share. */
  readonly port: number;
  /** The workers, by index. */
  workers(): WorkerInfo[];
  /** Replaces the workers one after the other: the new one serves before the clients of the old one are closed. */
  reload(): Promise<void>;
  /**
   * Takes no more connections, closes the clients of one worker after the other over the drain spread, and ends the
   * workers. The same promise at each call.
   */
  close(): Promise<{ closed: number; terminated: number }>;
}

/** The place of a worker: the process that fills it now, and how it went with those before. */
interface Slot {
  readonly index: number;
  readonly delays: RestartDelays;
  process: WorkerProcess;
  restarts: number;
  /** Set while the next process is waited for. */
  restart: ReturnType<typeof setTimeout> | undefined;
}

/** When the machine goes away, a balancer needs this time to see it before clients come back. */
const RETRY_DELAY_MS = 1000;

/** Owns the processes that serve: starts them, replaces those that end, and ends them. */
export class Supervisor extends AsyncStreamEmitter<WorkerPoolEvents> implements WorkerPool {
  port = 0;
  readonly #options: ResolvedServeOptions;
  #place: PrivatePath | undefined;
  #hub: Hub | undefined;
  /** One secret for all workers, so that each takes the tokens of the others. */
  readonly #authKey = randomBytes(32).toString('hex');
  readonly #slots: Slot[] = [];
  #reloading: Promise<void> | undefined;
  #closing: Promise<{ closed: number; terminated: number }> | undefined;

  constructor(options: ResolvedServeOptions) {
    super();
    this.#options = options;
  }

  /**
   * Starts the workers; resolves when all of them serve.
   * @throws {ProcessExitError} with the reason, when one of them does not; the others are ended then
   */
  async start(): Promise<void> {
    await this.#openHub();
    for (let index = 0; index < this.#options.workers; index++) {
      const delays = new RestartDelays(this.#options.restartDelay);
      this.#slots.push({ index, delays, process: this.#fork(index), restarts: 0, restart: undefined });
    }
    try {
      const ports = await Promise.all(this.#slots.map(({ process }) => process.ready));
      this.port = ports[0] ?? 0;
    } catch (error) {
      this.killAll();
      await Promise.all(this.#slots.map(({ process }) => process.gone));
      await this.#closeHub();
      throw error;
    }
    for (const slot of this.#slots) this.#watch(slot);
  }

  workers(): WorkerInfo[] {
    return this.#slots.map(({ index, process, restarts }) => ({
      index,
      pid: process.pid,
      state: process.state,
      restarts,
    }));
  }

  reload(): Promise<void> {
    this.#reloading ??= this.#reload().finally(() => (this.#reloading = undefined));
    return this.#reloading;
  }

  close(): Promise<{ closed: number; terminated: number }> {
    return (this.#closing ??= this.#close());
  }

  async #openHub(): Promise<void> {
    const link = this.#options.link?.();
    this.#place = await makePrivatePath();
    try {
      const onError = (error: Error): void => this.emit('linkError', { error });
      this.#hub = await openHub(this.#place.path, { link, onError });
    } catch (error) {
      await this.#place.remove();
      throw error;
    }
  }

  async #closeHub(): Promise<void> {
    await this.#hub?.close();
    await this.#place?.remove();
  }

  /** Ends all workers at once. */
  killAll(): void {
    for (const { process } of this.#slots) process.kill();
  }

  #fork(index: number): WorkerProcess {
    const { workers: count, startTimeout } = this.#options;
    const order = { index, count, hub: this.#place?.path ?? '', authKey: this.#authKey };
    return new WorkerProcess(order, startTimeout);
  }

  /** Sees to what becomes of the process that fills a slot now. */
  #watch(slot: Slot): void {
    const { process } = slot;
    process.ready.then(
      () => this.emit('workerReady', { index: slot.index, pid: process.pid }),
      () => {},
    );
    void process.gone.then((exit) => this.#onExit(slot, process, exit));
  }

  #onExit(slot: Slot, process: WorkerProcess, exit: WorkerExit): void {
    const { index } = slot;
    const { pid } = process;
    if (slot.process !== process || this.#closing !== undefined) {
      this.emit('workerExit', { index, pid, restartInMs: undefined, ...exit });
      return;
    }
    const restartInMs = slot.delays.next(performance.now() - process.startedAt);
    slot.restarts += 1;
    const how = exit.signal === null ? `exit code ${exit.code}` : exit.signal;
    // Who has not asked for the events must still see it.
    warn(`Worker ${index} (process ${pid}) ended with ${how}; another is started in ${restartInMs} ms`);
    slot.restart = setTimeout(() => this.#replace(slot), restartInMs);
    this.emit('workerExit', { index, pid, restartInMs, ...exit });
  }

  #replace(slot: Slot): void {
    slot.restart = undefined;
    slot.process = this.#fork(slot.index);
    slot.process.ready.catch((error: unknown) => warn(String(error)));
    this.#watch(slot);
  }

  async #reload(): Promise<void> {
    for (const slot of this.#slots) {
      if (this.#closing !== undefined) return;
      // A slot that waits for its restart gets its new process by that.
      if (slot.restart !== undefined) continue;
      const old = slot.process;
      const next = this.#fork(slot.index);
      try {
        await next.ready;
      } catch (error) {
        warn(`${String(error)}; the old worker goes on`);
        throw error;
      }
      if (this.#closing !== undefined || slot.process !== old) {
        // Closed meanwhile, or the old one ended and was replaced.
        next.kill();
        await next.gone;
        continue;
      }
      slot.process = next;
      this.#watch(slot);
      // The new one takes who comes back, at once.
      await old.drain({
        timeout: this.#options.drainTimeout,
        spread: this.#options.drainSpread,
        retryDelay: 0,
      });
    }
  }

  async #close(): Promise<{ closed: number; terminated: number }> {
    const { drainTimeout, drainSpread } = this.#options;
    for (const slot of this.#slots) {
      clearTimeout(slot.restart);
      // At once for all, so that nobody who was closed comes back to a worker that is closed next.
      slot.process.refuse();
    }
    // The parts of the spread follow each other, and the whole takes no longer than one worker's drain would.
    const share = drainSpread / Math.max(this.#slots.length, 1);
    const exits = await Promise.all(
      this.#slots.map(async ({ process }, place) => {
        if (place > 0) await after(place * share);
        return process.drain({
          timeout: Math.max(drainTimeout - place * share, 2 * share, 1),
          spread: share,
          retryDelay: RETRY_DELAY_MS,
        });
      }),
    );
    await this.#reloading?.catch(() => {});
    await this.#closeHub();
    return {
      closed: exits.reduce((sum, { closed }) => sum + closed, 0),
      terminated: exits.reduce((sum, { terminated }) => sum + terminated, 0),
    };
  }
}
