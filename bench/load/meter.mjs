import { cpuMicros } from './process-cost.mjs';

/** Owns the readings at the begin of a measurement. */
export class Meter {
  #run;
  #server = 0;
  #own = 0;
  #at = 0;

  /** @param {import('./run.mjs').Run} run */
  constructor(run) {
    this.#run = run;
  }

  /** Begins, while the server is idle. */
  async begin() {
    await this.#run.ask('begin');
    this.#server = cpuMicros(this.#run.pid);
    this.#own = cpuMicros('self');
    this.#at = performance.now();
  }

  /**
   * Ends, when the server is idle again.
   * @param {number} operations what was done meanwhile
   * @param {number} [lastAt] when the last of it was done
   */
  async end(operations, lastAt = performance.now()) {
    const serverMicros = cpuMicros(this.#run.pid) - this.#server;
    const ownMicros = cpuMicros('self') - this.#own;
    const seconds = (lastAt - this.#at) / 1000;
    const { loopDelayP99Ms } = await this.#run.ask('end');
    return {
      operations,
      seconds,
      cpuMicros: serverMicros / operations,
      perSecond: operations / seconds,
      serverBusy: serverMicros / 1e6 / seconds,
      loadBusy: ownMicros / 1e6 / seconds,
      loopDelayP99Ms,
    };
  }
}
