/**
 * Hands every value of `stream` to `handler`, one after the other, until the stream ends.
 *
 * The consumer exists from the call on. What `handler` throws ends the loop and rejects the returned promise,
 * which a test may ignore only if the handler cannot throw.
 */
export async function consume<T>(stream: AsyncIterable<T>, handler: (value: T) => unknown): Promise<void> {
  for await (const value of stream) await handler(value);
}

/** Gives an array that grows with every value written to `stream` from this call on. */
export function collected<T>(stream: AsyncIterable<T>): T[] {
  const values: T[] = [];
  void consume(stream, (value) => values.push(value));
  return values;
}
