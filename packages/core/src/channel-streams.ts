import { type DemuxedConsumableStream, StreamDemux } from '@socketcluster-ts/streams';

/**
 * Owns the streams of all channels of one exchange or client socket: the *outputs*, which carry the messages, and the
 * *listeners*, which carry the events of the subscription.
 *
 * A channel has streams while somebody consumes them, whether it is subscribed or not; what is written to a channel
 * that nobody consumes is dropped.
 */
export class ChannelStreams {
  /** The message streams, named by channel. */
  readonly outputs: StreamDemux = new StreamDemux();
  /** The event streams, a scope for each channel: nothing said about channel `a` can touch channel `a/b`. */
  readonly listeners: StreamDemux = new StreamDemux();

  /** The messages of a channel as an async iterable. */
  output<T = unknown>(channel: string): DemuxedConsumableStream<T> {
    return this.outputs.stream(channel) as DemuxedConsumableStream<T>;
  }

  /** Hands a message to the consumers of a channel; one look-up if there are none. */
  write(channel: string, data: unknown): void {
    this.outputs.write(channel, data);
  }

  /** Hands an event to the listeners of a channel. */
  writeEvent(channel: string, event: string, payload: unknown): void {
    this.listeners.scope(channel).write(event, payload);
  }

  /** Lets the consumers of a channel's messages and events finish, then ends their loops. */
  close(channel: string): void {
    this.outputs.close(channel);
    this.listeners.scope(channel).closeAll();
  }

  /** Ends the loops over a channel's messages and events. */
  kill(channel: string): void {
    this.outputs.kill(channel);
    this.listeners.scope(channel).killAll();
  }

  /** Lets the consumers of all channels finish, then ends their loops. */
  closeAll(): void {
    this.outputs.closeAll();
    this.listeners.closeAll();
  }

  /** Ends the loops over all channels. */
  killAll(): void {
    this.outputs.killAll();
    this.listeners.killAll();
  }

  /** The larger backpressure of a channel's messages and events. */
  getBackpressure(channel: string): number {
    return Math.max(
      this.outputs.getBackpressure(channel),
      this.listeners.scope(channel).getBackpressureAll(),
    );
  }

  /** The largest backpressure of all channels. */
  getBackpressureAll(): number {
    return Math.max(this.outputs.getBackpressureAll(), this.listeners.getBackpressureAll());
  }
}
