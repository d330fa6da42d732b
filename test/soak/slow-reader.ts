import type { DeliveryChecker } from '@socketcluster-ts/testkit/delivery';
import { WebSocket } from 'ws';

/** Who a slow reader is, and what it reads. */
export interface SlowReaderOptions {
  readonly name: string;
  readonly port: number;
  readonly channel: string;
  readonly random: () => number;
  /** Absent for one that never reads, and so is not judged by what it gets. */
  readonly checker?: DeliveryChecker;
}

/** It reads for a while, and then does not, for up to so many ms. */
const READS_MS = 500;
const PAUSES_MS = 4000;
/** How long one that never reads stays, if the server lets it. */
const STAYS_MS = 60_000;
const AGAIN_AFTER_MS = 1000;

interface Packet {
  readonly event?: string;
  readonly rid?: number;
  readonly data?: { readonly channel?: string; readonly data?: unknown };
}

/**
 * Owns a connection whose other end reads slowly: it stops reading again and again, for seconds, and must get everything
 * all the same; or, without a checker, it never reads, is cut off by the server or by itself, and comes back.
 */
export class SlowReader {
  readonly faults: string[] = [];
  connects = 0;
  readonly #given: SlowReaderOptions;
  #ws: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasLeft = false;

  constructor(given: SlowReaderOptions) {
    this.#given = given;
    given.checker?.want(given.name, given.channel);
    this.#connect();
  }

  leave(): void {
    const { name, channel, checker } = this.#given;
    this.#hasLeft = true;
    clearTimeout(this.#timer);
    checker?.unsubscribe(name, channel);
    this.#ws?.terminate();
  }

  #connect(): void {
    const { name, port, checker } = this.#given;
    const ws = new WebSocket(`ws://127.0.0.1:${port}/socketcluster/`, { perMessageDeflate: false });
    this.#ws = ws;
    ws.on('error', () => {});
    ws.on('open', () => ws.send('{"event":"#handshake","data":{"authToken":null},"cid":1}'));
    ws.on('message', (data) => this.#read(ws, (data as Buffer).toString()));
    ws.on('close', (code) => {
      clearTimeout(this.#timer);
      if (this.#hasLeft) return;
      checker?.interrupt(name);
      if (checker !== undefined) this.faults.push(`${name} was cut off with ${code} although it reads`);
      this.#timer = setTimeout(() => this.#connect(), AGAIN_AFTER_MS);
    });
  }

  #read(ws: WebSocket, frame: string): void {
    if (frame === '') {
      ws.send('');
      return;
    }
    for (const packet of [JSON.parse(frame) as Packet | Packet[]].flat()) this.#take(ws, packet);
  }

  #take(ws: WebSocket, { event, rid, data }: Packet): void {
    const { name, channel, checker } = this.#given;
    if (rid === 1) {
      this.connects += 1;
      ws.send(JSON.stringify({ event: '#subscribe', data: { channel }, cid: 2 }));
    } else if (rid === 2) {
      checker?.subscribe(name, channel);
      this.#stopReading(ws);
    } else if (event === '#publish') checker?.deliver(name, data?.channel ?? '', data?.data);
  }

  #stopReading(ws: WebSocket): void {
    const { checker, random } = this.#given;
    ws.pause();
    if (checker === undefined) {
      this.#timer = setTimeout(() => ws.terminate(), STAYS_MS * random());
      return;
    }
    this.#timer = setTimeout(() => {
      ws.resume();
      this.#timer = setTimeout(() => this.#stopReading(ws), READS_MS);
    }, PAUSES_MS * random());
  }
}
