import type { AGServerSocket } from '@socketcluster-ts/server';
import {
  type Packet,
  type StartedServer,
  turn,
  type WireClient,
  type WireClientOptions,
} from '@socketcluster-ts/testkit';

const KIB = 1024;

/** What is published here. */
export interface Numbered {
  readonly n: number;
  readonly pad: string;
}

/** A client that can stop reading, and the server's socket of it. */
export interface SlowReader {
  readonly client: WireClient;
  readonly socket: AGServerSocket;
  /** Stops reading: what is sent from now on piles up. */
  stop(): void;
  /** Reads again. */
  go(): void;
}

/** Opens a client that is subscribed to the channels; `ext` is what it offers in its handshake. */
export async function openSlowReader(
  { connect, server }: StartedServer,
  channels: readonly string[],
  { ext, ...options }: WireClientOptions & { ext?: readonly string[] } = {},
): Promise<SlowReader> {
  const client = await connect(options);
  const reply = await client.call('#handshake', { authToken: null, ...(ext && { ext }) });
  const socket = server.clients[(reply.data as { id: string }).id];
  if (socket === undefined) throw new Error('The handshake was refused');
  for (const channel of channels) await client.call('#subscribe', { channel });
  return {
    client,
    socket,
    stop: () => client.webSocket.pause(),
    go: () => client.webSocket.resume(),
  };
}

/** More than this does not fit into the buffers of the kernel, whatever they grow to. */
const ENOUGH = 2000;

/**
 * Publishes messages of this size on the channel, numbered from `first`, with a turn of the event loop after each, until
 * it is enough. Gives the number of the next.
 */
export async function flood(
  { server }: Pick<StartedServer, 'server'>,
  channel: string,
  isEnough: (published: number) => boolean,
  { first = 0, bytes = 64 * KIB } = {},
): Promise<number> {
  const pad = 'x'.repeat(bytes);
  let n = first;
  for (; !isEnough(n - first); n += 1) {
    if (n - first > ENOUGH) throw new Error(`Published ${ENOUGH} times until ${isEnough.toString()}`);
    await server.exchange.invokePublish(channel, { n, pad } satisfies Numbered);
    await turn();
  }
  return n;
}

/** The numbers of the messages of a channel that have arrived, in order. */
export function numbersOf({ received }: WireClient, channel: string): number[] {
  return received.filter((packet) => channelOf(packet) === channel).map((packet) => dataOf(packet).n);
}

/** What a client was told to have missed, by channel. */
export function gapsOf({ received }: WireClient): Map<string, number> {
  const gaps = new Map<string, number>();
  for (const { event, data } of received) {
    if (event !== '#gap') continue;
    const { channel, dropped } = data as { channel: string; dropped: number };
    gaps.set(channel, (gaps.get(channel) ?? 0) + dropped);
  }
  return gaps;
}

function channelOf({ event, data }: Packet): string | undefined {
  return event === '#publish' ? (data as { channel: string }).channel : undefined;
}

function dataOf({ data }: Packet): Numbered {
  return (data as { data: Numbered }).data;
}
