import type { Writable } from 'node:stream';
import * as ws from 'ws';

/** Exported by `ws`, but missing in its types. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

/** One message of a stream of frames: text as a string, or bytes. */
export type Message = string | Buffer;

/** What a stream of frames says. */
export interface ReadFrames {
  readonly messages: readonly Message[];
  /** The code of the close frame, 1005 for none in it, or of the refusal; `undefined` while the stream goes on. */
  readonly closeCode: number | undefined;
  /** Whether the stream breaks the rules. */
  readonly isBroken: boolean;
}

/** Whose frames are read, and the limits of the reader. */
export interface FrameRules {
  /** Whether the reader is a server: then frames have to be masked. */
  readonly isServer: boolean;
  readonly maxPayload: number;
  readonly maxFragments: number;
}

/** What `ws` says that these bytes mean. It is the judge. */
export function readFrames(reads: readonly Uint8Array[], rules: FrameRules): ReadFrames {
  const messages: Message[] = [];
  let closeCode: number | undefined;
  let isBroken = false;
  const receiver = new Receiver({ ...rules, allowSynchronousEvents: true, maxBufferedChunks: 0 });
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    messages.push(isBinary ? Buffer.from(data) : data.toString());
  });
  receiver.on('conclude', (code: number) => (closeCode = code));
  for (const bytes of reads) {
    if (closeCode !== undefined) break;
    // What is unmasked is overwritten. Not by `write()`, which tells of errors later.
    // oxlint-disable-next-line no-underscore-dangle -- the name that streams give it
    receiver._write(Buffer.from(bytes), 'latin1', (error) => {
      if (!error) return;
      isBroken = true;
      closeCode = statusOf(error);
    });
  }
  return { messages, closeCode, isBroken };
}

/** The close code that an error of the receiver stands for; it has it under a symbol of its own. */
function statusOf(error: Error): number {
  const symbol = Object.getOwnPropertySymbols(error).find(({ description }) => description === 'status-code');
  return symbol === undefined ? 0 : ((error as unknown as Record<symbol, number>)[symbol] ?? 0);
}
