/** Clients that are connected and do nothing: what each of them costs in memory. */
import { openConnections } from '../open-connections.mjs';
import { residentBytes } from '../process-cost.mjs';

/**
 * @typedef {object} Idle
 * @property {number} warmUp how many connect, and leave again, before it counts
 * @property {number} connections how many count
 * @property {number} subscriptions of each
 */

/** @param {import('../run.mjs').Run & { parameters: Idle }} run */
export async function idle(run) {
  const { parameters, pid } = run;
  const channels = Array.from({ length: parameters.subscriptions }, (_, index) => `channel-${index}`);
  const open = (count) => openConnections(run, { count, name: 'client', channelsOf: () => channels });

  // What every process has once and for all, such as compiled code, is there before it counts.
  const first = await open(parameters.warmUp);
  await Promise.all(first.map((connection) => connection.close()));
  await run.ask('collect');
  await run.ask('begin');
  const before = residentBytes(pid);
  const clients = await open(parameters.connections);
  await run.ask('collect');
  const memoryBytes = (residentBytes(pid) - before) / clients.length;
  await run.ask('end');
  return { operations: clients.length, memoryBytes };
}
