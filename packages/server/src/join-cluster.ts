import type { DeadlineScheduler } from '@socketcluster-ts/core';
import type { BrokerEngine, BrokerExchange } from './exchange/broker-engine.js';
import { ClusterNodes } from './nodes/cluster-nodes.js';
import { serveUserActions } from './nodes/cluster-users.js';
import { measureCpu } from './nodes/cpu-share.js';
import { performUserAction } from './perform-user-action.js';
import type { UserAction } from './user-action.js';
import { UserSockets, type UserSource } from './user-sockets.js';

/** The server that joins. */
export interface ClusterMember {
  readonly deadlines: DeadlineScheduler;
  readonly clients: Readonly<Record<string, { isSubscribed(channel: string): boolean }>>;
  readonly clientsCount: number;
  readonly usersCount: number;
  readonly brokerEngine: BrokerEngine;
  readonly exchange: BrokerExchange;
  emitWarning(warning: unknown): void;
}

/**
 * Has a server tell the other nodes of its cluster how it is, and do what they ask. Without a cluster its node is the
 * only one.
 *
 * @param users - the users of this node
 */
export function joinCluster(server: ClusterMember, users: UserSource): ClusterNodes {
  const cpu = measureCpu();
  const nodes = new ClusterNodes(
    {
      deadlines: server.deadlines,
      load: () => ({
        clients: server.clientsCount,
        users: server.usersCount,
        channels: server.brokerEngine.subscriptions().length,
        rssBytes: process.memoryUsage.rss(),
        cpu: cpu(),
      }),
      countSubscribers: (channel) => countSubscribers(server, channel),
      emitWarning: (warning) => server.emitWarning(warning),
    },
    server.brokerEngine.line,
  );
  serveUserActions(nodes, (id, action) =>
    performUserAction(new UserSockets(id, users), action as UserAction),
  );
  server.exchange.useCluster?.(nodes);
  return nodes;
}

/** The clients of this node that are subscribed to a channel; the exchange is none. */
function countSubscribers({ brokerEngine, exchange, clients }: ClusterMember, channel: string): number {
  if (brokerEngine.countSubscribers === undefined)
    return Object.values(clients).filter((socket) => socket.isSubscribed(channel)).length;
  return brokerEngine.countSubscribers(channel) - (exchange.isSubscribed(channel) ? 1 : 0);
}
