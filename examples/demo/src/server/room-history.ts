import type { ChatMessage } from '../shared/contract.js';

const MAX_ROOMS = 200;
const MAX_MESSAGES = 30;

/** Owns the latest 30 messages of the 200 rooms written in last, in memory only. */
export class RoomHistory {
  readonly #rooms: Map<string, ChatMessage[]> = new Map();

  /** Keeps `message`; drops the room's oldest message, or the longest unused room, when there is no place left. */
  add(room: string, message: ChatMessage): void {
    const messages = this.#rooms.get(room) ?? [];
    messages.push(message);
    if (messages.length > MAX_MESSAGES) messages.shift();
    // Taken out and put back, so that the map's order is the order of use.
    this.#rooms.delete(room);
    this.#rooms.set(room, messages);
    if (this.#rooms.size > MAX_ROOMS) {
      const [oldest] = this.#rooms.keys();
      if (oldest !== undefined) this.#rooms.delete(oldest);
    }
  }

  /** The kept message of that id; `undefined` when there is none. */
  find(room: string, id: string): ChatMessage | undefined {
    return this.#rooms.get(room)?.find((message) => message.id === id);
  }

  /** The kept messages of a room, oldest first. */
  of(room: string): ChatMessage[] {
    return [...(this.#rooms.get(room) ?? [])];
  }
}
