import type { BrokerLink, LinkHandlers } from '@socketcluster-ts/server';
import type { Cluster, ClusterOptions, Redis } from 'ioredis';
import { asBuffer } from './as-buffer.js';
import { explainError, explainVersion } from './explain-error.js';
import { keySlot } from './key-slot.js';
import { Shard } from './shard.js';
import { delayBefore, isLastAttempt, isRedirection, SlotLanes } from './slot-lanes.js';
import { type ConnectionSettings, connectionSettings, retryDelay } from './watched-client.js';

/** The first version with sharded pub/sub. */
const OLDEST_VERSION = 7;
/** What ioredis says of a command whose connection is gone, for whatever reason. */
const CLOSED = 'Connection is closed.';

/** What a link to a cluster is made of. */
export interface ClusterLinkOptions {
  readonly create: (override: ClusterOptions, each: ConnectionSettings) => Cluster;
  /** The cluster, with the options that say where it is. */
  readonly named: string;
  readonly prefix: string;
  readonly timeout: number;
}

/**
 * Owns the connections to the nodes of a cluster: those of ioredis, which publish and know the topology, and one for each node that
 * has to send channels. A channel lives on the node that owns its slot, and nowhere else.
 */
export class ClusterLink implements BrokerLink {
  readonly #options: ClusterLinkOptions;
  readonly #cluster: Cluster;
  readonly #shards = new Map<string, Shard>();
  readonly #lanes: SlotLanes;
  #handlers: LinkHandlers | undefined;
  #isConnected = false;
  #lastError: Error | undefined;
  #looks: NodeJS.Timeout | undefined;
  /** The nodes by address, as long as they are the same. */
  #nodes: Map<string, Redis> | undefined;

