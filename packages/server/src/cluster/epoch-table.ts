/** Nodes that are remembered; more than a cluster has. */
const MAX_NODES = 4096;

/**
 * Owns which connection of each other node was heard of last.
 *
 * What a node had sent through a connection that broke may reach the engine after what it sent through the next one, when
 * the engine was held up with the first unread. Nobody was promised these messages, and they would come out of order.
 */
export class EpochTable {
  readonly #epochs = new Map<string, number>();

  /** Whether this is not older than what was heard of the node before. */
  admits(node: string, epoch: number): boolean {
    const known = this.#epochs.get(node);
    if (known === epoch) return true;
    if (known !== undefined && known > epoch) return false;
    if (known === undefined && this.#epochs.size >= MAX_NODES) {
      const [oldest] = this.#epochs.keys();
      if (oldest !== undefined) this.#epochs.delete(oldest);
    }
    this.#epochs.delete(node);
    this.#epochs.set(node, epoch);
    return true;
  }
}
