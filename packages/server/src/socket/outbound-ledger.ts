/** Somebody for whom bytes wait. */
export interface Debtor {
  /** Has less wait, one way or another, and says so to the ledger. */
  relieve(): void;
}

/** Owns how much waits for the slow sockets of a server, and what was dropped for them. */
export class OutboundLedger {
  /** Messages that were dropped so far. */
  dropped = 0;
  /** Bytes that wait. */
  total = 0;
  readonly #limit: number;
  readonly #amounts = new Map<Debtor, number>();
  #isEnforcing = false;

  /** `limit` in bytes: beyond it the largest are relieved. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes note of how many bytes wait for somebody now. */
  set(debtor: Debtor, bytes: number): void {
    this.total += bytes - (this.#amounts.get(debtor) ?? 0);
    if (bytes > 0) this.#amounts.set(debtor, bytes);
    else this.#amounts.delete(debtor);
    if (this.total > this.#limit && !this.#isEnforcing) this.#enforce();
  }

  #enforce(): void {
    this.#isEnforcing = true;
    try {
      for (let largest = this.#largest(); largest !== undefined && this.total > this.#limit; ) {
        largest.relieve();
        largest = this.#largest();
      }
    } finally {
      this.#isEnforcing = false;
    }
  }

  #largest(): Debtor | undefined {
    let largest: Debtor | undefined;
    let most = 0;
    for (const [debtor, bytes] of this.#amounts) {
      if (bytes <= most) continue;
      most = bytes;
      largest = debtor;
    }
    return largest;
  }
}
