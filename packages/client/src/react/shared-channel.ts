import type { AGChannel, ChannelOptions, ChannelState } from '@socketcluster-ts/core';
import type { AGClientSocket } from '../client-socket.js';
import { follow } from './follow.js';
import { Lease } from './lease.js';

/** What a component is told about a channel; never changed, only replaced. */
export interface ChannelSnapshot<Message = unknown> {
  /** Where the subscription stands. `'pending'` also while it is being made again after a reconnect. */
  readonly state: ChannelState;
  /**
   * The latest message since the channel is used by a component; `undefined` before the first, and for who is given
   * messages by `onMessage`.
   */
  readonly message: Message | undefined;
  /** Why the subscription failed, or was ended by the server; `undefined` once it is in force. */
  readonly error: unknown;
}

/** What is shown of a channel that no component has begun to use. */
const NOT_YET: ChannelSnapshot = { state: 'pending', message: undefined, error: undefined };
/** What is shown without a channel. */
const NONE: ChannelSnapshot = { ...NOT_YET, state: 'unsubscribed' };

/** The channels in use, of each socket. Filled when components mount, never while they render. */
const inUse = new WeakMap<AGClientSocket, Map<string, SharedChannel>>();

/** Owns what all components that use one channel of one socket share: its subscription, and what was last heard. */
class SharedChannel {
  readonly channel: AGChannel;
  readonly #options: ChannelOptions;
  readonly #onEnd: () => void;
  readonly #lease: Lease = new Lease(
    () => this.#begin(),
    () => this.#end(),
  );
  readonly #onChange = new Set<() => void>();
  #snapshot: ChannelSnapshot = NOT_YET;
  /** The same without the message, for who gets each message by itself. */
  #status: ChannelSnapshot = NOT_YET;
  #isSubscriber = false;
  #stops: readonly (() => void)[] = [];

  constructor(channel: AGChannel, options: ChannelOptions, onEnd: () => void) {
    this.channel = channel;
    this.#options = options;
    this.#onEnd = onEnd;
  }

  hold(onChange: () => void): () => void {
    // A function of its own for each holder.
    const notify = (): void => onChange();
    this.#onChange.add(notify);
    const release = this.#lease.hold();
    return () => {
      this.#onChange.delete(notify);
      release();
    };
  }

  /** What holds now. The state is asked for, because events come a moment later. */
  read(withMessage: boolean): ChannelSnapshot {
    const { state } = this.channel;
    if (state !== this.#status.state)
      this.#tell(state, state === 'subscribed' ? undefined : this.#status.error);
    return withMessage ? this.#snapshot : this.#status;
  }

  #tell(state: ChannelState, error: unknown): void {
    this.#status = { state, error, message: undefined };
    this.#snapshot = { state, error, message: this.#snapshot.message };
  }

  #notify(): void {
    for (const notify of this.#onChange) notify();
  }

  #fail(error: unknown): void {
    this.#tell(this.channel.state, error);
    this.#notify();
  }

  #begin(): void {
    const { channel } = this;
    this.#stops = [
      follow(channel, (message) => {
        this.#snapshot = { ...this.read(true), message };
        this.#notify();
      }),
      follow(channel.listener('subscribeStateChange'), () => this.#notify()),
      follow(channel.listener('subscribeFail'), ({ error }) => this.#fail(error)),
      follow(channel.listener('kickOut'), ({ message }) => {
        this.#fail(new Error(message ?? `The server ended the subscription to ${channel.name}`));
      }),
    ];
    // What somebody else has subscribed is theirs to unsubscribe.
    this.#isSubscriber = !channel.isSubscribed(true);
    if (!this.#isSubscriber) return;
    try {
      channel.subscribe(this.#options);
    } catch (error) {
      // Such as a name that the contract does not have.
      this.#fail(error);
    }
  }

  #end(): void {
    for (const stop of this.#stops) stop();
    if (this.#isSubscriber) this.channel.unsubscribe();
    this.#onEnd();
  }
}

/**
 * Uses a channel, and calls `onChange` whenever what `readChannel()` gives may have changed, until the function that
 * this gives is called. The first who uses a channel subscribes it, with these options.
 */
export function holdChannel(channel: AGChannel, options: ChannelOptions, onChange: () => void): () => void {
  const socket = channel.client as AGClientSocket;
  let channels = inUse.get(socket);
  if (channels === undefined) inUse.set(socket, (channels = new Map()));
  const { name } = channel;
  let shared = channels.get(name);
  if (shared === undefined) {
    shared = new SharedChannel(channel, options, () => channels.delete(name));
    channels.set(name, shared);
  }
  return shared.hold(onChange);
}

/** What is known of a channel; the same object until something changes. */
export function readChannel(
  socket: AGClientSocket,
  name: string | null,
  withMessage: boolean,
): ChannelSnapshot {
  if (name === null) return NONE;
  return inUse.get(socket)?.get(name)?.read(withMessage) ?? NOT_YET;
}

/** What is shown where nothing is ever subscribed: on a server. */
export function initialChannel(name: string | null): ChannelSnapshot {
  return name === null ? NONE : NOT_YET;
}
