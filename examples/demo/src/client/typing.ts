import type { AGChannel } from '@socketcluster-ts/client';
import { contract } from '../shared/contract.js';
import { byId, element } from './element.js';
import type { DemoSocket } from './socket.js';

/** How often others are told that somebody is still writing. */
const TELL_MS = 2000;
/** So long after the last word of it nobody is said to write. */
const SHOWN_MS = 3500;

/** Owns who is writing in the open room: tells the others, and shows what they tell. */
export class Typing {
  readonly #socket: DemoSocket;
  readonly #box = byId('typing');
  readonly #writers = new Map<string, { readonly name: string; readonly timer: number }>();
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(socket: DemoSocket) {
    this.#socket = socket;
  }

  /** Tells the others in the room. Nobody waits for such news, so without a connection there are none. */
  tell(room: string, name: string): void {
    const now = performance.now();
    if (now - this.#toldAt < TELL_MS || this.#socket.state !== 'open') return;
    this.#toldAt = now;
    void this.#socket.transmit('typing', { room, name });
  }

  /** What was written is sent: the next word is news again. */
  finish(): void {
    this.#toldAt = Number.NEGATIVE_INFINITY;
  }

  /** Shows who writes in a room, until the channel is killed. */
  follow(room: string): Pick<AGChannel, 'unsubscribe' | 'kill'> {
    this.clear();
    const channel = this.#socket.subscribe(contract.channel('typing/:room', { room }));
    void channel.each(({ socketId, name }) => {
      if (socketId === this.#socket.id) return;
      window.clearTimeout(this.#writers.get(socketId)?.timer);
      const timer = window.setTimeout(() => this.#forget(socketId), SHOWN_MS);
      this.#writers.set(socketId, { name, timer });
      this.#paint();
    });
    return channel;
  }

  /** Somebody's message has come: they are done with it. */
  done(name: string): void {
    for (const [socketId, writer] of this.#writers) if (writer.name === name) this.#forget(socketId);
  }

  /** Nobody writes. */
  clear(): void {
    for (const socketId of this.#writers.keys()) this.#forget(socketId);
  }

  #forget(socketId: string): void {
    window.clearTimeout(this.#writers.get(socketId)?.timer);
    this.#writers.delete(socketId);
    this.#paint();
  }

  #paint(): void {
    const [first, ...others] = this.#writers.values();
    if (first === undefined) this.#box.replaceChildren();
    else if (others.length > 0) this.#box.replaceChildren(`${others.length + 1} are writing…`);
    else this.#box.replaceChildren(element('bdi', {}, first.name), ' is writing…');
  }
}
