import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterTest } from './after-test.js';
import { withDeadline } from './deadline.js';

/** How a process ended. */
export interface ExitInfo {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What the spawned server is. */
export interface SpawnOptions {
  /** Server options that survive JSON. */
  readonly options?: Record<string, unknown>;
  /** The path of a module whose export `serve` is called with the server before it listens. */
  readonly setup?: string;
  /** Arguments for Node.js, such as `--expose-gc`. */
  readonly execArgv?: readonly string[];
  /** Has `listen()` create the HTTP server, instead of attaching to one with the defaults of Node.js. */
  readonly listen?: boolean;
}

/** A server in a process of its own. */
export interface SpawnedServer {
  readonly process: ChildProcess;
  readonly port: number;
  readonly url: string;
  /** What the process wrote to its error output so far. */
  readonly stderr: string;
  /** How the process ended; undefined while it runs. */
  readonly exit: ExitInfo | undefined;
  /** Resolves when the process has ended. */
  readonly exited: Promise<ExitInfo>;
  /** Ends the process and resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<ExitInfo>;
}

/** Starting loads the server's sources through a bundler, on a machine that may be busy. */
const START_DEADLINE_MS = 30_000;

/**
 * Runs a server in a child process, to see whether the *process* survives, and kills it when the current test
 * is over. Follows oracle mode as `startServer` does.
 */
export async function spawnServer(spawn: SpawnOptions = {}): Promise<SpawnedServer> {
  return launchServer(spawn, afterTest);
}

/** Runs a server in a child process that outlives single tests: `atEnd` is handed what ends it. */
export async function launchServer(
  spawn: SpawnOptions,
  atEnd: (kill: () => Promise<ExitInfo>) => void,
): Promise<SpawnedServer> {
  const child = fork(fileURLToPath(new URL('./spawned-server.mjs', import.meta.url)), [], {
    silent: true,
    execArgv: [...(spawn.execArgv ?? [])],
  });
  let stderr = '';
  let exit: ExitInfo | undefined;
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const exited = new Promise<ExitInfo>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal };
      resolve(exit);
    });
  });
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<ExitInfo> => {
    if (exit === undefined) child.kill(signal);
    return exited;
  };
  atEnd(kill);

  const started = Promise.race([
    once(child, 'message').then(([message]) => message as { port?: number; failure?: string }),
    exited.then(({ code }) => ({ port: undefined, failure: `exit code ${code}: ${stderr}` })),
  ]);
  child.send({ options: spawn.options ?? {}, setup: spawn.setup, listen: spawn.listen === true });
  const { port, failure } = await withDeadline(started, 'a spawned server to listen', START_DEADLINE_MS);
  if (port === undefined) throw new Error(`The spawned server did not start: ${failure}`);
  return {
    process: child,
    port,
    url: `ws://127.0.0.1:${port}/socketcluster/`,
    get stderr() {
      return stderr;
    },
    get exit() {
      return exit;
    },
    exited,
    kill,
  };
}
