import type { Packet } from '@socketcluster-ts/testkit';

/** What a middleware can say about a publish. */
export type Decision = 'allow' | 'block' | 'replace';

/** What all clients of a server have in common. */
export interface ModelServer {
  /** Whether an outbound middleware is set. */
  isAsking: boolean;
}

interface Entry {
  readonly event: string;
  readonly data: unknown;
}

/** One packet in a line of text, without what a model cannot know: the number of a call of the server. */
export function summary({ rid, event, data, error }: Packet): string {
  if (rid !== undefined)
    return `answer to ${String(rid)}: ${error === undefined ? show(data) : `error ${error.message}`}`;
  return `${event} ${show(event === '#publish' ? (data as { data: unknown }).data : data)}`;
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

/**
 * What one client must receive, and in which order, as simply as it can be said: an ordered lane, which a publish
 * holds up until the middleware has decided about it, and the batch that is being buffered.
 *
 * Of batching by an interval nobody knows when a batch leaves; but what leaves is in the order of writing, so here it is
 * as if every packet left at once.
 */
export class WireModel {
  readonly wire: string[] = [];
  /** Who batches: nobody, the application, or the clock. */
  batching: 'off' | 'by hand' | 'by interval' = 'off';
  isClosed = false;
  readonly #server: ModelServer;
  #asked: Entry | undefined;
  #lane: Entry[] = [];
  #buffer: string[] = [];

  constructor(server: ModelServer) {
    this.#server = server;
  }

  get isUndecided(): boolean {
    return this.#asked !== undefined;
  }

  /** An event or call of the server, or a publish. */
  send(event: string, data: unknown): void {
    if (this.isClosed) return;
    this.#lane.push({ event, data });
    this.#drain();
  }

  /** An answer: it does not wait in the lane. */
  answer(rid: number, data: unknown): void {
    if (!this.isClosed) this.#write(summary({ rid, data }));
  }

  fail(rid: number, message: string): void {
    if (!this.isClosed) this.#write(summary({ rid, error: { message } }));
  }

  /** A message past everything. */
  sendRaw(event: string, data: unknown): void {
    if (!this.isClosed) this.wire.push(summary({ event, data }));
  }

  /** The middleware decided about the publish that holds up the lane. */
  decide(decision: Decision): void {
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked === undefined) return;
    if (decision !== 'block') this.#writeEntry(decision === 'allow' ? asked : replaced(asked));
    this.#drain();
  }

  startBatch(): void {
    if (this.batching === 'off') this.batching = 'by hand';
  }

  startBatching(): void {
    this.batching = 'by interval';
    this.#flush();
  }

  /** `flushBatch()` and `stopBatching()`: an interval goes on after the first, which is nothing to the order. */
  endBatch(isInterval: boolean): void {
    if (this.batching !== 'by interval' || isInterval) this.batching = 'off';
    this.#flush();
  }

  cancelBatch(): void {
    this.batching = 'off';
    this.#buffer = [];
  }

  /** A close by the server: everything leaves before it but publishes about which nobody has decided. */
  disconnect(): void {
    this.#asked = undefined;
    const left = this.#lane;
    this.#lane = [];
    for (const entry of left) if (!this.#mustAsk(entry)) this.#writeEntry(entry);
    this.#flush();
    this.isClosed = true;
  }

  #drain(): void {
    while (this.#asked === undefined) {
      const entry = this.#lane.shift();
      if (entry === undefined) return;
      if (this.#mustAsk(entry)) this.#asked = entry;
      else this.#writeEntry(entry);
    }
  }

  #mustAsk({ event }: Entry): boolean {
    return event === '#publish' && this.#server.isAsking;
  }

  #writeEntry(entry: Entry): void {
    this.#write(summary(entry));
  }

  #write(packet: string): void {
    if (this.batching === 'by hand') this.#buffer.push(packet);
    else this.wire.push(packet);
  }

  #flush(): void {
    this.wire.push(...this.#buffer);
    this.#buffer = [];
  }
}

function replaced({ event, data }: Entry): Entry {
  return { event, data: { ...(data as object), data: 'replaced' } };
}
