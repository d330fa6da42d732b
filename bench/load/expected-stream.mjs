/**
 * How the load generator checks every byte and still costs less than the fastest server: all subscribers of a channel must get the same
 * bytes. Whoever gets a message first checks it in full; the bytes of its frame are kept, and everybody else is checked by comparing
 * memory, whole chunks at once, wherever chunks begin and end. What does not compare is looked at frame by frame.
 */
const NO_BYTES = Buffer.alloc(0);

/** Owns what the subscribers of one channel must receive: the messages that were sent, and the frames that are known of them. */
export class ExpectedStream {
  /** How many messages were sent. Message `n` is number `n`. */
  sent = 0;
  /** Of how many messages the frame is known. */
  known = 0;
  /** Into which latencies are recorded. @type {import('./latencies.mjs').Latencies | undefined} */
  latencies;

  #subscribers;
  #onComplete;
  #mask;
  #sentAt;
  #remaining;
  #ends;
  /** The first message that not everybody has. */
  #lowest = 0;
  #buffer = Buffer.allocUnsafe(4096);
  /** Where the buffer begins and ends in the stream. */
  #base = 0;
  #end = 0;

  /**
   * @param {number} subscribers how many get each message
   * @param {number} inFlight how many messages may be in flight; a power of two
   * @param {() => void} onComplete a message has reached everybody
   */
  constructor(subscribers, inFlight, onComplete) {
    this.#subscribers = subscribers;
    this.#onComplete = onComplete;
    this.#mask = inFlight - 1;
    this.#sentAt = new Float64Array(inFlight);
    this.#remaining = new Int32Array(inFlight);
    this.#ends = new Float64Array(inFlight);
  }

  /** Whether so many messages are in flight, one that is lost among them, that no other can be told apart. */
  get isFull() {
    return this.sent - this.#lowest > this.#mask;
  }

  /**
   * A message is being sent. Not to be called when the stream is full.
   * @param {number} now
   */
  announce(now) {
    this.#sentAt[this.sent & this.#mask] = now;
    this.#remaining[this.sent & this.#mask] = this.#subscribers;
    this.sent += 1;
  }

  /** Whether these bytes are exactly what the stream has at `position`. */
  matches(position, bytes, start, end) {
    const at = position - this.#base;
    return (
      position + end - start <= this.#end &&
      this.#buffer.compare(bytes, start, end, at, at + end - start) === 0
    );
  }

  /**
   * A subscriber has the stream up to `position`, without a fault.
   * @param {number} first the first message it did not have
   * @returns {number} the first message it does not have now
   */
  arriveUpTo(position, first, now) {
    let number = first;
    let sentAt = 0;
    let count = 0;
    while (number < this.known && this.#ends[number & this.#mask] <= position) {
      const slot = number & this.#mask;
      // Messages that were sent together have one time.
      if (this.#sentAt[slot] !== sentAt) {
        if (count > 0) this.latencies?.record(now - sentAt, count);
        sentAt = this.#sentAt[slot];
        count = 0;
      }
      count += 1;
      this.#countOne(slot);
      number += 1;
    }
    if (count > 0) this.latencies?.record(now - sentAt, count);
    return number;
  }

  /** A subscriber has message `number`. */
  arrive(number, now) {
    const slot = number & this.#mask;
    this.latencies?.record(now - this.#sentAt[slot]);
    this.#countOne(slot);
  }

  /** Keeps the frame of the first message whose frame is not known: everybody must get the same. */
  learn(bytes, start, end) {
    const length = end - start;
    if (this.#end - this.#base + length > this.#buffer.length) this.#makeRoom(length);
    bytes.copy(this.#buffer, this.#end - this.#base, start, end);
    this.#end += length;
    this.#ends[this.known & this.#mask] = this.#end;
    this.known += 1;
  }

  /** Where the frame of message `number` begins; NaN when that cannot be known. */
  startOf(number) {
    if (number > this.known) return Number.NaN;
    return number === 0 ? 0 : this.#ends[(number - 1) & this.#mask];
  }

  /** What the stream has between two positions. */
  between(start, end) {
    return end > start ? this.#buffer.subarray(start - this.#base, end - this.#base) : NO_BYTES;
  }

  #countOne(slot) {
    this.#remaining[slot] -= 1;
    if (this.#remaining[slot] !== 0) return;
    while (this.#lowest < this.sent && this.#remaining[this.#lowest & this.#mask] === 0) this.#lowest += 1;
    this.#onComplete();
  }

  #makeRoom(length) {
    // Everybody is at the first message that somebody lacks, or behind it.
    const start = this.startOf(Math.min(this.#lowest, this.known));
    const live = this.between(start, this.#end);
    const needed = live.length + length;
    const roomy =
      needed * 2 > this.#buffer.length
        ? Buffer.allocUnsafe(2 ** Math.ceil(Math.log2(needed * 2)))
        : this.#buffer;
    live.copy(roomy, 0);
    this.#buffer = roomy;
    this.#base = start;
  }
}
