import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RelayOptions, RelayStats } from '@socketcluster-ts/server';
import { afterTest, type ExitInfo, withDeadline } from '@socketcluster-ts/testkit';

/** What a server process says of itself. */
export interface ServerState {
  readonly clients: number;
  readonly pendingClients: number;
  /** TCP connections it holds. */
  readonly connections: number;
  /** Things that will be due: pings, timeouts, expiries. */
  readonly deadlines: number;
  readonly heapBytes: number;
  /** The most that the whole process held so far. */
  readonly mostResidentBytes: number;
  /** What waits for slow clients. */
  readonly waitingBytes: number;
  readonly warnings: number;
  /** How many connections ended with which code. */
  readonly disconnections: Readonly<Record<string, number>>;
  readonly isReady: boolean;
  /** How often a node of a cluster said that it is degraded, and not ready. */
  readonly degradations: number;
  /** What a node of a cluster has counted. */
  readonly relay?: RelayStats;
}

/** How a server process belongs to a cluster. */
export interface Membership {
  /** The name of the package without its scope. */
  readonly engine: 'redis' | 'nats';
  /** Options of the link that survive JSON. */
  readonly link: Readonly<Record<string, unknown>>;
  readonly relay?: RelayOptions;
}

/** What a server process is. */
export interface FaultServerOptions {
  /** Server options that survive JSON; those of the matrix are filled in. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The path of a JavaScript module whose export `serve(server, httpServer)` is called before it listens. */
  readonly setup?: string;
  readonly membership?: Membership;
  /** Told of each channel of which the node may have missed messages. */
  readonly onGap?: (channel: string) => void;
  /** @default any free one */
  readonly port?: number;
  /** The address it listens on. @default '127.0.0.1' */
  readonly host?: string;
  /** What the command line of the process is put behind, such as `ip netns exec …`. */
  readonly wrapper?: readonly string[];
  /** Where its error output goes: read and kept, a pipe that nobody reads, or a file descriptor. @default 'kept' */
  readonly stderr?: 'kept' | 'unread' | number;
  readonly execArgv?: readonly string[];
}

/** A server in a process of its own, built as it is published. */
export interface FaultServer {
  readonly process: ChildProcess;
  readonly host: string;
  readonly port: number;
  readonly stderr: string;
  readonly exit: ExitInfo | undefined;
  readonly exited: Promise<ExitInfo>;
  state(): Promise<ServerState>;
  /** Stops the process until `resume()`: it holds its connections and says nothing. */
  pause(): void;
  resume(): void;
  kill(signal?: NodeJS.Signals): Promise<ExitInfo>;
}

/** The heartbeat of the fault matrix, in ms. */
export const PING_TIMEOUT_MS = 3000;
export const PING_INTERVAL_MS = 1000;

const PROGRAM = fileURLToPath(new URL('./server-program.mjs', import.meta.url));
const START_DEADLINE_MS = 20_000;
const STATE_DEADLINE_MS = 10_000;

/** Starts a server process and ends it with the current test. */
export async function startFaultServer(given: FaultServerOptions = {}): Promise<FaultServer> {
  const {
    options,
    setup,
    membership,
    onGap,
    port = 0,
    host = '127.0.0.1',
    wrapper = [],
    stderr = 'kept',
    execArgv = [],
  } = given;
  const commandLine = [...wrapper, process.execPath, '--expose-gc', ...execArgv, PROGRAM];
  const child = spawn(commandLine[0] ?? '', commandLine.slice(1), {
    stdio: ['ignore', 'ignore', typeof stderr === 'number' ? stderr : 'pipe', 'ipc'],
  });
  let said = '';
  if (stderr === 'kept') child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  let exit: ExitInfo | undefined;
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
  afterTest(() => kill());
  const started = Promise.race([
    once(child, 'message').then(([message]) => message as { port?: number; failure?: string }),
    exited.then(({ code }) => ({ port: undefined, failure: `exit code ${code}: ${said}` })),
  ]);
  const heartbeat = { pingTimeout: PING_TIMEOUT_MS, pingInterval: PING_INTERVAL_MS };
  child.send({ options: { ...heartbeat, ...options }, setup, port, host, membership });
  child.on('message', (message: { gap?: string }) => {
    if (message.gap !== undefined) onGap?.(message.gap);
  });
  const answer = await withDeadline(started, 'a server process to listen', START_DEADLINE_MS);
  if (answer.port === undefined) throw new Error(`The server process did not start: ${answer.failure}`);
  let questions = 0;
  return {
    process: child,
    host,
    port: answer.port,
    get stderr() {
      return said;
    },
    get exit() {
      return exit;
    },
    exited,
    state() {
      questions += 1;
      const question = questions;
      const answered = new Promise<ServerState>((resolve) => {
        const take = (message: { question?: number; answer?: ServerState }): void => {
          if (message.question !== question || message.answer === undefined) return;
          child.off('message', take as (message: unknown) => void);
          resolve(message.answer);
        };
        child.on('message', take as (message: unknown) => void);
      });
      if (exit === undefined) child.send({ question });
      const gone = exited.then(({ code, signal }): never => {
        throw new Error(`The server process has ended with ${signal ?? code}: ${said}`);
      });
      return withDeadline(Promise.race([answered, gone]), 'the server process to answer', STATE_DEADLINE_MS);
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill,
  };
}

/** Asks a server process until it is as wanted, or tells how it is when `deadlineMs` have passed. */
export async function untilState(
  server: FaultServer,
  isWanted: (state: ServerState) => boolean,
  deadlineMs: number,
): Promise<ServerState> {
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    const state = await server.state();
    if (isWanted(state)) return state;
    if (performance.now() > giveUpAt)
      throw new Error(
        `After ${deadlineMs} ms the server is not as wanted (${isWanted.toString()}): ${JSON.stringify(state)}`,
      );
    await pass(50);
  }
}

/** Lets time pass: a fault lasts as long as it lasts, and what is asked repeatedly is not asked without a break. */
export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
