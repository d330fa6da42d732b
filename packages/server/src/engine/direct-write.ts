import { Socket as NetSocket } from 'node:net';

/** The part of a stream that its implementer writes and its queue calls: one chunk, and a call when it has left. */
interface ImplementedStream {
  _write(data: Buffer | string, encoding: string, done: (error?: Error | null) => void): void;
}

/** Others that run programs for Node have another order, or none, below the queue. */
const IS_NODE = !('bun' in process.versions) && !('deno' in process.versions);

/** Whether {@link writeDirectly} can be used: a plain TCP connection, as Node made it. */
export function canWriteDirectly(net: NetSocket): boolean {
  if (!IS_NODE || !(net instanceof NetSocket) || 'encrypted' in net) return false;
  // oxlint-disable-next-line no-underscore-dangle -- the documented name
  return (net as unknown as ImplementedStream)._write === (NetSocket.prototype as ImplementedStream)._write;
}

// Of the write that is being handed over. One function for all of them, because one for each would be a tenth of what a
// delivery leaves to the garbage collector; a call that comes later is not told from others, and says nothing.
let isTaken = false;
let failure: Error | null | undefined;

function done(error?: Error | null): void {
  isTaken = true;
  failure = error;
}

/**
 * Hands bytes, or a text of bytes as its characters, to the kernel past the queue of the connection's stream. `true` when
 * that took all of it at once; else the rest has left before what is written to the stream next, as below the queue there
 * is one order. A connection that fails is destroyed, with what is written next at the latest.
 *
 * The stream must have nothing in its queue, and no second direct write may follow before the first was taken.
 *
 * An idle connection's queue is out of the processor's caches, and passing through it without waiting there is a tenth of
 * a write.
 */
export function writeDirectly(net: NetSocket, data: Buffer | string): boolean {
  isTaken = false;
  failure = undefined;
  // oxlint-disable-next-line no-underscore-dangle -- the documented name
  (net as unknown as ImplementedStream)._write(data, typeof data === 'string' ? 'latin1' : 'buffer', done);
  if (failure) net.destroy(failure);
  return isTaken;
}
