import { NumberedFrame } from './client-frame.mjs';
import { frameAt } from './frame-reader.mjs';
import { SequenceCheck } from './sequence-check.mjs';

const TEXT = 1;
/** Call ids all have as many digits, so that a prepared frame fits each of them. */
const FIRST_ID = 1_000_000;
/** What is sent with a call. */
const QUESTION = 'A question of forty bytes, more or less.';

/** Owns the calls of one connection. */
export class Caller {
  answered = 0;
  inFlight = 0;
  /** When the last answer arrived. */
  lastAt = 0;

  #connection;
  #faults;
  #latencies;
  #reply;
  #outstanding;
  #name;
  #check;
  #frame;
  #called = 0;
  #isRunning = false;
  #sentAt;
  /** How an answer looks before and behind its id, learned from the first. @type {{ before: Buffer, behind: Buffer } | undefined} */
  #template;
  /** @type {Buffer | undefined} */
  #rest;

  /**
   * @param {import('./connection.mjs').Connection} connection
   * @param {{ dialect: import('./dialects/dialect.mjs').Dialect, faults: import('./faults.mjs').Faults,
   *   latencies: import('./latencies.mjs').Latencies, reply: string, outstanding: number, name: string }} rest
   */
  constructor(connection, { dialect, faults, latencies, reply, outstanding, name }) {
    this.#connection = connection;
    this.#faults = faults;
    this.#latencies = latencies;
    this.#reply = reply;
    this.#outstanding = outstanding;
    this.#name = name;
    this.#check = new SequenceCheck(faults, name);
    this.#sentAt = new Float64Array(outstanding);
    this.#frame = new NumberedFrame(dialect.call(FIRST_ID, QUESTION), String(FIRST_ID));
    connection.onChunk = (chunk, length) => this.#take(chunk, length);
  }

  /** Keeps as many calls in flight as it may, until `stop()`. */
  start() {
    this.#isRunning = true;
    this.#fill();
  }

  stop() {
    this.#isRunning = false;
  }

  /** Counts what is missing at the end of a run. */
  finish() {
    this.#check.finish(this.#called);
  }

  #fill() {
    const count = this.#outstanding - this.inFlight;
    if (!this.#isRunning || count === 0) return;
    const now = performance.now();
    const length = this.#frame.bytes.length;
    const frames = Buffer.allocUnsafe(count * length);
    for (let index = 0; index < count; index += 1) {
      this.#frame.write(FIRST_ID + this.#called);
      this.#frame.bytes.copy(frames, index * length);
      this.#sentAt[this.#called % this.#outstanding] = now;
      this.#called += 1;
    }
    this.inFlight += count;
    this.#connection.sendFrames(frames);
  }

  #take(chunk, length) {
    this.lastAt = performance.now();
    let bytes = chunk;
    let limit = length;
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
      limit = bytes.length;
      this.#rest = undefined;
    }
    let at = 0;
    for (;;) {
      const { opcode, start, end } = frameAt(bytes, at, limit);
      if (end === -1) break;
      if (opcode === TEXT) this.#answer(bytes, start, end);
      else this.#connection.takeFrame(opcode, bytes, start, end);
      at = end;
    }
    if (at < limit) this.#rest = Buffer.from(bytes.subarray(at, limit));
    this.#fill();
  }

  #answer(bytes, start, end) {
    let number = this.#numberIn(bytes, start, end);
    if (number === -1) {
      const text = bytes.toString('utf8', start, end);
      const meaning = this.#connection.meaningOf(text);
      if (meaning === undefined) return;
      if (meaning.kind !== 'answer') return this.#connection.takeMeaning(meaning);
      if (meaning.data !== this.#reply) {
        this.#faults.add('corrupted', `${this.#name} got another answer: ${text.slice(0, 80)}`);
      }
      number = meaning.id - FIRST_ID;
      this.#learn(text, String(meaning.id));
    }
    if (!this.#check.accept(number, this.#called)) return;
    this.#latencies.record(this.lastAt - this.#sentAt[number % this.#outstanding]);
    this.answered += 1;
    this.inFlight -= 1;
  }

  /** The number of the call in an answer that looks like the first one but for its id; otherwise -1. */
  #numberIn(bytes, start, end) {
    if (this.#template === undefined) return -1;
    const { before, behind } = this.#template;
    const digitsStart = start + before.length;
    const digitsEnd = end - behind.length;
    if (
      digitsEnd - digitsStart !== 7 ||
      before.compare(bytes, start, digitsStart) !== 0 ||
      behind.compare(bytes, digitsEnd, end) !== 0
    ) {
      return -1;
    }
    let id = 0;
    for (let index = digitsStart; index < digitsEnd; index += 1) id = id * 10 + bytes[index] - 48;
    return id - FIRST_ID;
  }

  #learn(text, id) {
    if (this.#template !== undefined) return;
    const at = text.indexOf(id);
    this.#template = {
      before: Buffer.from(text.slice(0, at)),
      behind: Buffer.from(text.slice(at + id.length)),
    };
  }
}
