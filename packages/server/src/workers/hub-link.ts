import { connect, type Socket } from 'node:net';
import { BrokerError } from '@socketcluster-ts/core';
import type { BrokerLink, LinkHandlers } from '../cluster/broker-link.js';
import { encodeFrame, type HubFrame, HubFrameReader, KINDS, type Kind } from './hub-frames.js';

/** A hub that cut a worker off is there again at once; one that is gone takes the workers with it. */
const RECONNECT_DELAY_MS = 100;

interface Question {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * A link to the hub at a path, for `relayBroker()`: what `serve()` gives its workers, for processes of one machine that
 * something else supervises. One of them, or another process, has to call `openHub()` with that path.
 */
export function hubLink(path: string): BrokerLink {
  return new HubLink(path);
}

/** Owns the connection of one worker to the hub, through which the workers of a machine pass their messages. */
class HubLink implements BrokerLink {
  readonly #path: string;
  readonly #questions = new Map<number, Question>();
  #lastId = 0;
  #socket: Socket | undefined;
  #handlers: LinkHandlers | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  /** Whether what is written now leaves at the end of the run. */
  #isCorked = false;

  /** `path` is where the hub listens. */
  constructor(path: string) {
    this.#path = path;
  }

  connect(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    this.#open();
  }

  publish(channel: string, message: Uint8Array): Promise<void> {
    return this.#ask(KINDS.publish, channel, message);
  }

  subscribe(channel: string): Promise<void> {
    return this.#ask(KINDS.subscribe, channel);
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#ask(KINDS.unsubscribe, channel);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#socket = undefined;
    // Only once everything written before has left: the last publish of a worker that ends is one of them.
    if (socket !== undefined) await new Promise<void>((resolve) => void socket.end(resolve));
    socket?.destroy();
    this.#rejectAll(new BrokerError('The connection to the other workers was closed'));
    this.#handlers?.onStatus('closed');
  }

  #open(): void {
    const socket = connect(this.#path);
    const reader = new HubFrameReader((frame) => this.#take(frame));
    let failure: Error | undefined;
    socket.on('connect', () => {
      // Closed while it was connecting.
      if (this.#isClosed) {
        socket.destroy();
        return;
      }
      this.#socket = socket;
      this.#handlers?.onStatus('connected');
    });
    socket.on('data', (chunk) => {
      try {
        reader.read(chunk);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('error', (error) => (failure = error));
    socket.on('close', () => {
      if (this.#isClosed) return;
      this.#socket = undefined;
      this.#isCorked = false;
      const reason = new BrokerError('The connection to the other workers was lost', { cause: failure });
      this.#rejectAll(reason);
      this.#handlers?.onStatus('connecting', reason);
      this.#retry = setTimeout(() => this.#open(), RECONNECT_DELAY_MS);
    });
  }

  #take({ kind, id, channel, payload }: HubFrame): void {
    if (kind === KINDS.message) {
      this.#handlers?.onMessage(channel, payload);
      return;
    }
    if (kind === KINDS.lost) {
      this.#handlers?.onLost([channel]);
      return;
    }
    if (kind === KINDS.reach) {
      this.#handlers?.onPartial?.(payload[0] !== 1);
      return;
    }
    const question = this.#questions.get(id);
    this.#questions.delete(id);
    if (kind === KINDS.done) question?.resolve();
    else question?.reject(new BrokerError(Buffer.from(payload).toString()));
  }

  #ask(kind: Kind, channel: string, payload?: Uint8Array): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined)
      return Promise.reject(new BrokerError('There is no connection to the other workers'));
    // An id must fit its field; so many questions are never open at once.
    this.#lastId = this.#lastId === 0xff_ff_ff_ff ? 1 : this.#lastId + 1;
    const id = this.#lastId;
    this.#cork(socket);
    socket.write(encodeFrame(kind, id, channel, payload));
    return new Promise((resolve, reject) => this.#questions.set(id, { resolve, reject }));
  }

  /** One write for all questions of a run. */
  #cork(socket: Socket): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    socket.cork();
    queueMicrotask(() => {
      this.#isCorked = false;
      socket.uncork();
    });
  }

  #rejectAll(error: Error): void {
    const questions = [...this.#questions.values()];
    this.#questions.clear();
    for (const { reject } of questions) reject(error);
  }
}
