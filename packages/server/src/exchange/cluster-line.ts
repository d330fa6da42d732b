/**
 * How the servers of a cluster talk to each other, where a broker connects several. Nothing is kept: what is sent while
 * the others cannot be reached is lost, and so may be what is sent to a node that is just being cut off.
 */
export interface ClusterLine {
  /** The id of this node among the others. */
  readonly nodeId: string;
  /** Begins to take messages; called once. Each comes at most once, those of one node in their order. */
  join(handlers: ClusterLineHandlers): void;
  /** Sends a message, which must survive JSON, to one node, or to all others. */
  send(message: unknown, to?: string): void;
}

/** Told what comes over a {@link ClusterLine}. */
export interface ClusterLineHandlers {
  /** What another node sent: whatever JSON can be. */
  onMessage(node: string, message: unknown): void;
  /** The others can be reached, for the first time or again. */
  onOpen(): void;
  /** The line is about to close: the last moment to say something. */
  onClosing(): void;
}

/** How busy a node is. */
export interface NodeLoad {
  /** Connected clients. */
  readonly clients: number;
  /** Users with at least one of them. */
  readonly users: number;
  /** Channels with a subscriber on the node. */
  readonly channels: number;
  /** Resident memory of the process. */
  readonly rssBytes: number;
  /** Processor time of the process over wall time since the figures before: 1 is a whole core. */
  readonly cpu: number;
}

/** One node of a cluster, as the others know it. */
export interface NodeInfo {
  readonly id: string;
  /** Whether it is the node that was asked. */
  readonly isSelf: boolean;
  readonly load: NodeLoad;
  /** Milliseconds since it was last heard of; 0 for the node itself. */
  readonly ageMs: number;
}

/** Who is subscribed to a channel, in the whole cluster. */
export interface ChannelInfo {
  readonly channel: string;
  /** The subscribed clients of all nodes that answered; the subscriptions of the servers themselves are not counted. */
  readonly subscribers: number;
  /** Those of each node, by its id. */
  readonly nodes: Readonly<Record<string, number>>;
  /** Whether every node that is known answered. */
  readonly complete: boolean;
  /** The ids of those that did not. */
  readonly missing: readonly string[];
}

/** What an exchange knows of its cluster. */
export interface ClusterView {
  list(): NodeInfo[];
  channelInfo(channel: string): Promise<ChannelInfo>;
}