  constructor(options: ClusterLinkOptions) {
    this.#options = options;
    const { create, timeout } = options;
    this.#cluster = create(
      {
        lazyConnect: true,
        clusterRetryStrategy: retryDelay,
        slotsRefreshTimeout: timeout,
      },
      // A command without an answer ends its connection.
      { ...connectionSettings(timeout), socketTimeout: timeout },
    );
    this.#lanes = new SlotLanes(() => this.#refresh());
  }

  connect(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    const cluster = this.#cluster;
    const forgetNodes = (): void => {
      this.#nodes = undefined;
    };
    cluster.on('error', (error: Error) => this.#note(error));
    cluster.on('node error', (error: Error, address: string) => this.#note(error, address));
    cluster.on('+node', forgetNodes);
    cluster.on('-node', forgetNodes);
    cluster.on('refresh', () => this.#followTopology());
    cluster.on('ready', () => this.#up());
    cluster.on('close', () => this.#down());
    cluster.connect().catch(() => {});
  }

  /** Keeps why the cluster cannot be reached. Of a node that cannot, ioredis says no more than that it is closed. */
  #note(error: Error, address?: string): void {
    if (address === undefined) this.#lastError ??= error;
    else if (error.message !== CLOSED) this.#lastError = error;
    else
      this.#lastError = new Error(`no node answers, the last that was asked is ${address}`, { cause: error });
  }

  #up(): void {
    this.#lastError = undefined;
    const [any] = this.#cluster.nodes('master');
    const info = any?.info('server').catch(() => '') ?? Promise.resolve('');
    void info.then((text) => {
      if (this.#handlers === undefined || this.#cluster.status !== 'ready') return;
      const tooOld = explainVersion(text, OLDEST_VERSION, `in ${this.#options.named}, for sharded pub/sub`);
      if (tooOld === undefined) {
        this.#isConnected = true;
        this.#looks ??= setInterval(() => this.#look(), this.#options.timeout / 2);
        this.#look();
        this.#handlers.onStatus('connected');
      } else this.#handlers.onStatus('connecting', tooOld);
    });
  }

  /** Keeps a connection to every node, and finds out which do not answer. When none is left, ioredis says so. */
  #look(): void {
    for (const node of this.#cluster.nodes('master')) node.ping().catch(() => {});
  }

  #down(): void {
    clearInterval(this.#looks);
    this.#looks = undefined;
    this.#isConnected = false;
    for (const shard of this.#shards.values()) shard.end();
    this.#shards.clear();
    const cause = this.#lastError ?? new Error('All connections were closed');
    const error = explainError(cause, this.#options.named);
    this.#lanes.clear(error);
    this.#handlers?.onStatus('connecting', error);
  }

  /** The address of the node that owns a slot. */
  #ownerOf(slot: number): string | undefined {
    return this.#cluster.slots[slot]?.[0];
  }

  #node(address: string | undefined): Redis {
    this.#nodes ??= new Map(
      this.#cluster.nodes().map((node) => [`${node.options.host}:${node.options.port}`, node]),
    );
    const node = address === undefined ? undefined : this.#nodes.get(address);
    if (node === undefined) throw new Error(`CLUSTERDOWN No node of the cluster has the slot (${address})`);
    return node;
  }

  /** Asks who owns which slot. When no node says so, the cluster is gone. */
  #refresh(): Promise<void> {
    return new Promise((resolve) => {
      this.#cluster.refreshSlotsCache((error) => {
        if (error !== undefined && error !== null && this.#isConnected) this.#cluster.disconnect(true);
        resolve();
      });
    });
  }

  #followTopology(): void {
    for (const [address, shard] of this.#shards) {
      shard.keepOnly((slot) => this.#ownerOf(slot) === address);
      const ownsSlots = this.#cluster.slots.some((owners) => owners?.[0] === address);
      if (ownsSlots || shard.hasStrays) continue;
      shard.end();
      this.#shards.delete(address);
    }
  }

  #shard(address: string | undefined): Shard {
    const node = this.#node(address);
    const key = address as string;
    let shard = this.#shards.get(key);
    if (shard !== undefined) return shard;
    const { prefix, timeout } = this.#options;
    shard = new Shard(node, timeout, {
      onMessage: (name, message) => this.#handlers?.onMessage(name.slice(prefix.length), message),
      onLost: (names, error) => this.#lost(names, error),
    });
    this.#shards.set(key, shard);
    return shard;
  }

  #lost(names: readonly string[], error: Error | undefined): void {
    if (error !== undefined) this.#handlers?.onError(explainError(error, this.#options.named));
    // Whoever owns the slots now is needed before they are asked for again.
    void this.#refresh().then(() => {
      if (this.#isConnected)
        this.#handlers?.onLost(names.map((name) => name.slice(this.#options.prefix.length)));
    });
  }

  publish(channel: string, message: Uint8Array): Promise<void> {
    const name = this.#options.prefix + channel;
    const slot = keySlot(name);
    const bytes = asBuffer(message);
    return this.#lanes.run(slot, async () => this.#node(this.#ownerOf(slot)).spublish(name, bytes));
  }

  async subscribe(channel: string): Promise<void> {
    const name = this.#options.prefix + channel;
    const slot = keySlot(name);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#shard(this.#ownerOf(slot)).subscribe(name, slot);
        return;
      } catch (error) {
        if (!this.#isConnected || !isRedirection(error) || isLastAttempt(attempt)) throw error;
        await new Promise((resolve) => {
          setTimeout(resolve, delayBefore(attempt));
        });
        await this.#refresh();
      }
    }
  }

  async unsubscribe(channel: string): Promise<void> {
    const name = this.#options.prefix + channel;
    await Promise.all(
      [...this.#shards.values()]
        .filter((shard) => shard.channels.has(name))
        .map((shard) => shard.unsubscribe(name)),
    );
  }

  close(): Promise<void> {
    if (this.#handlers === undefined) return Promise.resolve();
    this.#handlers = undefined;
    this.#down();
    this.#cluster.disconnect();
    for (const node of this.#cluster.nodes()) node.disconnect();
    return Promise.resolve();
  }
}
