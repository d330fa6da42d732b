import type { Message } from './read-frames.js';

/** What a server was told about packets. */
export interface PacketRules {
  readonly strictHandshake: boolean;
  readonly maxBatchPackets: number;
  readonly maxNameBytes: number;
  readonly maxAuthFailures: number;
}

/** How often a call has to be answered, at least and at most. */
export interface AnswerCount {
  least: number;
  most: number;
}

/** What `docs/protocol.md` says that has to come of messages. */
export interface Expected {
  /** By the number of the call. */
  readonly answers: ReadonlyMap<number, AnswerCount>;
  /** The server closes, with one of these; empty if it does not. */
  readonly closeCodes: readonly number[];
  /** The server may close with one of these. */
  readonly possibleCodes: readonly number[];
}

const TOO_EARLY = 4009;
const REJECTED = 4008;
const POLICY = 1008;

/** Calls that are answered whatever their data is. `fail` and `echo` are procedures of the application. */
const ANSWERED = new Set(['#authenticate', '#publish', '#subscribe', '#unsubscribe', 'echo', 'fail']);

/** Reads messages as the protocol does, with none of the code that the server reads them with. */
export function expect(messages: readonly Message[], rules: PacketRules): Expected {
  const model = new Model(rules);
  for (const message of messages) {
    if (model.closeCodes.length > 0) break;
    model.take(message);
  }
  return model;
}

class Model implements Expected {
  readonly answers: Map<number, AnswerCount> = new Map();
  closeCodes: readonly number[] = [];
  readonly possibleCodes: number[] = [];
  readonly #rules: PacketRules;
  #isOpen = false;
  #knowsAbort = false;
  #authentications = 0;

  constructor(rules: PacketRules) {
    this.#rules = rules;
  }

  take(message: Message): void {
    // A pong; in binary it is an empty text.
    if (message === '') {
      this.#isTooEarly();
      return;
    }
    const value = decode(message.toString());
    if (!Array.isArray(value)) {
      this.#takePacket(value);
      return;
    }
    if (value.length > this.#rules.maxBatchPackets) {
      this.closeCodes = this.#isOpen || !this.#rules.strictHandshake ? [POLICY] : [POLICY, TOO_EARLY];
      return;
    }
    for (const packet of value as unknown[]) {
      if (this.closeCodes.length > 0) return;
      this.#takePacket(packet);
    }
  }

  #isTooEarly(): boolean {
    if (this.#isOpen || !this.#rules.strictHandshake) return false;
    this.closeCodes = [TOO_EARLY];
    return true;
  }

  #takePacket(packet: unknown): void {
    const event = own(packet, 'event');
    if (typeof event !== 'string' || Array.isArray(packet)) {
      this.#isTooEarly();
      return;
    }
    const given = own(packet, 'cid');
    const cid = typeof given === 'number' && Number.isFinite(given) ? given : undefined;
    if (event === '#handshake') {
      this.#shakeHands(cid, own(packet, 'data'));
      return;
    }
    if (this.#isTooEarly()) return;
    if (event === '#authenticate') {
      this.#authentications += 1;
      if (this.#authentications > this.#rules.maxAuthFailures) this.possibleCodes.push(POLICY);
      if (cid === undefined) {
        this.closeCodes = [REJECTED];
        return;
      }
    }
    if (cid === undefined || event === '#removeAuthToken') return;
    const isWellFormed = Buffer.from(event).toString() === event;
    const isNamedWrongly = !isWellFormed || Buffer.byteLength(event) > this.#rules.maxNameBytes;
    const isAnswered = ANSWERED.has(event) || isNamedWrongly || (event === '#abort' && this.#knowsAbort);
    // A call that nobody answers is refused when too many calls are pending.
    this.#count(cid, isAnswered ? 1 : 0, 1);
  }

  #shakeHands(cid: number | undefined, data: unknown): void {
    if (cid === undefined) {
      this.closeCodes = [REJECTED];
      return;
    }
    this.#count(cid, 1, 1);
    if (this.#isOpen) return;
    this.#isOpen = true;
    const extensions = own(data, 'ext');
    this.#knowsAbort = Array.isArray(extensions) && extensions.includes('abort');
  }

  #count(cid: number, least: number, most: number): void {
    // -0 is 0 once it was sent.
    const count = this.answers.get(cid + 0);
    if (count === undefined) this.answers.set(cid + 0, { least, most });
    else {
      count.least += least;
      count.most += most;
    }
  }
}

function decode(text: string): unknown {
  if (!/^[ \t\r\n]*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function own(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}
