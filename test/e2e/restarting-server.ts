import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterTest, type ExitInfo, until } from '@socketcluster-ts/testkit';

/** Runs `examples/graceful-restart`, built, in a process of its own, which is ended with the test. */
export class RestartingServer {
  /** What the process has printed, over all its lives. */
  output = '';
  #child: ChildProcess | undefined;
  #exited: Promise<ExitInfo> | undefined;
  readonly #port: number;
  readonly #environment: Readonly<Record<string, string>>;

  constructor(port: number, environment: Readonly<Record<string, string>> = {}) {
    this.#port = port;
    this.#environment = environment;
    afterTest(() => this.#child?.kill('SIGKILL'));
  }

  /** Starts the process and resolves when it listens. */
  async start(): Promise<void> {
    const begin = this.output.length;
    const folder = fileURLToPath(new URL('../../examples/graceful-restart/', import.meta.url));
    const child = spawn(process.execPath, ['server.js'], {
      cwd: folder,
      env: { ...process.env, ...this.#environment, PORT: String(this.#port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    await until(() => this.output.slice(begin).includes('listening'), 30_000);
  }

  /** Asks the process to end, and resolves with how it did. */
  async terminate(): Promise<ExitInfo | undefined> {
    this.#child?.kill('SIGTERM');
    return this.#exited;
  }

  /** What `drain()` has counted, in each life that has ended. */
  get drained(): unknown[] {
    return [...this.output.matchAll(/^left (.*)$/gm)].map(([, json]) => JSON.parse(json ?? '') as unknown);
  }
}
