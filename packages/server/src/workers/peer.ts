import type { Socket } from 'node:net';
import { encodeFrame, type HubFrame, HubFrameReader, KINDS } from './hub-frames.js';

/** A worker that has not read so much is cut off, and starts anew: the others must not pay for it. */
const MAX_UNSENT_BYTES = 64 * 1024 * 1024;

/** Owns the connection of one worker, at the hub. */
export class Peer {
  /** What the worker wants; kept by the switchboard. */
  readonly channels: Set<string> = new Set();
  /** The id under which the worker sends its messages, once one has come. */
  sender: string | undefined;
  readonly #socket: Socket;
  #isCorked = false;

  constructor(socket: Socket, onFrame: (frame: HubFrame) => void) {
    this.#socket = socket;
    const reader = new HubFrameReader(onFrame);
    socket.on('data', (chunk) => {
      try {
        reader.read(chunk);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    // The close says the rest.
    socket.on('error', () => {});
  }

  /** Sends a frame, at the end of the turn. */
  send(frame: Buffer): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    if (socket.writableLength > MAX_UNSENT_BYTES) {
      socket.destroy();
      return;
    }
    if (!this.#isCorked) {
      this.#isCorked = true;
      socket.cork();
      setImmediate(() => {
        this.#isCorked = false;
        socket.uncork();
      });
    }
    socket.write(frame);
  }

  /** Answers a question of the worker. */
  answer(id: number, error?: unknown): void {
    if (error === undefined) this.send(encodeFrame(KINDS.done, id, ''));
    else {
      const text = error instanceof Error ? error.message : String(error);
      this.send(encodeFrame(KINDS.failed, id, '', Buffer.from(text)));
    }
  }
}
