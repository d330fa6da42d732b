import { frameAt } from './frame-reader.mjs';
import { SequenceCheck } from './sequence-check.mjs';

const TEXT = 1;

/** Owns how far one subscriber is in the stream of its channel. */
export class StreamSubscriber {
  #name;
  #connection;
  #stream;
  #channel;
  #payloads;
  #check;
  #faults;
  #afterChunk;
  #position = 0;
  /** When the chunk arrived that is being looked at. */
  #now = 0;
  /** A part of a frame that is not known to the stream. @type {Buffer | undefined} */
  #rest;

  /**
   * Checks everything that `connection` receives from now on.
   * @param {import('./connection.mjs').Connection} connection
   * @param {import('./expected-stream.mjs').ExpectedStream} stream
   * @param {{ name: string, channel: string, payloads: import('./payload.mjs').Payloads, faults: import('./faults.mjs').Faults,
   *   afterChunk: () => void }} rest
   */
  constructor(connection, stream, { name, channel, payloads, faults, afterChunk }) {
    this.#connection = connection;
    this.#stream = stream;
    this.#channel = channel;
    this.#payloads = payloads;
    this.#faults = faults;
    this.#name = name;
    this.#check = new SequenceCheck(faults, name);
    this.#afterChunk = afterChunk;
    connection.onChunk = (chunk, length) => this.#take(chunk, length);
  }

  /** Counts what is missing at the end of a run. */
  finish() {
    this.#check.finish(this.#stream.sent);
  }

  #take(chunk, length) {
    this.#now = performance.now();
    if (this.#rest === undefined && this.#stream.matches(this.#position, chunk, 0, length)) {
      this.#position += length;
      this.#check.next = this.#stream.arriveUpTo(this.#position, this.#check.next, this.#now);
    } else this.#takeFrames(chunk.subarray(0, length));
    this.#afterChunk();
  }

  #takeFrames(chunk) {
    const stream = this.#stream;
    const check = this.#check;
    const begun = this.#rest ?? stream.between(stream.startOf(check.next), this.#position);
    const bytes = begun.length === 0 ? chunk : Buffer.concat([begun, chunk]);
    let at = 0;
    for (;;) {
      const { opcode, start, end } = frameAt(bytes, at, bytes.length);
      if (end === -1) break;
      if (check.next < stream.known && stream.matches(stream.startOf(check.next), bytes, at, end)) {
        stream.arrive(check.next, this.#now);
        check.next += 1;
      } else if (opcode === TEXT) this.#judge(bytes, at, start, end);
      else this.#connection.takeFrame(opcode, bytes, start, end);
      at = end;
    }
    this.#position = stream.startOf(check.next);
    this.#rest = undefined;
    if (at === bytes.length) return;
    if (stream.matches(this.#position, bytes, at, bytes.length)) this.#position += bytes.length - at;
    else this.#rest = Buffer.from(bytes.subarray(at));
  }

  /** Looks at a message that is not, byte by byte, what others got: the first copy of it, something else, or a fault. */
  #judge(bytes, at, start, end) {
    const meaning = this.#connection.meaningOf(bytes.toString('utf8', start, end));
    if (meaning !== undefined && meaning.kind !== 'delivery') return this.#connection.takeMeaning(meaning);
    const number = meaning?.channel === this.#channel ? this.#payloads.numberIn(meaning.data) : -1;
    if (number === -1) {
      if (meaning !== undefined)
        this.#faults.add(
          'corrupted',
          `${this.#name} got something else in place of message ${this.#check.next}`,
        );
      // It counts as the message that was due, or that one would be counted as lost as well.
      if (this.#check.next < this.#stream.sent) {
        this.#stream.arrive(this.#check.next, this.#now);
        this.#check.next += 1;
      }
    } else if (this.#check.accept(number, this.#stream.sent)) {
      if (number === this.#stream.known) this.#stream.learn(bytes, at, end);
      this.#stream.arrive(number, this.#now);
    }
  }
}
