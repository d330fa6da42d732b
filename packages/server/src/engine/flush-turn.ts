/** Something with bytes held back until the end of the event-loop turn. */
export interface Flushable {
  flush(): void;
}

let dirty: Flushable[] = [];
let isExitWatched = false;

function flushAll(): void {
  const now = dirty;
  dirty = [];
  for (const connection of now) connection.flush();
}

/**
 * Has the connection flushed once, after the input that is ready now has been processed.
 *
 * A write costs the kernel microseconds whatever its size, so what many callbacks of one turn have to say to a
 * connection leaves in one write. `setImmediate` runs right after the poll phase, which is the end of the turn
 * for everything that arrived over sockets. One immediate serves all connections of the process. A process that exits
 * before has them flushed then: the kernel sends what it has taken.
 */
export function flushAtEndOfTurn(connection: Flushable): void {
  if (dirty.push(connection) !== 1) return;
  setImmediate(flushAll);
  if (isExitWatched) return;
  isExitWatched = true;
  process.once('exit', flushAll);
}
