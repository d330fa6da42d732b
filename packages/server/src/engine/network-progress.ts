import type { Socket as NetSocket } from 'node:net';

/** What Node keeps of a connection in the kernel, behind what it keeps of TLS; not documented, and absent in some. */
interface WithHandle {
  readonly _handle?: (Handle & { readonly _parent?: Handle | null }) | null;
}

interface Handle {
  readonly writeQueueSize?: number;
}

/**
 * Another text each time the network has taken something of what was written to a connection.
 *
 * The documented counters move when a whole write has left, which may be megabytes; the size of the queue below them
 * moves with every packet. Where it is not known, whole writes are all there is to see. `goneBytes` is what has left, for who
 * writes past the stream's own count.
 */
export function networkProgress(net: NetSocket | undefined, goneBytes?: number): string {
  if (net === undefined) return '';
  const gone = goneBytes ?? net.bytesWritten - net.writableLength;
  const { _handle: handle } = net as WithHandle;
  // oxlint-disable-next-line no-underscore-dangle -- the name that Node gave it
  const queue = (handle?._parent ?? handle)?.writeQueueSize;
  return `${gone} ${queue ?? ''}`;
}
