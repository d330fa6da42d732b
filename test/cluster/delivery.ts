import { type AGClientSocket, create } from '@socketcluster-ts/client';
import { afterTest, until } from '@socketcluster-ts/testkit';
import published from 'socketcluster-client';
import { CLUSTER_DEADLINE_MS, type ClusterNode, publish } from './cluster-node.js';

/** What went wrong, in messages; all zero when nothing did. */
export interface Verdict {
  /** Deliveries that did not happen. */
  readonly missing: number;
  /** Deliveries that happened again. */
  readonly duplicates: number;
  /** Deliveries before an earlier message of the same publisher. */
  readonly outOfOrder: number;
  /** Publishes that were answered with an error. */
  readonly refused: number;
}

/** One numbered message. */
interface Numbered {
  readonly publisher: number;
  readonly n: number;
}

/** A subscriber, and what it has got of each channel. */
type Reader = ReadonlyMap<string, Numbered[]>;

/**
 * Has clients of each node publish numbered messages to all channels at once, with our client and the published one of each
 * node subscribed to all of them, and compares what arrived with what was published. Half of the publishers are the readers.
 */
export async function checkDelivery(
  nodes: readonly ClusterNode[],
  { channels: count, messagesEach }: { readonly channels: number; readonly messagesEach: number },
): Promise<Verdict> {
  const channels = Array.from({ length: count }, (_, n) => `delivery/${n}`);
  const clients = nodes.flatMap((node) => [connect(node, create), connect(node, published.create)]);
  const readers = await Promise.all(clients.map((client) => subscribeTo(client, channels)));
  const wires = await Promise.all(nodes.map((node) => node.client()));
  const publishers = [
    ...clients.map((client) => (channel: string, data: Numbered) => client.invokePublish(channel, data)),
    ...wires.map((wire) => async (channel: string, data: Numbered) => {
      const error = await publish(wire, channel, data);
      if (error !== undefined) throw new Error(error);
    }),
  ];
  const outcomes = await Promise.allSettled(
    publishers.flatMap((send, publisher) =>
      channels.flatMap((channel) =>
        Array.from({ length: messagesEach }, (_, n) => send(channel, { publisher, n })),
      ),
    ),
  );
  const expected = publishers.length * messagesEach;
  const isComplete = (reader: Reader): boolean =>
    channels.every((channel) => (reader.get(channel)?.length ?? 0) >= expected);
  // What is missing then is counted below.
  await until(() => readers.every(isComplete), CLUSTER_DEADLINE_MS).catch(() => {});
  const verdict = { missing: 0, duplicates: 0, outOfOrder: 0 };
  for (const received of readers.flatMap((reader) => [...reader.values()])) {
    const seen = new Set<string>();
    const last = new Map<number, number>();
    for (const { publisher, n } of received) {
      const key = `${publisher}/${n}`;
      if (seen.has(key)) verdict.duplicates += 1;
      else if (n < (last.get(publisher) ?? -1)) verdict.outOfOrder += 1;
      seen.add(key);
      last.set(publisher, Math.max(n, last.get(publisher) ?? -1));
    }
    verdict.missing += expected - seen.size;
  }
  return { ...verdict, refused: outcomes.filter(({ status }) => status === 'rejected').length };
}

function connect(node: ClusterNode, library: typeof create): AGClientSocket {
  const client = library({ hostname: '127.0.0.1', port: node.started.port });
  afterTest(() => {
    client.disconnect();
    client.killAllChannels();
  });
  return client;
}

/** Subscribes a client; resolves when all subscriptions are confirmed. */
async function subscribeTo(client: AGClientSocket, channels: readonly string[]): Promise<Reader> {
  const reader = new Map<string, Numbered[]>(channels.map((channel) => [channel, []]));
  await Promise.all(
    channels.map(async (name) => {
      const channel = client.subscribe<Numbered>(name);
      void (async () => {
        for await (const message of channel) reader.get(name)?.push(message);
      })();
      if (channel.state !== 'subscribed') await channel.listener('subscribe').once(CLUSTER_DEADLINE_MS);
    }),
  );
  return reader;
}
