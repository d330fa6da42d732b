/** Buckets per doubling: a value is known to about 2 %. */
const STEPS = 32;
const SMALLEST_MS = 0.001;
const BUCKETS = STEPS * 24;

/** Owns a histogram of latencies, from a microsecond to some seconds. */
export class Latencies {
  #counts = new Float64Array(BUCKETS);
  #total = 0;

  /**
   * @param {number} milliseconds
   * @param {number} [count] how many messages had this latency
   */
  record(milliseconds, count = 1) {
    const bucket = Math.round(Math.log2(Math.max(milliseconds, SMALLEST_MS) / SMALLEST_MS) * STEPS);
    this.#counts[Math.min(bucket, BUCKETS - 1)] += count;
    this.#total += count;
  }

  /** Forgets everything. */
  reset() {
    this.#counts.fill(0);
    this.#total = 0;
  }

  /**
   * The latency that `share` of all messages did not exceed.
   * @param {number} share between 0 and 1
   * @returns {number | null} milliseconds; null when there were no messages
   */
  percentile(share) {
    if (this.#total === 0) return null;
    let left = share * this.#total;
    const bucket = this.#counts.findIndex((count) => (left -= count) <= 0);
    return SMALLEST_MS * 2 ** ((bucket === -1 ? BUCKETS - 1 : bucket) / STEPS);
  }

  /** The percentiles that are reported, in milliseconds. */
  summary() {
    return { p50: this.percentile(0.5), p99: this.percentile(0.99), p999: this.percentile(0.999) };
  }
}
