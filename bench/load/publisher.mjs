import { NumberedFrame } from './client-frame.mjs';
import { digits } from './payload.mjs';

/** Owns the messages of one publisher: which are in flight, and which come next, in turn over all channels. */
export class Publisher {
  /** How many messages have not reached all their subscribers. */
  inFlight = 0;
  /** How many have. */
  completed = 0;

  #connection;
  #lanes;
  #turn = 0;
  #outstanding;
  #isRunning = false;
  #seen = 0;

  /**
   * @param {import('./connection.mjs').Connection} connection
   * @param {{ streams: Map<string, import('./expected-stream.mjs').ExpectedStream>, payloads: import('./payload.mjs').Payloads,
   *   dialect: import('./dialects/dialect.mjs').Dialect, outstanding: number }} rest by channel
   */
  constructor(connection, { streams, payloads, dialect, outstanding }) {
    this.#connection = connection;
    this.#outstanding = outstanding;
    this.#lanes = Array.from(streams, ([channel, stream]) => ({
      stream,
      frames: Array.from(
        { length: payloads.variants },
        (_, variant) => new NumberedFrame(dialect.publish(channel, payloads.text(variant)), digits(variant)),
      ),
    }));
  }

  /** A message has reached all its subscribers. */
  complete() {
    this.inFlight -= 1;
    this.completed += 1;
  }

  /** Keeps as many messages in flight as it may, until `stop()`. */
  start() {
    this.#isRunning = true;
    this.#fill();
  }

  stop() {
    this.#isRunning = false;
  }

  /** To be called when something has arrived. All that became possible leaves in one write. */
  next() {
    if (this.#seen === this.completed) return;
    this.#seen = this.completed;
    if (this.#isRunning) this.#fill();
  }

  /**
   * Sends messages, all in one write.
   * @param {number} count
   * @returns {boolean} whether all were sent; no more are when too many are in flight, as after a loss
   */
  send(count) {
    const now = performance.now();
    const frames = [];
    for (let index = 0; index < count; index += 1) {
      const { stream, frames: variants } = this.#lanes[this.#turn];
      if (stream.isFull) break;
      this.#turn = (this.#turn + 1) % this.#lanes.length;
      const frame = variants[stream.sent % variants.length];
      frame.write(stream.sent);
      stream.announce(now);
      // A copy, because the frame is used again before the write may be done.
      frames.push(Buffer.from(frame.bytes));
    }
    this.inFlight += frames.length;
    if (frames.length > 0)
      this.#connection.sendFrames(frames.length === 1 ? frames[0] : Buffer.concat(frames));
    return frames.length === count;
  }

  #fill() {
    const count = this.#outstanding - this.inFlight;
    if (count > 0) this.send(count);
  }
}
