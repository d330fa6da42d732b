import { Socket as NetSocket } from 'node:net';

/** The part of a stream that its implementer writes and its queue calls: one chunk, and a call when it has left. */
interface ImplementedStream {
  _write(data: Buffer | string, encoding: string, done: (error?: Error | null) => void): void;
}

/** Whose write it was. */
export interface DirectWriter {
  /** The network has taken all of a write that {@link writeDirectly} gave `false` for. */
  onTaken(): void;
}

/** Others that run programs for Node have another order, or none, below the queue. */
const IS_NODE = !('bun' in process.versions) && !('deno' in process.versions);

/** Whether {@link writeDirectly} can be used: a plain TCP connection, as Node made it. */
export function canWriteDirectly(net: NetSocket): boolean {
  if (!IS_NODE || !(net instanceof NetSocket) || 'encrypted' in net) return false;
  // oxlint-disable-next-line no-underscore-dangle -- the documented name
  return (net as unknown as ImplementedStream)._write === (NetSocket.prototype as ImplementedStream)._write;
}

/**
 * Hands bytes, or a text of bytes as its characters, to the kernel past the queue of the connection's stream. `true` when
 * that took all of it at once; else `writer` is told later. A connection that fails is destroyed.
 *
 * The stream must have nothing in its queue, and no second direct write may follow before the first was taken. What is
 * written to the stream meanwhile comes after it: below the queue there is one order.
 *
 * An idle connection's queue is out of the processor's caches, and passing through it without waiting there is a tenth of
 * a write.
 */
export function writeDirectly(net: NetSocket, data: Buffer | string, writer: DirectWriter): boolean {
  let isTaken = false;
  let isLate = false;
  // oxlint-disable-next-line no-underscore-dangle -- the documented name
  (net as unknown as ImplementedStream)._write(
    data,
    typeof data === 'string' ? 'latin1' : 'buffer',
    (error) => {
      isTaken = true;
      if (error) net.destroy(error);
      if (isLate) writer.onTaken();
    },
  );
  isLate = true;
  return isTaken;
}
