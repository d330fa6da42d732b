import type { EncodedMessage } from '../exchange/publication.js';
import { readEnvelope } from './envelope.js';
import { EpochTable } from './epoch-table.js';
import { isLineChannel } from './relay-line.js';

/** What came from the engine. */
export interface InboxCounts {
  /** Messages of other nodes that were delivered here. */
  readonly received: number;
  /** Envelopes of another version, which were ignored. */
  readonly foreign: number;
  /** What came and was no envelope. */
  readonly malformed: number;
  /** Envelopes that an earlier connection of their node had sent, and that came after newer ones: ignored. */
  readonly stale: number;
}

/** Takes a message of another node. */
type Deliver = (channel: string, message: EncodedMessage, node: string) => void;

/** Owns the counts of what came from the engine; opens the envelopes of other nodes, and leaves out those of this one. */
export class Inbox {
  readonly #node: string;
  readonly #deliver: Deliver;
  readonly #epochs = new EpochTable();
  readonly #counts = { received: 0, foreign: 0, malformed: 0, stale: 0 };

  constructor(node: string, deliver: Deliver) {
    this.#node = node;
    this.#deliver = deliver;
  }

  get counts(): InboxCounts {
    return this.#counts;
  }

  /** Takes what the engine sent for a channel. */
  receive(channel: string, bytes: Uint8Array): void {
    const envelope = readEnvelope(bytes);
    if (typeof envelope === 'string') {
      this.#counts[envelope] += 1;
      return;
    }
    if (envelope.node === this.#node) return;
    if (!this.#epochs.admits(envelope.node, envelope.epoch)) {
      this.#counts.stale += 1;
      return;
    }
    for (const message of envelope.messages) {
      if (!isLineChannel(channel)) this.#counts.received += 1;
      this.#deliver(channel, message, envelope.node);
    }
  }
}
