import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterTest, freePort, withDeadline } from '@socketcluster-ts/testkit';
import { stopProcess } from './stop-process.js';

/** Starting takes a while on a machine that is busy. */
const START_DEADLINE_MS = 20_000;

/** The process of a messaging engine. */
export interface EngineProcess {
  readonly port: number;
  /** Sends a signal to the process, such as `SIGSTOP` and `SIGCONT`. */
  signal(name: NodeJS.Signals): void;
  /** Ends it as a crash does; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on its port and in its folder. */
  start(): Promise<void>;
}

/** Another network than that of this process. */
export interface EnginePlace {
  readonly host: string;
  /** What a command line is put behind in order to run there. */
  readonly wrapper: readonly string[];
}

const HERE: EnginePlace = { host: '127.0.0.1', wrapper: [] };

/** What is started, and how. */
export interface EngineProgram {
  /** The path of the program. */
  readonly program: string;
  /** Its arguments, for the port where it has to listen and a folder of its own. */
  readonly args: (port: number, folder: string) => readonly string[];
  /** @default a free one */
  readonly port?: number | undefined;
  /** Where it runs. @default the network of this process, at 127.0.0.1 */
  readonly place?: EnginePlace | undefined;
  /** Given what ends the process and removes its folder. @default when the current test is over */
  readonly atEnd?: ((end: () => Promise<void>) => void) | undefined;
}

/** Starts a server; resolves when it listens. */
export async function startEngine(engine: EngineProgram): Promise<EngineProcess> {
  const { program, args, atEnd = afterTest, place = HERE } = engine;
  const port = engine.port ?? (await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'engine-'));
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const gone = new Promise((resolve) => {
      running.once('exit', resolve);
    });
    running.kill('SIGKILL');
    await gone;
  };
  const start = async (): Promise<void> => {
    const [command = program, ...rest] = [...place.wrapper, program, ...args(port, folder)];
    const started = spawn(command, rest, { stdio: 'ignore' });
    child = started;
    await withDeadline(
      listening(place.host, port, started),
      `${program} to listen on ${port}`,
      START_DEADLINE_MS,
    );
  };
  atEnd(async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await start();
  return { port, signal: (name) => sendSignal(child, name), kill, start };
}

function sendSignal(child: ChildProcess | undefined, name: NodeJS.Signals): void {
  if (name === 'SIGSTOP' && child?.pid !== undefined) stopProcess(child.pid);
  else child?.kill(name);
}

async function listening(host: string, port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The server ended with exit code ${child.exitCode}`);
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, host);
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => {
        resolve(false);
      });
    });
    if (isOpen) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}
