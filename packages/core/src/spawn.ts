/**
 * Starts a task that nobody waits for, and gives every failure of it to `onError`: a synchronous throw as well as a
 * rejection. The task starts before `spawn()` returns.
 *
 * Every loop over a stream that the library runs in the background goes through here, so that none of them can end
 * as an unhandled rejection. `onError` must not throw.
 */
export function spawn(task: () => Promise<void> | void, onError: (error: unknown) => void): void {
  try {
    const running = task();
    if (running !== undefined) running.then(undefined, onError);
  } catch (error) {
    onError(error);
  }
}
