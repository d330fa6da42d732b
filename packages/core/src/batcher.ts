/** The timers of a {@link Batcher}, those of the platform unless it is told otherwise. */
export interface BatchTimers {
  /** Calls `fn` once, after so many milliseconds. */
  setTimeout(fn: () => void, ms: number): unknown;
  /** Makes sure that it is not called. */
  clearTimeout(timer: unknown): void;
}

/**
 * Owns the packets that wait to be sent as one frame, and the timers that send them.
 *
 * Two modes that do not know of each other: a *batch* by hand (`startBatch()`, `flushBatch()`), and *batching* by an
 * interval (`startBatching()`), which is a series of batches. While either is on, `isBuffering` is true and packets
 * belong into `push()`.
 *
 * `sendBatch` is called with at least one packet, in the order of `push()`, and must not throw.
 */
export class Batcher<P> {
  readonly #sendBatch: (packets: P[]) => void;
  readonly #timers: BatchTimers;
  #packets: P[] = [];
  #isBuffering = false;
  #isBatching = false;
  #interval: unknown;
  #stopTimer: unknown;

  constructor(sendBatch: (packets: P[]) => void, timers: BatchTimers = globalThis) {
    this.#sendBatch = sendBatch;
    this.#timers = timers;
  }

  /** Whether `startBatching()` is in force. Batching for the handshake (`batchFor()`) does not count. */
  get isBatching(): boolean {
    return this.#isBatching;
  }

  /** Whether packets are to be pushed instead of sent. */
  get isBuffering(): boolean {
    return this.#isBuffering;
  }

  /** The packets that wait. */
  get packets(): readonly P[] {
    return this.#packets;
  }

  /** How many packets wait. */
  get size(): number {
    return this.#packets.length;
  }

  /**
   * Adds a packet to the batch that is being buffered.
   * @returns whether it was added; while nothing is being buffered it is not, and the caller sends it by itself
   */
  push(packet: P): boolean {
    if (!this.#isBuffering) return false;
    this.#packets.push(packet);
    return true;
  }

  /**
   * Buffers from now on.
   *
   * differs: packets that are already being buffered stay in the batch; upstream drops them.
   */
  startBatch(): void {
    this.#isBuffering = true;
  }

  /** Stops buffering and sends what was buffered, if anything. */
  flushBatch(): void {
    this.#isBuffering = false;
    this.#flush();
  }

  /** Stops buffering and gives what was buffered, which is not sent: `cancelBatch()` for who must account for it. */
  takeBatch(): P[] {
    this.#isBuffering = false;
    const packets = this.#packets;
    this.#packets = [];
    return packets;
  }

  /** Stops buffering and drops what was buffered. */
  cancelBatch(): void {
    this.takeBatch();
  }

  /** Buffers from now on, and sends what was buffered every `intervalMs` milliseconds, until stopped or cancelled. */
  startBatching(intervalMs: number): void {
    this.#isBatching = true;
    this.#startInterval(intervalMs);
  }

  /** Ends batching of either kind, and sends what was buffered. */
  stopBatching(): void {
    this.#endBatching();
    this.flushBatch();
  }

  /** Ends batching of either kind, and drops what was buffered. */
  cancelBatching(): void {
    this.#endBatching();
    this.cancelBatch();
  }

  /**
   * Batches for `durationMs` milliseconds, as after a handshake, without `isBatching` becoming true. At the end
   * batching goes on only if `startBatching()` was called meanwhile.
   */
  batchFor(durationMs: number, intervalMs: number): void {
    this.#timers.clearTimeout(this.#stopTimer);
    this.#stopTimer = this.#timers.setTimeout(() => {
      this.#stopTimer = undefined;
      if (!this.#isBatching) this.stopBatching();
    }, durationMs);
    if (!this.#isBatching) this.#startInterval(intervalMs);
  }

  /** Ends everything: no timer is left, and what was buffered is dropped. */
  dispose(): void {
    this.cancelBatching();
  }

  #startInterval(intervalMs: number): void {
    this.#timers.clearTimeout(this.#interval);
    this.#isBuffering = true;
    const interval = this.#timers.setTimeout(() => {
      this.#flush();
      // A batch by hand that was flushed meanwhile switched buffering off for the rest of that interval only.
      if (this.#interval === interval) this.#startInterval(intervalMs);
    }, intervalMs);
    this.#interval = interval;
  }

  #endBatching(): void {
    this.#isBatching = false;
    this.#timers.clearTimeout(this.#interval);
    this.#timers.clearTimeout(this.#stopTimer);
    this.#interval = undefined;
    this.#stopTimer = undefined;
  }

  #flush(): void {
    if (this.#packets.length === 0) return;
    const packets = this.#packets;
    this.#packets = [];
    this.#sendBatch(packets);
  }
}
