import { BrokerError, InvalidArgumentsError } from '@socketcluster-ts/core';
import type { ClusterNodes } from './cluster-nodes.js';

/** The question that has another node act on a user. */
const KIND = 'user';

/** Has this node do what others ask for a user; `act` gives the number of sockets it was done to. */
export function serveUserActions(
  nodes: ClusterNodes,
  act: (id: string, action: unknown) => Promise<number>,
): void {
  nodes.handle(KIND, (question) => {
    const { id, action } = (question ?? {}) as { id?: unknown; action?: unknown };
    if (typeof id !== 'string' || typeof action !== 'object' || action === null)
      throw new InvalidArgumentsError('What is asked for a user must name the user and the action');
    return act(id, action);
  });
}

/**
 * Has the other nodes act on a user; gives the number of sockets it was done to.
 * @throws {BrokerError} when a node failed, or did not answer in time: it is named, and the others have acted
 */
export async function actElsewhere(
  nodes: ClusterNodes,
  question: { readonly id: string; readonly action: object },
  timeoutMs: number,
): Promise<number> {
  const { data, errors, missing } = await nodes.ask(KIND, question, timeoutMs);
  let sockets = 0;
  for (const count of data.values()) sockets += typeof count === 'number' ? count : 0;
  if (errors.size === 0 && missing.length === 0) return sockets;
  const failures = [...errors].map(([node, message]) => `node ${node}: ${message}`);
  if (missing.length > 0) failures.push(`no answer within ${timeoutMs} ms from node ${missing.join(', ')}`);
  throw new BrokerError(`Not done on every node of the cluster: ${failures.join('; ')}`);
}
