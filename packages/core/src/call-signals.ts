import { AbortError } from './errors.js';

/** The end of interest in one call of the peer. */
export interface CallSignal {
  readonly signal: AbortSignal;
  /** The call was answered: its signal is not aborted any more. */
  close(): void;
}

/** How many calls that were aborted before somebody asked for their signal are remembered; the oldest are forgotten. */
const MAX_REMEMBERED = 256;

/**
 * Owns the signals of the calls of one peer: those that somebody asked for and that are not answered yet.
 *
 * A call that nobody asks about costs nothing. One that is aborted before, while it waits for its turn, is remembered
 * by its number, so that its signal is aborted from the start.
 */
export class CallSignals {
  /** A peer that uses one number for several calls has one set of them. */
  readonly #open = new Map<number, Set<AbortController>>();
  readonly #aborted = new Set<number>();
  #end: { readonly reason: unknown } | undefined;

  /** How many signals are open. */
  get size(): number {
    let size = 0;
    for (const controllers of this.#open.values()) size += controllers.size;
    return size;
  }

  /** The signal of one call. */
  open(cid: number): CallSignal {
    const controller = new AbortController();
    const { signal } = controller;
    if (this.#end !== undefined) controller.abort(this.#end.reason);
    else if (this.#aborted.has(cid)) controller.abort(callAborted(cid));
    else {
      const controllers = this.#open.get(cid);
      if (controllers === undefined) this.#open.set(cid, new Set([controller]));
      else controllers.add(controller);
    }
    return { signal, close: () => this.#close(cid, controller) };
  }

  #close(cid: number, controller: AbortController): void {
    const controllers = this.#open.get(cid);
    if (controllers?.delete(controller) === true && controllers.size === 0) this.#open.delete(cid);
  }

  /** The caller does not want the answer any more. Gives how many signals that aborts. */
  abort(cid: number): number {
    const controllers = this.#open.get(cid);
    if (controllers !== undefined) {
      this.#open.delete(cid);
      for (const controller of controllers) controller.abort(callAborted(cid));
      return controllers.size;
    }
    this.#aborted.add(cid);
    if (this.#aborted.size > MAX_REMEMBERED) {
      const [oldest] = this.#aborted;
      this.#aborted.delete(oldest as number);
    }
    return 0;
  }

  /** The caller is gone: all signals are aborted with this reason, and those that are asked for later. */
  end(reason: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { reason };
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const controllers of open) for (const controller of controllers) controller.abort(reason);
  }
}

function callAborted(cid: number): AbortError {
  return new AbortError(`The caller gave up call ${cid}`);
}
