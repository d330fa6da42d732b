import {
  addFamilyMethods,
  familyMethodName,
  MANAGING_METHODS,
  type NamedConsumerStats,
} from '@socketcluster-ts/streams';
import type { ChannelStreams } from './channel-streams.js';

/**
 * The methods that manage the streams of channels by name, the same on the exchange of a server and on a client
 * socket.
 *
 * The *output* of a channel carries its messages, its *listeners* carry the events of the subscription. To *close*
 * lets consumers finish what is waiting for them, to *kill* does not; neither unsubscribes. *Backpressure* is the
 * number of items that a consumer has not taken yet, for several consumers the largest of them. Output consumers and
 * listener consumers have separate ids, each from 1 across all channels. A channel, event or id that nobody knows is
 * no error: nothing happens, and the answer is 0, `false`, `undefined` or an empty list.
 */
export interface ChannelMethods {
  /** Closes the output and all listeners of a channel. */
  closeChannel(channelName: string): void;
  /** Kills the output and all listeners of a channel. */
  killChannel(channelName: string): void;
  /** The larger backpressure of the output and the listeners of a channel. */
  getChannelBackpressure(channelName: string): number;

  /** Closes the outputs and listeners of all channels. */
  closeAllChannels(): void;
  /** Kills the outputs and listeners of all channels. */
  killAllChannels(): void;
  /** Closes the outputs of all channels. */
  closeAllChannelOutputs(): void;
  /** Kills the outputs of all channels. */
  killAllChannelOutputs(): void;
  /** Closes the listeners of all channels. */
  closeAllChannelListeners(): void;
  /** Kills the listeners of all channels. */
  killAllChannelListeners(): void;
  /** The largest backpressure of any output or listener of any channel. */
  getAllChannelsBackpressure(): number;
  /** The largest backpressure of any output. */
  getAllChannelOutputsBackpressure(): number;
  /** The largest backpressure of any listener. */
  getAllChannelListenersBackpressure(): number;

  /** Closes the output of a channel. */
  channelCloseOutput(channelName: string): void;
  /** Kills the output of a channel. */
  channelKillOutput(channelName: string): void;
  /** How the consumers of a channel's output stand. */
  channelGetOutputConsumerStatsList(channelName: string): NamedConsumerStats[];
  /** The backpressure of a channel's output. */
  channelGetOutputBackpressure(channelName: string): number;
  /** Whether a channel's output has a consumer with that id. */
  channelHasOutputConsumer(channelName: string, consumerId: number): boolean;

  /** Closes the listeners of one event of a channel. */
  channelCloseListener(channelName: string, eventName: string): void;
  /** Kills the listeners of one event of a channel. */
  channelKillListener(channelName: string, eventName: string): void;
  /** Closes the listeners of every event of a channel. */
  channelCloseAllListeners(channelName: string): void;
  /** Kills the listeners of every event of a channel. */
  channelKillAllListeners(channelName: string): void;
  /** How the consumers of one event of a channel stand. */
  channelGetListenerConsumerStatsList(channelName: string, eventName: string): NamedConsumerStats[];
  /** How the consumers of every event of a channel stand. */
  channelGetAllListenersConsumerStatsList(channelName: string): NamedConsumerStats[];
  /** The backpressure of one event of a channel. */
  channelGetListenerBackpressure(channelName: string, eventName: string): number;
  /** The largest backpressure of any event of a channel. */
  channelGetAllListenersBackpressure(channelName: string): number;
  /** Whether one event of a channel has a consumer with that id. */
  channelHasListenerConsumer(channelName: string, eventName: string, consumerId: number): boolean;
  /** Whether any event of a channel has a consumer with that id. */
  channelHasAnyListenerConsumer(channelName: string, consumerId: number): boolean;

  /** Kills one consumer of an output. */
  killChannelOutputConsumer(consumerId: number): void;
  /** Kills one consumer of a listener. */
  killChannelListenerConsumer(consumerId: number): void;
  /** How one consumer of an output stands; its `stream` is the name of the channel. */
  getChannelOutputConsumerStats(consumerId: number): NamedConsumerStats | undefined;
  /** How one consumer of a listener stands; its `stream` is `<channel>/<event>`. */
  getChannelListenerConsumerStats(consumerId: number): NamedConsumerStats | undefined;
  /** How the consumers of all outputs stand. */
  getAllChannelOutputsConsumerStatsList(): NamedConsumerStats[];
  /** How the consumers of all listeners stand. */
  getAllChannelListenersConsumerStatsList(): NamedConsumerStats[];
  /** The backpressure of one consumer of an output. */
  getChannelOutputConsumerBackpressure(consumerId: number): number;
  /** The backpressure of one consumer of a listener. */
  getChannelListenerConsumerBackpressure(consumerId: number): number;
  /** Whether any output has a consumer with that id. */
  hasAnyChannelOutputConsumer(consumerId: number): boolean;
  /** Whether any listener has a consumer with that id. */
  hasAnyChannelListenerConsumer(consumerId: number): boolean;
}

/** What a class must have for {@link addChannelMethods} to work on it. */
export interface ChannelStreamsOwner {
  /** The streams that the methods manage. */
  readonly channelStreams: ChannelStreams;
}

const OF_CHANNELS = ['close', 'closeAll', 'kill', 'killAll', 'getBackpressure', 'getBackpressureAll'];

/** What can be asked of all channels: those that need no name of a stream. */
const OVERALL = MANAGING_METHODS.filter((method) =>
  /All$|(?:kill|get)Consumer(?:Stats|Backpressure|)$/.test(method),
);

/** What can be asked of one channel: those that need no id of a consumer alone. */
const OF_ONE = MANAGING_METHODS.filter(
  (method) => !/Consumer(?:Stats|Backpressure)$|killConsumer/.test(method),
);

/**
 * Puts the {@link ChannelMethods} on the prototype of a class whose instances are {@link ChannelStreamsOwner}s, as
 * methods that are not enumerable. The class says so in its type by an interface of its name, merged beside it, that
 * extends `ChannelMethods`. A method that the class has itself is kept.
 */
export function addChannelMethods(target: { readonly prototype: ChannelStreamsOwner }): void {
  addFamilyMethods(target, OF_CHANNELS, 'Channel', ({ channelStreams }) => channelStreams);
  addFamilyMethods(target, OVERALL, 'ChannelOutput', ({ channelStreams }) => channelStreams.outputs);
  addFamilyMethods(target, OVERALL, 'ChannelListener', ({ channelStreams }) => channelStreams.listeners);
  addFamilyMethods(
    target,
    OF_ONE.filter((method) => !method.endsWith('All')),
    ofOne('Output'),
    ({ channelStreams }, args) => channelStreams.outputs.at(args.shift() as string),
  );
  addFamilyMethods(target, OF_ONE, ofOne('Listener'), ({ channelStreams }, args) =>
    channelStreams.listeners.scope(args.shift() as string),
  );
}

/** The names of the methods of one channel, on the client that has it: `channelCloseOutput`. */
function ofOne(family: string): (method: string) => string {
  return (method) => {
    const name = familyMethodName(family, method);
    return `channel${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  };
}
