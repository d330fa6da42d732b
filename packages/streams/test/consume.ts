/** A loop that runs in the background. */
export interface Loop<T> {
  /** What the loop got so far. */
  readonly values: T[];
  /** Settles when the loop ends, with its error if it threw. */
  readonly ended: Promise<void>;
}

/** Starts a `for await` loop over a stream; registered when this returns. */
export function consume<T>(stream: AsyncIterable<T>, body?: (value: T) => unknown): Loop<T> {
  const values: T[] = [];
  const run = async (): Promise<void> => {
    for await (const value of stream) {
      values.push(value);
      await body?.(value);
    }
  };
  return { values, ended: run() };
}
