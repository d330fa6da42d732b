import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./server.mjs', import.meta.url));

/** Owns a server process that can be restarted on its port. */
export class ServerProcess {
  #child;
  #name;
  #port;

  /**
   * @param {'ours' | 'upstream'} name
   * @param {number} port
   */
  constructor(name, port) {
    this.#name = name;
    this.#port = port;
  }

  get port() {
    return this.#port;
  }

  /** Starts it and resolves when it listens. */
  async start() {
    this.#child = fork(PROGRAM, [this.#name, String(this.#port)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await once(this.#child, 'message');
  }

  /** What the process says of itself. */
  async state() {
    const answer = once(this.#child, 'message');
    this.#child.send('?');
    const [state] = await answer;
    return state;
  }

  /**
   * Ends it and resolves with the ms that took.
   * @param {NodeJS.Signals} signal
   */
  async end(signal) {
    const before = performance.now();
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
    return performance.now() - before;
  }
}
