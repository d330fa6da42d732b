import { readdirSync, readFileSync } from 'node:fs';

/** No process takes longer to stop. */
const DEADLINE_MS = 5000;

/** Stops a process (SIGSTOP) and comes back when none of its threads runs any more: the signal alone does not wait for that. */
export function stopProcess(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  const end = performance.now() + DEADLINE_MS;
  while (!isStopped(pid)) {
    if (performance.now() > end) throw new Error(`Process ${pid} did not stop within ${DEADLINE_MS} ms`);
  }
}

/** Whether every thread is stopped, as Linux tells it; elsewhere the signal has to do. */
function isStopped(pid: number): boolean {
  if (process.platform !== 'linux') return true;
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).every((task) => {
    // The name, in brackets, may hold anything; the state follows it.
    const stat = statOf(`${tasks}/${task}/stat`);
    return stat === undefined || stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
  });
}

/** What Linux tells of a thread; `undefined` for one that has just ended. */
function statOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
