import {
  type ConsumerSource,
  DemuxedConsumableStream,
  type NamedConsumerStats,
  StreamDemux,
} from '@socketcluster-ts/streams';

/** Below this many channels nobody looks for those whose listeners are gone. */
const LEAST_SWEEP = 64;

/** What a channel without listeners answers from. */
const nobody = new StreamDemux();

/**
 * Owns the event streams of all channels: for each channel that has listeners a demux, in which the streams are named by
 * event.
 *
 * Channel and event stay two keys, so that nothing said about channel `a` can touch channel `a/b`. A channel that nobody
 * listens to any more is forgotten when as many others have come. Consumer ids come from one sequence for all channels,
 * from 1. In statistics a stream is called `<channel>/<event>`.
 */
export class ChannelListeners {
  readonly #byChannel = new Map<string, StreamDemux>();
  #lastConsumerId = 0;
  #sweepAt = LEAST_SWEEP;

  /** One event of one channel as an async iterable; nothing is buffered before it is consumed. */
  stream<T = unknown>(channel: string, event: string): DemuxedConsumableStream<T> {
    const source: ConsumerSource<unknown> = {
      createConsumer: (_name, timeout) => this.#open(channel).createConsumer(event, timeout),
      next: (_name, timeout) => this.#open(channel).next(event, timeout),
    };
    return new DemuxedConsumableStream(source as ConsumerSource<T>, `${channel}/${event}`);
  }

  /** The events of one channel, to look at and to end; it has no streams while nobody listens. */
  at(channel: string): StreamDemux {
    return this.#byChannel.get(channel) ?? nobody;
  }

  /** Hands a payload to the consumers of one event of one channel. */
  write(channel: string, event: string, payload: unknown): void {
    this.at(channel).write(event, payload);
  }

  /** Lets all consumers finish, then ends their loops. */
  closeAll(): void {
    for (const demux of this.#byChannel.values()) demux.closeAll();
  }

  /** Ends all loops. */
  killAll(): void {
    for (const demux of this.#byChannel.values()) demux.killAll();
  }

  /** Ends the loop of one consumer. */
  killConsumer(consumerId: number): void {
    this.#of(consumerId).killConsumer(consumerId);
  }

  /** How one consumer stands, or `undefined` if there is none with that id. */
  getConsumerStats(consumerId: number): NamedConsumerStats | undefined {
    return this.#of(consumerId).getConsumerStats(consumerId);
  }

  /** How all consumers stand, by consumer id. */
  getConsumerStatsListAll(): NamedConsumerStats[] {
    const all = [...this.#byChannel.values()].flatMap((demux) => demux.getConsumerStatsListAll());
    return all.toSorted((one, other) => one.id - other.id);
  }

  /** The largest backpressure of all. */
  getBackpressureAll(): number {
    let largest = 0;
    for (const demux of this.#byChannel.values()) largest = Math.max(largest, demux.getBackpressureAll());
    return largest;
  }

  /** The backpressure of one consumer; 0 if there is none with that id. */
  getConsumerBackpressure(consumerId: number): number {
    return this.#of(consumerId).getConsumerBackpressure(consumerId);
  }

  /** Whether there is a consumer with that id at all. */
  hasConsumerAll(consumerId: number): boolean {
    return this.#of(consumerId) !== nobody;
  }

  #of(consumerId: number): StreamDemux {
    for (const demux of this.#byChannel.values()) if (demux.hasConsumerAll(consumerId)) return demux;
    return nobody;
  }

  #open(channel: string): StreamDemux {
    let demux = this.#byChannel.get(channel);
    if (demux === undefined) {
      this.#sweep();
      demux = new StreamDemux({
        generateConsumerId: () => ++this.#lastConsumerId,
        statsPrefix: `${channel}/`,
      });
      this.#byChannel.set(channel, demux);
    }
    return demux;
  }

  #sweep(): void {
    if (this.#byChannel.size < this.#sweepAt) return;
    for (const [channel, demux] of this.#byChannel) {
      if (demux.getConsumerCountAll() === 0) this.#byChannel.delete(channel);
    }
    this.#sweepAt = Math.max(LEAST_SWEEP, this.#byChannel.size * 2);
  }
}
