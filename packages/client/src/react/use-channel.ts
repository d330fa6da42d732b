import {
  AGChannel,
  type AnyContract,
  type ChannelMessage,
  type ChannelOptions,
  type SubscriptionInput,
} from '@socketcluster-ts/core';
import { useCallback, useInsertionEffect, useRef, useSyncExternalStore } from 'react';
import type { AGClientSocket } from '../client-socket.js';
import { follow } from './follow.js';
import { type ChannelSnapshot, holdChannel, initialChannel, readChannel } from './shared-channel.js';

/** How `useChannel()` subscribes, and who gets the messages. */
export interface UseChannelOptions<Message = unknown, Data = unknown> extends ChannelOptions<Data> {
  /**
   * Called with each message, in order, from when the component is mounted until it is unmounted; none is left out,
   * however seldom React renders. A promise is waited for before the next message. Always the function of the latest
   * render. What it throws is an `error` event of the socket, and the next message comes all the same.
   */
  onMessage?(message: Message): unknown;
}

const nothing = (): void => {};

/**
 * Subscribes to a channel while the component is mounted, and gives where the subscription stands, the latest message
 * and why it failed.
 *
 * All components that use the same channel of a socket share one subscription: the first subscribes, with its options,
 * and a task after the last has gone it is unsubscribed. A channel that was subscribed before by somebody else stays so.
 *
 * With `onMessage` the component gets each message there, and renders only when the state changes: `message` stays
 * `undefined`. Without it, the component renders with the latest message, and messages in quick succession may share a
 * render.
 *
 * @param name - `null` for none
 */
export function useChannel<C extends AnyContract, N extends C['types']['names']>(
  socket: AGClientSocket<C>,
  name: N | null,
  options: UseChannelOptions<ChannelMessage<C, N>, SubscriptionInput<C, N>> = {},
): ChannelSnapshot<ChannelMessage<C, N>> {
  const untyped = socket as unknown as AGClientSocket;
  const latest = useRef(options);
  useInsertionEffect(() => {
    latest.current = options;
  });
  const hold = useCallback(
    (onChange: () => void) => {
      if (name === null) return nothing;
      // Not by channel(), which takes templates, too.
      const channel = new AGChannel(name, untyped, untyped.channelStreams);
      const stop = follow(
        channel as AGChannel<ChannelMessage<C, N>>,
        (message) => latest.current.onMessage?.(message),
        (error) => untyped.handlerFailed(error),
      );
      const release = holdChannel(channel, latest.current, onChange);
      return () => {
        stop();
        release();
      };
    },
    [untyped, name],
  );
  const read = (): ChannelSnapshot => readChannel(untyped, name, options.onMessage === undefined);
  return useSyncExternalStore(hold, read, () => initialChannel(name));
}
