/** Owns how many messages were dropped for one socket: in all, and by channel what the client was not told yet. */
export class DroppedMessages {
  /** So far. */
  count = 0;
  #byChannel: Map<string, number> | undefined;

  add(channel: string): void {
    this.count += 1;
    this.#byChannel ??= new Map();
    this.#byChannel.set(channel, (this.#byChannel.get(channel) ?? 0) + 1);
  }

  /** How many were dropped of each channel since it was asked last. */
  take(): Iterable<readonly [string, number]> {
    const taken = this.#byChannel ?? [];
    this.#byChannel = undefined;
    return taken;
  }
}
