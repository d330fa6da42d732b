import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WorkerInfo } from '@socketcluster-ts/server/workers';
import { afterTest, withDeadline } from '@socketcluster-ts/testkit';

/** The workers of `serve()`, built as it is published. */
export interface FaultPool {
  readonly process: ChildProcess;
  readonly port: number;
  readonly workers: readonly WorkerInfo[];
  /** Resolves with the ms until all workers serve and none is the one with this process id. */
  replaced(pid: number, deadlineMs: number): Promise<number>;
}

interface Told {
  readonly port: number;
  readonly workers: readonly WorkerInfo[];
}

const START_DEADLINE_MS = 60_000;

/** Starts the workers, and ends them with the current test. */
export async function startFaultPool(count: number): Promise<FaultPool> {
  const program = fileURLToPath(new URL('./pool-program.mjs', import.meta.url));
  const child = fork(program, [`${count}`], { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const exited = once(child, 'exit');
  afterTest(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let told: Told | undefined;
  child.on('message', (message: Told) => (told = message));
  const heard = async (deadlineMs: number, isWanted: (told: Told) => boolean): Promise<Told> => {
    const listening = new Promise<Told>((resolve) => {
      const look = (): void => {
        if (told !== undefined && isWanted(told)) resolve(told);
      };
      child.on('message', look);
      look();
    });
    const ended = exited.then((): never => {
      throw new Error(`The pool has ended: ${said}`);
    });
    return withDeadline(Promise.race([listening, ended]), 'the pool to be as wanted', deadlineMs);
  };
  const { port } = await heard(START_DEADLINE_MS, () => true);
  return {
    process: child,
    port,
    get workers() {
      return told?.workers ?? [];
    },
    async replaced(pid, deadlineMs) {
      const since = performance.now();
      await heard(
        deadlineMs,
        ({ workers }) =>
          workers.length === count &&
          workers.every((worker) => worker.pid !== pid && worker.state === 'ready'),
      );
      return performance.now() - since;
    },
  };
}
