/** How often a message is given to the next owner of its slot, and how long the cluster has between two attempts, in milliseconds. */
const MAX_ATTEMPTS = 8;
const FIRST_DELAY_MS = 20;

/** Sends one message to the node that owns its slot now. */
export type SendToOwner = () => Promise<unknown>;

interface Job {
  readonly send: SendToOwner;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  attempts: number;
}

interface Lane {
  /** What was sent and not answered. */
  underWay: number;
  /** What was sent elsewhere, in the order of the answers, which is the order in which it was sent. */
  readonly redirected: Job[];
  /** What came since. */
  readonly behind: Job[];
}

/** Whether a node has not executed a command because another one has to. */
export function isRedirection(error: unknown): boolean {
  return error instanceof Error && /^(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN) ?/.test(error.message);
}

/** How long to wait before the attempt of this number, from 1. */
export function delayBefore(attempt: number): number {
  return FIRST_DELAY_MS * 2 ** (attempt - 1);
}

/** Whether an attempt of this number, from 1, is one too many. */
export function isLastAttempt(attempt: number): boolean {
  return attempt >= MAX_ATTEMPTS;
}

/**
 * Owns the order of what is sent to a slot while the slot moves: nothing overtakes a message that has to be sent again to the next
 * owner. Only messages that a node has refused to execute are sent again.
 */
export class SlotLanes {
  readonly #lanes = new Map<number, Lane>();
  readonly #refresh: () => Promise<void>;

  /** `refresh()` finds out who owns which slot; it never rejects. */
  constructor(refresh: () => Promise<void>) {
    this.#refresh = refresh;
  }

  /** Sends in the order of the calls; settles as the answer does. */
  run(slot: number, send: SendToOwner): Promise<void> {
    return new Promise((resolve, reject) => {
      let lane = this.#lanes.get(slot);
      if (lane === undefined) this.#lanes.set(slot, (lane = { underWay: 0, redirected: [], behind: [] }));
      const job: Job = { send, resolve, reject, attempts: 0 };
      if (lane.redirected.length > 0) lane.behind.push(job);
      else this.#send(slot, lane, job);
    });
  }

  #send(slot: number, lane: Lane, job: Job): void {
    lane.underWay += 1;
    job.attempts += 1;
    job.send().then(
      () => {
        lane.underWay -= 1;
        job.resolve();
        this.#goOn(slot, lane);
      },
      (error: unknown) => {
        lane.underWay -= 1;
        if (isRedirection(error) && !isLastAttempt(job.attempts)) lane.redirected.push(job);
        else job.reject(error);
        this.#goOn(slot, lane);
      },
    );
  }

  #goOn(slot: number, lane: Lane): void {
    if (lane.underWay > 0 || this.#lanes.get(slot) !== lane) return;
    const [first] = lane.redirected;
    if (first === undefined) {
      this.#lanes.delete(slot);
      return;
    }
    setTimeout(() => {
      void this.#refresh().then(() => this.#sendAgain(slot, lane));
    }, delayBefore(first.attempts));
  }

  #sendAgain(slot: number, lane: Lane): void {
    if (this.#lanes.get(slot) !== lane) return;
    const jobs = [...lane.redirected.splice(0), ...lane.behind.splice(0)];
    for (const job of jobs) this.#send(slot, lane, job);
  }

  /** Gives up what waits. */
  clear(error: Error): void {
    for (const { redirected, behind } of this.#lanes.values()) {
      for (const { reject } of [...redirected.splice(0), ...behind.splice(0)]) reject(error);
    }
    this.#lanes.clear();
  }
}
