/** How many faults are described; the others are only counted. */
const DESCRIBED = 5;

/** @typedef {'lost' | 'duplicated' | 'reordered' | 'corrupted' | 'refused' | 'disconnected'} FaultKind */

/** Owns what went wrong in a run. A run with a fault is no result. */
export class Faults {
  /** @type {Record<FaultKind, number>} */
  counts = { lost: 0, duplicated: 0, reordered: 0, corrupted: 0, refused: 0, disconnected: 0 };
  /** @type {string[]} */
  descriptions = [];
  /** How many there are. */
  total = 0;

  /**
   * @param {FaultKind} kind
   * @param {string} description
   * @param {number} [count]
   */
  add(kind, description, count = 1) {
    this.counts[kind] += count;
    this.total += count;
    if (this.descriptions.length < DESCRIBED) this.descriptions.push(`${kind}: ${description}`);
  }
}
