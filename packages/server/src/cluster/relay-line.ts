import { jsonCodec } from '@socketcluster-ts/core';
import type { ClusterLine, ClusterLineHandlers } from '../exchange/cluster-line.js';
import type { EncodedMessage } from '../exchange/publication.js';

/** Where servers talk to each other: channels that no client can reach. */
const PREFIX = '#socketcluster/';
const EVERYBODY = `${PREFIX}nodes`;

/** Whether a channel belongs to the servers. */
export function isLineChannel(channel: string): boolean {
  return channel.startsWith(PREFIX);
}

/** What a line asks of its relay. */
export interface LineContext {
  readonly nodeId: string;
  /** Has the engine send a channel from now on. */
  want(channel: string): void;
  /** Sends to those who want the channel, if they can be reached now. */
  send(channel: string, text: string): void;
}

/** Owns the channels through which the servers of a cluster talk to each other; unused until somebody joins. */
export class RelayLine implements ClusterLine {
  readonly #context: LineContext;
  readonly #channels: readonly string[];
  #handlers: ClusterLineHandlers | undefined;

  constructor(context: LineContext) {
    this.#context = context;
    this.#channels = [EVERYBODY, PREFIX + context.nodeId];
  }

  get nodeId(): string {
    return this.#context.nodeId;
  }

  /** How many channels of its own the line has. */
  get channels(): number {
    return this.#handlers === undefined ? 0 : this.#channels.length;
  }

  join(handlers: ClusterLineHandlers): void {
    this.#handlers = handlers;
    for (const channel of this.#channels) this.#context.want(channel);
  }

  send(message: unknown, to?: string): void {
    this.#context.send(to === undefined ? EVERYBODY : PREFIX + to, String(jsonCodec.encode(message)));
  }

  /** Whether messages of the channel are for this node. */
  wants(channel: string): boolean {
    return this.#handlers !== undefined && this.#channels.includes(channel);
  }

  /** Takes a message of one of its channels. */
  receive(node: string, { bytes }: EncodedMessage): void {
    this.#handlers?.onMessage(node, jsonCodec.decode(Buffer.from(bytes).toString()));
  }

  /** The engine sends the channels of the line. */
  opened(): void {
    this.#handlers?.onOpen();
  }

  /** The relay is about to close. */
  closing(): void {
    this.#handlers?.onClosing();
  }
}
