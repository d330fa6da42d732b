import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterTest, type ExitInfo, until, WireClient, withDeadline } from '@socketcluster-ts/testkit';
import { commandOf, instruction } from './deployment.js';

/** Starting takes a while on a machine that is busy. */
const START_DEADLINE_MS = 30_000;
const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

/** The variables of a process: nothing else of the environment of the tests reaches it. */
export type Environment = Readonly<Record<string, string>>;

/** A node as the image runs it, in a process of its own, which is ended with the test. */
export class NodeProcess {
  /** What it has printed. */
  output = '';
  readonly #child: ChildProcess;
  readonly #exited: Promise<ExitInfo>;

  /** `app` stands for the folder `/app` of the image. */
  constructor(environment: Environment, app: string = REPOSITORY) {
    this.#child = runInImage('CMD', { PORT: '0', ...environment }, app);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
    });
  }

  /** Starts a node and waits until it listens. */
  static async start(environment: Environment, app?: string): Promise<NodeProcess> {
    const node = new NodeProcess(environment, app);
    await until(() => node.output.includes('listening on'), START_DEADLINE_MS);
    return node;
  }

  get port(): number {
    return Number(/listening on (\d+)/.exec(this.output)?.[1]);
  }

  /** Resolves with how it ended. */
  get exited(): Promise<ExitInfo> {
    return withDeadline(this.#exited, 'the node to end', START_DEADLINE_MS);
  }

  /** Asks it to end. */
  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  /** The HTTP status that a probe of this path gets. */
  async probe(path: string): Promise<number> {
    const { status } = await fetch(`http://127.0.0.1:${this.port}${path}`);
    return status;
  }

  /** Resolves when a probe of this path gets this status. */
  async answers(path: string, status: number): Promise<void> {
    const asking = (async () => {
      while ((await this.probe(path)) !== status);
    })();
    await withDeadline(asking, `${path} to answer ${status}: ${this.output}`, START_DEADLINE_MS);
  }

  /** How the health check of the image ends. */
  async healthCheck(): Promise<number | null> {
    const child = runInImage('HEALTHCHECK', { PORT: String(this.port) }, REPOSITORY);
    return new Promise((resolve) => {
      child.once('exit', resolve);
    });
  }

  /** A client after its handshake. */
  async client(): Promise<WireClient> {
    const client = await WireClient.connect(`ws://127.0.0.1:${this.port}/socketcluster/`);
    await client.handshake();
    return client;
  }
}

/** Runs the command of an instruction, in the folder that the image has for it. */
function runInImage(name: 'CMD' | 'HEALTHCHECK', environment: Environment, app: string): ChildProcess {
  const [program, ...args] = commandOf(name);
  if (program !== 'node') throw new Error(`The image has no ${program}`);
  const child = spawn(process.execPath, args, {
    cwd: instruction('WORKDIR').replace(/^\/app\//, app),
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  afterTest(() => child.kill('SIGKILL'));
  return child;
}
