/**
 * Calls a function for each item of a stream, as long as the stream lives. Returns at once.
 *
 * @template T
 * @param {AsyncIterable<T>} stream
 * @param {(item: T) => void} consume
 * @returns {void}
 */
export function each(stream, consume) {
  async function run() {
    for await (const item of stream) consume(item);
  }
  run().catch((error) => console.error(error));
}
