import type { ChildProcess } from 'node:child_process';

/** The parts of the messages of `node:cluster` that say where a connection is; Node documents none of them. */
interface ClusterMessage {
  readonly cmd?: unknown;
  readonly act?: unknown;
  readonly seq?: unknown;
  readonly ack?: unknown;
}

/** A connection as `node:cluster` holds it. */
interface Handle {
  close(): void;
}

const CLUSTER = 'NODE_CLUSTER';
const NEW_CONNECTION = 'newconn';

/**
 * Closes, when a worker is gone, the connections that were passed to it and that it has not taken.
 *
 * Of itself Node closes its handle of such a connection only when the worker answers. A worker that dies before leaves
 * it open for as long as the supervisor lives, and its client waits for an answer until its own timeout, 20 s for most
 * (nodejs/node#21746). With another version of Node that names its messages differently nothing is closed; a test tells.
 */
export function closeUntaken(worker: ChildProcess): void {
  const untaken = new Map<unknown, Handle>();
  const send = worker.send.bind(worker) as (...given: unknown[]) => boolean;
  worker.send = (...given: unknown[]): boolean => {
    const [message, handle] = given as [ClusterMessage | null, Handle | undefined];
    if (message?.cmd === CLUSTER && message.act === NEW_CONNECTION && handle !== undefined)
      untaken.set(message.seq, handle);
    return send(...given);
  };
  worker.on('internalMessage', ({ cmd, ack }: ClusterMessage) => {
    if (cmd === CLUSTER) untaken.delete(ack);
  });
  // Its last answers are still read in this turn.
  worker.once('exit', () => setImmediate(() => closeAll(untaken)));
}

function closeAll(untaken: Map<unknown, Handle>): void {
  for (const handle of untaken.values()) handle.close();
  untaken.clear();
}
