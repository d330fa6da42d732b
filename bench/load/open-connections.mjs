import { Connection } from './connection.mjs';

/**
 * Does something for each of `count`, several at a time.
 * @param {number} count
 * @param {number} atOnce
 * @param {(index: number) => Promise<void>} task
 */
export async function inParallel(count, atOnce, task) {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      next += 1;
      await task(next - 1);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}

/**
 * Opens connections and subscribes each of them.
 * @param {import('./run.mjs').Run} run
 * @param {{ count: number, name: string, token?: string, channelsOf?: (index: number) => string[], atOnce?: number }} wishes
 * @returns {Promise<Connection[]>}
 */
export async function openConnections(run, { count, name, token, channelsOf = () => [], atOnce = 64 }) {
  /** @type {Connection[]} */
  const connections = [];
  await inParallel(count, atOnce, async (index) => {
    const connection = new Connection(run, `${name} ${index}`);
    connections[index] = connection;
    await connection.open(token);
    for (const channel of channelsOf(index)) await connection.subscribe(channel);
  });
  return connections;
}
