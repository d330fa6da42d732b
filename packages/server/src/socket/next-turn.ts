let turn: Promise<void> | undefined;

/**
 * Resolves in the next turn of the event loop. One promise and one immediate serve all who ask in the same turn, which
 * in a storm of connections are dozens.
 */
export function nextTurn(): Promise<void> {
  return (turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined;
      resolve();
    });
  }));
}
