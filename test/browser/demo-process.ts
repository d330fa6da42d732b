import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterTest, withDeadline } from '@socketcluster-ts/testkit';

const MAIN = fileURLToPath(new URL('../../examples/demo/dist/server/main.js', import.meta.url));
const START_DEADLINE_MS = 20_000;

/** A run of the demo that came to its end. */
export interface DemoRun {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** The demo, running in a process of its own. */
export interface DemoProcess {
  readonly port: number;
  /** The address it printed. */
  readonly url: string;
  /** Ends the process as a terminal or a process manager would, and resolves when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<DemoRun>;
}

interface Child {
  readonly process: ChildProcess;
  readonly ended: Promise<DemoRun>;
}

function spawnDemo(port: string): Child {
  const child = spawn(process.execPath, [MAIN], {
    // A key of its own: the demo would otherwise keep one beside its sources.
    env: {
      ...process.env,
      PORT: port,
      HOST: '127.0.0.1',
      AUTH_KEY: 'a key for tests, of more than 32 bytes',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output, errors }));
  afterTest(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { process: child, ended };
}

/** Starts the built demo and resolves when it has printed its address; it is killed when the current test is over. */
export async function startDemo(port: number = 0): Promise<DemoProcess> {
  const child = spawnDemo(String(port));
  const failed = child.ended.then(({ code, errors }) => {
    throw new Error(`The demo ended with code ${code}: ${errors}`);
  });
  const printed = once(child.process.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  const [line] = await withDeadline(Promise.race([printed, failed]), 'the demo to start', START_DEADLINE_MS);
  const url = /http:\/\/\S+/.exec(String(line))?.[0];
  if (url === undefined) throw new Error(`The demo printed no address, but: ${line}`);
  return {
    port: Number(new URL(url).port),
    url,
    stop(signal = 'SIGTERM') {
      child.process.kill(signal);
      return withDeadline(child.ended, `the demo to end after ${signal}`);
    },
  };
}

/** Runs the built demo on `port` until it ends by itself. */
export async function runDemo(port: string): Promise<DemoRun> {
  return withDeadline(spawnDemo(port).ended, 'the demo to end', START_DEADLINE_MS);
}
