/**
 * Clients that come and go: each connects, subscribes to a room and to a channel of its own, publishes to itself, hears the room, and
 * leaves, some without a word. What they do is drawn at random, the same in every run.
 */
import { Connection } from '../connection.mjs';
import { Latencies } from '../latencies.mjs';
import { Meter } from '../meter.mjs';
import { inParallel } from '../open-connections.mjs';
import { Payloads } from '../payload.mjs';
import { SequenceCheck } from '../sequence-check.mjs';

/**
 * @typedef {object} Churn
 * @property {number} warmUp lives before it counts
 * @property {number} lives how many count
 * @property {number} atOnce how many live at any time
 * @property {number} bytes of a message
 * @property {number} stallMs
 */

const ROOM = 'room';
const MOST_OWN_MESSAGES = 5;
const MOST_ROOM_MESSAGES = 3;

/** @param {import('../run.mjs').Run & { parameters: Churn }} run */
export async function churn(run) {
  const { parameters } = run;
  const room = new Room(run);
  await room.open();
  const latencies = new Latencies();
  const live = (index) => new Life(run, room, `client ${index}`).live(randomNumbers(index), latencies);

  await inParallel(parameters.warmUp, parameters.atOnce, live);
  latencies.reset();
  const meter = new Meter(run);
  await meter.begin();
  await inParallel(parameters.lives, parameters.atOnce, live);
  return { ...(await meter.end(parameters.lives)), latencyMs: latencies.summary() };
}

/** Owns the publisher of the room, and how much it has published. */
class Room {
  sent = 0;
  #run;
  #payloads;
  #publisher;

  constructor(run) {
    this.#run = run;
    this.#payloads = new Payloads(run.parameters.bytes);
    this.#publisher = new Connection(run, 'publisher');
  }

  async open() {
    await this.#publisher.open();
  }

  /** Publishes so many messages, and says how many there were in all. */
  publish(count) {
    for (let index = 0; index < count; index += 1) {
      this.#publisher.send(this.#run.dialect.publish(ROOM, this.#payloads.text(this.sent)));
      this.sent += 1;
    }
    return this.sent;
  }
}

/** Owns one client, from its coming to its leaving. */
class Life {
  #run;
  #room;
  #name;
  #payloads;
  #connection;
  #own;
  #ownCheck;
  #ownSent = 0;
  /** What it hears of the room begins somewhere, and has no gap from there on. @type {SequenceCheck | undefined} */
  #roomCheck;
  #heard = 0;
  /** Who waits for a message. @type {(() => void) | undefined} */
  #changed;

  /**
   * @param {import('../run.mjs').Run} run
   * @param {Room} room
   * @param {string} name
   */
  constructor(run, room, name) {
    this.#run = run;
    this.#room = room;
    this.#name = name;
    this.#payloads = new Payloads(run.parameters.bytes);
    this.#connection = new Connection(run, name);
    this.#connection.onDelivery = (channel, data) => this.#hear(channel, data);
    this.#own = `of ${name}`;
    this.#ownCheck = new SequenceCheck(run.faults, `${name} of its own`);
  }

  /**
   * @param {() => number} random
   * @param {Latencies} latencies takes the time until it is subscribed
   */
  async live(random, latencies) {
    const begin = performance.now();
    await this.#connection.open();
    await this.#connection.subscribe(ROOM);
    // Whatever is published from here on must reach it.
    const firstDue = this.#room.sent;
    await this.#connection.subscribe(this.#own);
    latencies.record(performance.now() - begin);
    const ownMessages = 1 + Math.floor(random() * MOST_OWN_MESSAGES);
    while (this.#ownSent < ownMessages) {
      this.#connection.send(this.#run.dialect.publish(this.#own, this.#payloads.text(this.#ownSent)));
      this.#ownSent += 1;
    }
    await this.#until(() => this.#ownCheck.next === ownMessages);
    const goal = this.#room.publish(1 + Math.floor(random() * MOST_ROOM_MESSAGES));
    await this.#until(() => this.#roomCheck !== undefined && this.#roomCheck.next >= goal);
    const due = goal - firstDue;
    if (this.#heard < due) {
      this.#run.faults.add('lost', `${this.#name} heard ${this.#heard} of ${due} messages`);
    }
    if (random() < 0.5) this.#connection.destroy();
    else await this.#connection.close();
  }

  #hear(channel, data) {
    const { faults } = this.#run;
    const number = this.#payloads.numberIn(data);
    if (number === -1) faults.add('corrupted', `${this.#name} got something that nobody sent`);
    else if (channel === this.#own) this.#ownCheck.accept(number, this.#ownSent);
    else {
      if (this.#roomCheck === undefined) {
        this.#roomCheck = new SequenceCheck(faults, `${this.#name} of the room`);
        this.#roomCheck.next = number;
      }
      this.#roomCheck.accept(number, this.#room.sent);
      this.#heard += 1;
    }
    if (this.#ownCheck.hasGap || this.#roomCheck?.hasGap) faults.add('lost', `${this.#name} has a gap`);
    this.#changed?.();
  }

  #until(condition) {
    const { stallMs } = this.#run.parameters;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#run.faults.add('lost', `${this.#name} waits in vain`);
        reject(new Error(`${this.#name} waits in vain`));
      }, stallMs);
      this.#changed = () => {
        if (!condition()) return;
        clearTimeout(timer);
        resolve();
      };
      this.#changed();
    });
  }
}

/** A small generator of random numbers between 0 and 1, which begins anew in each run (mulberry32). */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
