import { Deadline, type DeadlineScheduler, ResourceLimitError } from '@socketcluster-ts/core';

/** Without another refusal for so long, an episode is over. */
const EPISODE_MS = 10_000;

/** The refusals for one reason, from the first one on. */
class Episode extends Deadline<Refusals> {
  refused = 0;
}

/**
 * Owns what the operator hears of refused connections: for each reason one warning when it begins, and one with their
 * number when there was none for ten seconds. A flood must not become a flood of warnings.
 */
export class Refusals {
  readonly #deadlines: DeadlineScheduler;
  readonly #warn: (warning: Error) => void;
  readonly #episodes = new Map<string, Episode>();

  constructor(deadlines: DeadlineScheduler, warn: (warning: Error) => void) {
    this.#deadlines = deadlines;
    this.#warn = warn;
  }

  /** A connection was refused. `reason` is one of a few fixed texts. */
  count(reason: string): void {
    let episode = this.#episodes.get(reason);
    if (episode === undefined) {
      episode = new Episode((refusals) => refusals.#end(reason), this);
      this.#episodes.set(reason, episode);
      this.#warn(new ResourceLimitError(`Connections are refused: ${reason}`));
    }
    episode.refused += 1;
    this.#deadlines.schedule(episode, EPISODE_MS);
  }

  /** Nothing is told any more. */
  stop(): void {
    for (const episode of this.#episodes.values()) this.#deadlines.cancel(episode);
    this.#episodes.clear();
  }

  #end(reason: string): void {
    const refused = this.#episodes.get(reason)?.refused ?? 0;
    this.#episodes.delete(reason);
    this.#warn(new ResourceLimitError(`${refused} connections were refused, and none lately: ${reason}`));
  }
}
