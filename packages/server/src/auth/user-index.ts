/** What names a user: text that is not empty, or a finite number. `5` and `'5'` are the same user. */
export type UserId = string | number;

/** Gives the text of a user's id; undefined for what names nobody. */
export function userIdText(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined;
}

/**
 * Owns which sockets belong to which user. A user is in it from the first of its sockets to the last.
 *
 * @typeParam S - the sockets
 */
export class UserIndex<S extends object> {
  /** Most users have one socket, which needs no set around it. */
  readonly #sockets = new Map<string, S | Set<S>>();

  /** How many users there are. */
  get size(): number {
    return this.#sockets.size;
  }

  /** Adds a socket to a user; without effect when it is there. */
  add(id: string, socket: S): void {
    const held = this.#sockets.get(id);
    if (held === undefined) this.#sockets.set(id, socket);
    else if (held instanceof Set) held.add(socket);
    else if (held !== socket) this.#sockets.set(id, new Set([held, socket]));
  }

  /** Takes a socket from a user; without effect when it is not there. */
  delete(id: string, socket: S): void {
    const held = this.#sockets.get(id);
    if (held === socket) {
      this.#sockets.delete(id);
    } else if (held instanceof Set) {
      held.delete(socket);
      const [only] = held;
      if (held.size === 1 && only !== undefined) this.#sockets.set(id, only);
    }
  }

  /** The sockets of a user at this moment, in the order in which they came. */
  of(id: string): S[] {
    const held = this.#sockets.get(id);
    if (held === undefined) return [];
    return held instanceof Set ? [...held] : [held];
  }
}
