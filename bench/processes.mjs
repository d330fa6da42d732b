/** The processes of one run: each on a core of its own where the system allows it, and each ended by the one that started it. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const LOAD_PROGRAM = fileURLToPath(new URL('./load/main.mjs', import.meta.url));
const SERVER_CORE = 0;
const LOAD_CORE = 1;
const START_TIMEOUT_MS = 15_000;
const END_TIMEOUT_MS = 15_000;
/** How much of what a process prints is kept for an error message. */
const KEPT_OUTPUT = 2000;

const canPin = availableParallelism() > 1 && isInstalled('taskset');

/** Whether server and load generator run on cores of their own. */
export const isPinned = canPin;

/** Owns a server process. */
export class ServerProcess {
  #child;
  /** @type {((message: any) => void)[]} */
  #expecting = [];
  #errors = '';
  #ended;

  /**
   * @param {[string, string[]]} command
   * @param {{ isFree?: boolean }} [placing] whether it may run on any core
   */
  constructor([program, programArguments], { isFree = false } = {}) {
    const [file, parameters] = isFree
      ? [program, programArguments]
      : pinned(SERVER_CORE, program, programArguments);
    this.#child = spawn(file, parameters, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr.on('data', (chunk) => {
      this.#errors = (this.#errors + chunk).slice(-KEPT_OUTPUT);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.#expecting.shift()?.(JSON.parse(line));
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? code}`));
    });
  }

  /** Settles with the port on which the server listens. */
  async listening() {
    const { port } = await this.#next(START_TIMEOUT_MS);
    return port;
  }

  get pid() {
    return this.#child.pid;
  }

  /** @param {string} question */
  async ask(question) {
    const answer = this.#next(START_TIMEOUT_MS);
    this.#child.stdin.write(`${question}\n`);
    return (await answer).answer;
  }

  /** What the server has complained about. */
  get errors() {
    return this.#errors;
  }

  /** Ends the server: at first by the end of its input, so that it can write its profile. */
  async end() {
    this.#child.stdin.on('error', () => {});
    this.#child.stdin.end();
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS);
    await this.#ended;
    clearTimeout(kill);
  }

  #next(timeoutMs) {
    return withDeadline(
      Promise.race([
        new Promise((resolve) => this.#expecting.push(resolve)),
        this.#ended.then((why) => {
          throw new Error(`The server is gone: ${why}\n${this.#errors}`);
        }),
      ]),
      timeoutMs,
      () => `The server did not answer within ${timeoutMs} ms.\n${this.#errors}`,
    );
  }
}

/**
 * Lets the load generator do one run.
 * @param {object} order what to do
 * @param {(question: string) => Promise<unknown>} ask asks the server
 * @param {number} timeoutMs
 */
export async function generateLoad(order, ask, timeoutMs) {
  const [file, parameters] = pinned(LOAD_CORE, process.execPath, ['--max-semi-space-size=32', LOAD_PROGRAM]);
  const child = spawn(file, parameters, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const report = new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (message.report !== undefined) return resolve(message.report);
      ask(message.question).then((answer) => child.send({ answer }), reject);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`The load generator ended with ${signal ?? code}.`)),
    );
  });
  child.send(order);
  try {
    return await withDeadline(report, timeoutMs, () => `The run did not end within ${timeoutMs} ms.`);
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      const kill = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
      if (child.connected) child.disconnect();
      await exited;
      clearTimeout(kill);
    }
  }
}

function pinned(core, program, parameters) {
  return canPin ? ['taskset', ['-c', String(core), program, ...parameters]] : [program, parameters];
}

function isInstalled(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function withDeadline(promise, milliseconds, message) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(message())), milliseconds);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
