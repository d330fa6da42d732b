import { until, type WireClient } from '@socketcluster-ts/testkit';
import { CLUSTER_DEADLINE_MS, type ClusterNode, messages, publish } from './cluster-node.js';

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

/**
 * Has one client of each node publish numbered messages to all channels at once, with another of each node subscribed to
 * all of them, and compares what arrived with what was published.
 */
export async function checkDelivery(
  nodes: readonly ClusterNode[],
  { channels: count, messagesEach }: { readonly channels: number; readonly messagesEach: number },
): Promise<Verdict> {
  const channels = Array.from({ length: count }, (_, n) => `delivery/${n}`);
  const readers = await Promise.all(nodes.map((node) => reader(node, channels)));
  const writers = await Promise.all(nodes.map((node) => node.client()));
  const outcomes = await Promise.all(
    writers.flatMap((writer, publisher) =>
      channels.flatMap((channel) =>
        Array.from({ length: messagesEach }, (_, n) => publish(writer, channel, { publisher, n })),
      ),
    ),
  );
  const expected = writers.length * messagesEach;
  const isComplete = (client: WireClient): boolean =>
    channels.every((channel) => messages(client, channel).length >= expected);
  // What is missing then is counted below.
  await until(() => readers.every(isComplete), CLUSTER_DEADLINE_MS).catch(() => {});
  const verdict = { missing: 0, duplicates: 0, outOfOrder: 0 };
  for (const client of readers) {
    for (const channel of channels) {
      const received = messages(client, channel) as Numbered[];
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
  }
  return { ...verdict, refused: outcomes.filter((error) => error !== undefined).length };
}

async function reader(node: ClusterNode, channels: readonly string[]): Promise<WireClient> {
  const client = await node.client();
  await Promise.all(channels.map((channel) => client.call('#subscribe', { channel }, CLUSTER_DEADLINE_MS)));
  return client;
}
