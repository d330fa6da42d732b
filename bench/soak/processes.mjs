/** The two processes of a soak run, as objects that are asked one thing after the other. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ANSWER_TIMEOUT_MS = 60_000;

/** Owns a child process that answers each message with one. */
export class AskedProcess {
  #child;
  #waiting;
  #ended;
  #errors = '';
  /** Whether it may end. */
  #isExpected = false;

  /**
   * @param {string} program relative to this file
   * @param {string[]} [programArguments]
   */
  constructor(program, programArguments = []) {
    this.#child = fork(fileURLToPath(new URL(program, import.meta.url)), programArguments, {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.#child.stderr.on('data', (chunk) => {
      this.#errors = (this.#errors + chunk).slice(-2000);
    });
    this.#child.on('message', (message) => this.#waiting?.resolve(message));
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        const why = `${program} ended with ${signal ?? code}\n${this.#errors}`;
        this.#waiting?.reject(new Error(why));
        resolve(this.#isExpected ? undefined : why);
      });
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** What it said when it ended although it should not have; undefined while it runs. */
  get unexpectedEnd() {
    const { exitCode, signalCode } = this.#child;
    return this.#isExpected || (exitCode === null && signalCode === null) ? undefined : this.#errors;
  }

  /** Settles with the next message. */
  async next(timeoutMs = ANSWER_TIMEOUT_MS) {
    let timer;
    try {
      const answer = await new Promise((resolve, reject) => {
        this.#waiting = { resolve, reject };
        timer = setTimeout(
          () => reject(new Error(`No answer within ${timeoutMs} ms.\n${this.#errors}`)),
          timeoutMs,
        );
      });
      if (answer.failure !== undefined) throw new Error(answer.failure);
      return answer;
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  /**
   * @param {object} message
   * @param {number} [timeoutMs]
   */
  ask(message, timeoutMs) {
    const answer = this.next(timeoutMs);
    this.#child.send(message);
    return answer;
  }

  async end() {
    this.#isExpected = true;
    if (this.#child.connected) this.#child.disconnect();
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await this.#ended;
    clearTimeout(kill);
  }
}
