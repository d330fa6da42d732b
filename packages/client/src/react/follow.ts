import type { ConsumableStream } from '@socketcluster-ts/streams';

/**
 * Calls a function with each value of a stream from now on, and gives the function that stops it. A promise is waited
 * for, so that values stay in order; what waits is the backpressure of the stream. An error ends nothing.
 */
export function follow<T>(
  stream: ConsumableStream<T>,
  handle: (value: T) => unknown,
  onError?: (error: unknown) => void,
): () => void {
  const consumer = stream.createConsumer();
  let isStopped = false;
  void (async () => {
    for await (const value of consumer) {
      // A value may be on its way already when it is stopped.
      if (isStopped) return;
      try {
        await handle(value);
      } catch (error) {
        onError?.(error);
      }
    }
  })();
  return () => {
    isStopped = true;
    void consumer.return();
  };
}
