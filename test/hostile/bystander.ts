import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { withDeadline } from '@socketcluster-ts/testkit';

/** How a bystander fared since it was last asked. */
export interface BystanderReport {
  /** Messages that arrived, once and in order. */
  readonly rounds: number;
  /** The longest that a message and its acknowledgement took, in ms. */
  readonly worstMs: number;
  /** What was wrong: a message that came late, twice, or out of order; an error; an end of the connection. */
  readonly faults: readonly string[];
}

interface Note {
  readonly ready?: true;
  /** One more message has made its way, or something is wrong. */
  readonly news?: 'round' | 'fault';
  readonly report?: BystanderReport;
}

/** How long a message may take: far longer than it does, since machines are busy. */
const MESSAGE_DEADLINE_MS = 3000;
const PAUSE_MS = 5;

/** Owns a process with a well-behaved client that keeps publishing to itself, and demands that nothing ever comes of the attacks. */
export class Bystander {
  readonly #process: ChildProcess;

  /** Wraps a process; use {@link Bystander.watch}. */
  constructor(child: ChildProcess) {
    this.#process = child;
  }

  /** Connects one to the server, from an address that no attacker has. */
  static async watch(url: string): Promise<Bystander> {
    const order = { url, localAddress: bystanderAddress, deadlineMs: MESSAGE_DEADLINE_MS, pauseMs: PAUSE_MS };
    const program = fileURLToPath(new URL('./bystander-loop.mjs', import.meta.url));
    const bystander = new Bystander(fork(program, [JSON.stringify(order)], { execArgv: [] }));
    await bystander.#note((note) => note.ready === true);
    return bystander;
  }

  /** Resolves when another `count` messages have made their way, or what is wrong was noted. */
  async rounds(count: number): Promise<void> {
    let left = count;
    await this.#note(({ news }) => news === 'fault' || (news === 'round' && (left -= 1) <= 0));
  }

  /** How it fared since the last time. */
  async report(): Promise<BystanderReport> {
    const answer = this.#note((note) => note.report !== undefined);
    this.#process.send('report');
    return (await answer).report as BystanderReport;
  }

  async leave(): Promise<void> {
    const gone = once(this.#process, 'exit');
    this.#process.kill();
    await gone;
  }

  #note(isWanted: (note: Note) => boolean): Promise<Note> {
    const wanted = new Promise<Note>((resolve) => {
      const look = (note: Note): void => {
        if (!isWanted(note)) return;
        this.#process.off('message', look);
        resolve(note);
      };
      this.#process.on('message', look);
    });
    return withDeadline(wanted, 'the bystander', 2 * MESSAGE_DEADLINE_MS);
  }
}

/** Where well-behaved clients come from: limits for an address are not theirs to share with attackers. */
export const bystanderAddress: string | undefined = process.platform === 'linux' ? '127.0.0.2' : undefined;
