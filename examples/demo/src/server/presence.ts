/** Owns who is in which room, by socket id. */
export class Presence {
  readonly #rooms: Map<string, Set<string>> = new Map();

  /** Adds a socket to a room; gives the new count. */
  enter(room: string, socketId: string): number {
    const members = this.#rooms.get(room) ?? new Set();
    members.add(socketId);
    this.#rooms.set(room, members);
    return members.size;
  }

  /** Takes a socket out of a room; gives the new count. A room without anybody is forgotten. */
  leave(room: string, socketId: string): number {
    const members = this.#rooms.get(room);
    if (members === undefined) return 0;
    members.delete(socketId);
    if (members.size === 0) this.#rooms.delete(room);
    return members.size;
  }

  /** How many sockets are in a room. */
  count(room: string): number {
    return this.#rooms.get(room)?.size ?? 0;
  }
}
