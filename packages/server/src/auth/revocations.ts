/** Owns the logins under way: what was found out about a token may be out of date by the time it takes effect. */
export class Revocations {
  readonly #watches = new Set<RevocationWatch>();

  /** How many logins are under way. */
  get size(): number {
    return this.#watches.size;
  }

  /** Follows what is announced from now on, until `end()`. */
  watch(): RevocationWatch {
    const watch = new RevocationWatch((ended) => this.#watches.delete(ended));
    this.#watches.add(watch);
    return watch;
  }

  /** Says that tokens of a user may have been revoked; without an id those of anybody. */
  announce(userId: string | undefined): void {
    for (const watch of this.#watches) watch.note(userId);
  }
}

/** So many users are told apart while a login is under way; of more it is assumed that everybody is meant. */
const MAX_USERS = 1000;

/** Owns what was announced while one login is under way. */
export class RevocationWatch {
  readonly #onEnd: (watch: RevocationWatch) => void;
  #users: Set<string> | undefined;
  #concernsAll = false;

  constructor(onEnd: (watch: RevocationWatch) => void) {
    this.#onEnd = onEnd;
  }

  note(userId: string | undefined): void {
    if (this.#concernsAll) return;
    this.#users ??= new Set();
    if (userId !== undefined && this.#users.size < MAX_USERS) this.#users.add(userId);
    else this.#concernsAll = true;
  }

  /** Whether anything was announced about the user since this was last asked. */
  concerns(userId: string | undefined): boolean {
    const isConcerned = this.#concernsAll || (userId !== undefined && this.#users?.has(userId) === true);
    this.#concernsAll = false;
    this.#users = undefined;
    return isConcerned;
  }

  end(): void {
    this.#onEnd(this);
  }
}
