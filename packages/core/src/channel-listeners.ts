import {
  type ConsumerSource,
  DemuxedConsumableStream,
  type NamedConsumerStats,
  StreamDemux,
} from '@socketcluster-ts/streams';

/**
 * Owns the event streams of all channels: one demux for each event name, in which the streams are named by channel.
 *
 * Channel and event stay two keys, so that nothing said about channel `a` can touch channel `a/b`. The event is the
 * outer one because there are a handful of event names and any number of channels: a demux forgets a stream when its
 * last consumer goes, so a channel that nobody listens to any more leaves nothing behind. Consumer ids come from one
 * sequence for all of them, from 1.
 *
 * In statistics a stream is called `<channel>/<event>`.
 */
export class ChannelListeners {
  readonly #byEvent = new Map<string, StreamDemux>();
  #lastConsumerId = 0;

  /** One event of one channel as an async iterable; nothing is buffered before it is consumed. */
  stream<T = unknown>(channel: string, event: string): DemuxedConsumableStream<T> {
    const source: ConsumerSource<unknown> = {
      createConsumer: (_name, timeout) => this.#open(event).createConsumer(channel, timeout),
      next: (_name, timeout) => this.#open(event).next(channel, timeout),
    };
    return new DemuxedConsumableStream(source as ConsumerSource<T>, `${channel}/${event}`);
  }

  /** Hands a payload to the consumers of one event of one channel. */
  write(channel: string, event: string, payload: unknown): void {
    this.#byEvent.get(event)?.write(channel, payload);
  }

  /** Lets the consumers of one event of one channel finish, then ends their loops. */
  close(channel: string, event: string): void {
    this.#byEvent.get(event)?.close(channel);
  }

  /** Ends the loops over one event of one channel. */
  kill(channel: string, event: string): void {
    this.#byEvent.get(event)?.kill(channel);
  }

  /** Lets the consumers of every event of one channel finish, then ends their loops. */
  closeChannel(channel: string): void {
    for (const demux of this.#byEvent.values()) demux.close(channel);
  }

  /** Ends the loops over every event of one channel. */
  killChannel(channel: string): void {
    for (const demux of this.#byEvent.values()) demux.kill(channel);
  }

  /** Lets all consumers finish, then ends their loops. */
  closeAll(): void {
    for (const demux of this.#byEvent.values()) demux.closeAll();
  }

  /** Ends all loops. */
  killAll(): void {
    for (const demux of this.#byEvent.values()) demux.killAll();
  }

  /** Ends the loop of one consumer. */
  killConsumer(consumerId: number): void {
    for (const demux of this.#byEvent.values()) demux.killConsumer(consumerId);
  }

  /** How one consumer stands, or `undefined` if there is none with that id. */
  getConsumerStats(consumerId: number): NamedConsumerStats | undefined {
    for (const [event, demux] of this.#byEvent) {
      const stats = demux.getConsumerStats(consumerId);
      if (stats !== undefined) return withEvent(stats, event);
    }
    return undefined;
  }

  /** How the consumers of one event of one channel stand. */
  getConsumerStatsList(channel: string, event: string): NamedConsumerStats[] {
    const list = this.#byEvent.get(event)?.getConsumerStatsList(channel) ?? [];
    return list.map((stats) => withEvent(stats, event));
  }

  /** How the consumers of every event of one channel stand, by consumer id. */
  getConsumerStatsListOfChannel(channel: string): NamedConsumerStats[] {
    return this.#collect((demux) => demux.getConsumerStatsList(channel));
  }

  /** How all consumers stand, by consumer id. */
  getConsumerStatsListAll(): NamedConsumerStats[] {
    return this.#collect((demux) => demux.getConsumerStatsListAll());
  }

  /** The backpressure of one event of one channel. */
  getBackpressure(channel: string, event: string): number {
    return this.#byEvent.get(event)?.getBackpressure(channel) ?? 0;
  }

  /** The largest backpressure of any event of one channel. */
  getBackpressureOfChannel(channel: string): number {
    return this.#max((demux) => demux.getBackpressure(channel));
  }

  /** The largest backpressure of all. */
  getBackpressureAll(): number {
    return this.#max((demux) => demux.getBackpressureAll());
  }

  /** The backpressure of one consumer; 0 if there is none with that id. */
  getConsumerBackpressure(consumerId: number): number {
    return this.#max((demux) => demux.getConsumerBackpressure(consumerId));
  }

  /** Whether one event of one channel has a consumer with that id. */
  hasConsumer(channel: string, event: string, consumerId: number): boolean {
    return this.#byEvent.get(event)?.hasConsumer(channel, consumerId) ?? false;
  }

  /** Whether any event of one channel has a consumer with that id. */
  channelHasConsumer(channel: string, consumerId: number): boolean {
    for (const demux of this.#byEvent.values()) if (demux.hasConsumer(channel, consumerId)) return true;
    return false;
  }

  /** Whether there is a consumer with that id at all. */
  hasConsumerAll(consumerId: number): boolean {
    for (const demux of this.#byEvent.values()) if (demux.hasConsumerAll(consumerId)) return true;
    return false;
  }

  #open(event: string): StreamDemux {
    let demux = this.#byEvent.get(event);
    if (demux === undefined) {
      demux = new StreamDemux({ generateConsumerId: () => ++this.#lastConsumerId });
      this.#byEvent.set(event, demux);
    }
    return demux;
  }

  #max(backpressureOf: (demux: StreamDemux) => number): number {
    let max = 0;
    for (const demux of this.#byEvent.values()) max = Math.max(max, backpressureOf(demux));
    return max;
  }

  #collect(statsOf: (demux: StreamDemux) => NamedConsumerStats[]): NamedConsumerStats[] {
    const all: NamedConsumerStats[] = [];
    for (const [event, demux] of this.#byEvent) {
      for (const stats of statsOf(demux)) all.push(withEvent(stats, event));
    }
    return all.toSorted((one, other) => one.id - other.id);
  }
}

function withEvent(stats: NamedConsumerStats, event: string): NamedConsumerStats {
  return { ...stats, stream: `${stats.stream}/${event}` };
}
