import {
  AGSimpleBroker,
  type BrokerLink,
  type RelayBroker,
  type RelayOptions,
  relayBroker,
} from '@socketcluster-ts/server';
import {
  afterTest,
  EventLog,
  type ServerOptions,
  type StartedServer,
  startServer,
  until,
  WireClient,
} from '@socketcluster-ts/testkit';

/** How long a cluster may take to do something on a busy machine. */
export const CLUSTER_DEADLINE_MS = 10_000;

/** One node of a cluster: a server whose broker is relayed. */
export interface ClusterNode {
  readonly broker: RelayBroker;
  readonly started: StartedServer;
  /** What the relay emits: `status`, `gap`, `error`. */
  readonly log: EventLog;
  /** A client of this node after its handshake, which knows `#gap`. */
  client(): Promise<WireClient>;
  /** Subscribes a new client. */
  subscriber(channel: string): Promise<WireClient>;
}

/** Starts a node, and closes it when the current test is over. */
export async function startNode(
  link: BrokerLink,
  options: RelayOptions = {},
  serverOptions: ServerOptions = {},
): Promise<ClusterNode> {
  const broker = relayBroker(new AGSimpleBroker(), link, options);
  afterTest(() => broker.close());
  const log = new EventLog().record(broker, ['status', 'gap', 'error']);
  const started = await startServer({ ...serverOptions, brokerEngine: broker });
  const client = async (): Promise<WireClient> => {
    const wire = await started.connect();
    const { data } = await wire.call('#handshake', { authToken: null, ext: ['gap'] });
    wire.id = (data as { id: string }).id;
    return wire;
  };
  return {
    broker,
    started,
    log,
    client,
    async subscriber(channel) {
      const wire = await client();
      await subscribe(wire, channel);
      return wire;
    },
  };
}

/** Starts nodes with a link each, and waits until all are connected. */
export async function startCluster(
  link: () => BrokerLink,
  size: number,
  options: RelayOptions = {},
): Promise<ClusterNode[]> {
  const nodes = await Promise.all(Array.from({ length: size }, () => startNode(link(), options)));
  await until(() => nodes.every(({ broker }) => broker.status === 'connected'), CLUSTER_DEADLINE_MS);
  return nodes;
}

/** Subscribes a client, which must succeed. */
export async function subscribe(client: WireClient, channel: string): Promise<void> {
  const { error } = await client.call('#subscribe', { channel }, CLUSTER_DEADLINE_MS);
  if (error !== undefined) throw new Error(`${channel} was refused: ${error.message}`);
}

/** Publishes; resolves with the error of the answer, if it has one. */
export async function publish(
  client: WireClient,
  channel: string,
  data: unknown,
): Promise<string | undefined> {
  const { error } = await client.call('#publish', { channel, data }, CLUSTER_DEADLINE_MS);
  return error === undefined ? undefined : `${error.name}: ${error.message}`;
}

/** The data of the messages of a channel that a client has received so far. */
export function messages(client: WireClient, channel: string): unknown[] {
  return client.received
    .filter(({ event, data }) => event === '#publish' && (data as { channel: string }).channel === channel)
    .map(({ data }) => (data as { data?: unknown }).data);
}
