import { BrokerError, InvalidActionError } from '@socketcluster-ts/core';
import { echoName } from './echo-name.js';
import type { SocketContext } from './socket-context.js';
import type { SubscriptionOptions } from './socket-events.js';

/** One channel of the socket. */
interface Subscription {
  /** The operation of the broker that is under way; the next one on this channel waits for it. */
  work: Promise<unknown> | undefined;
  /** Whether the broker confirmed it. */
  active: boolean;
}

/** What nearly all subscriptions are nearly all the time: one record for all of them, instead of 40 bytes for each. */
const AT_REST: Readonly<Subscription> = Object.freeze({ work: undefined, active: true });

/** Owns the channels one socket is subscribed to, those whose subscription the broker has not confirmed included. */
export class Subscriptions {
  readonly #context: SocketContext;
  #channels: Map<string, Readonly<Subscription>> | undefined;

  constructor(context: SocketContext) {
    this.#context = context;
  }

  get count(): number {
    return this.#channels?.size ?? 0;
  }

  names(): string[] {
    return this.#channels === undefined ? [] : [...this.#channels.keys()];
  }

  /** The channels as keys of a new record without a prototype. */
  record(): Record<string, true> {
    const record = Object.create(null) as Record<string, true>;
    for (const name of this.names()) record[name] = true;
    return record;
  }

  has(channel: string): boolean {
    return this.#channels?.has(channel) === true;
  }

  /**
   * Subscribes the socket and emits it. When the connection closes meanwhile, the broker is told to undo it and
   * nothing is emitted.
   * @throws {BrokerError} when the channel limit is reached or the broker refuses
   */
  async subscribe(channel: string, options: SubscriptionOptions): Promise<void> {
    const { socket, server } = this.#context;
    const before = this.#channels?.get(channel);
    await before?.work?.catch(() => {});
    try {
      const subscription = this.#claim(channel);
      await this.#work(channel, subscription, this.#confirm(channel, subscription));
    } catch (error) {
      throw new BrokerError(
        `Failed to subscribe socket to the ${echoName(channel)} channel - ${String(error)}`,
        {
          cause: error,
        },
      );
    }
    if (this.#context.state === 'closed') return;
    socket.emit('subscribe', { channel, subscriptionOptions: options });
    server.emitOfSocket('subscription', {
      socket,
      channel,
      subscriptionOptions: options,
      channelOptions: options,
    });
  }

  /** The record of the channel to work on; a new one counts against the limit, one that is held costs nothing. */
  #claim(channel: string): Subscription {
    const { socket, server } = this.#context;
    const channels = (this.#channels ??= new Map());
    const held = channels.get(channel);
    if (held !== undefined) return this.#ownRecord(channel, held);
    const limit = server.socketChannelLimit || Infinity;
    if (channels.size >= limit) {
      throw new InvalidActionError(
        `Socket ${socket.id} tried to exceed the channel subscription limit of ${limit}`,
      );
    }
    const subscription: Subscription = { work: undefined, active: false };
    channels.set(channel, subscription);
    return subscription;
  }

  #ownRecord(channel: string, held: Readonly<Subscription>): Subscription {
    if (held !== AT_REST) return held;
    const subscription: Subscription = { ...AT_REST };
    this.#channels?.set(channel, subscription);
    return subscription;
  }

  async #confirm(channel: string, subscription: Subscription): Promise<void> {
    const { socket, server } = this.#context;
    try {
      await server.brokerEngine.subscribeSocket(socket, channel);
      subscription.active = true;
    } catch (error) {
      // Only what this attempt added is rolled back: a held channel is still delivered.
      if (!subscription.active) this.#channels?.delete(channel);
      throw error;
    }
    if (this.#context.state !== 'closed') return;
    this.#channels?.delete(channel);
    await server.brokerEngine.unsubscribeSocket(socket, channel);
  }

  /** Remembers the operation, so that another one on the same channel waits for it. */
  async #work(channel: string, subscription: Subscription, work: Promise<void>): Promise<void> {
    subscription.work = work;
    try {
      await work;
    } finally {
      if (subscription.work === work) {
        subscription.work = undefined;
        if (subscription.active && this.#channels?.get(channel) === subscription) {
          this.#channels.set(channel, AT_REST);
        }
      }
    }
  }

  /**
   * Unsubscribes the socket and emits it, after what is under way for the channel.
   * @throws {BrokerError} when the broker refuses (the subscription stays), {InvalidActionError} when the socket is
   *   not subscribed
   */
  async unsubscribe(channel: string): Promise<void> {
    const { socket, server } = this.#context;
    let subscription = this.#channels?.get(channel);
    while (subscription?.work !== undefined) {
      await subscription.work.catch(() => {});
      // The subscribe that was under way emits before this goes on.
      await Promise.resolve();
      subscription = this.#channels?.get(channel);
    }
    if (subscription === undefined) {
      throw new InvalidActionError(
        `Socket ${socket.id} tried to unsubscribe from a channel which it is not subscribed to`,
      );
    }
    await this.#work(
      channel,
      this.#ownRecord(channel, subscription),
      (async () => {
        await server.brokerEngine.unsubscribeSocket(socket, channel);
        this.#channels?.delete(channel);
      })(),
    );
    socket.emit('unsubscribe', { channel });
    server.emitOfSocket('unsubscription', { socket, channel });
  }

  /** Tells the client that it left the channels, and unsubscribes it. Rejects with the first failure. */
  async kickOut(channel: string | readonly string[] | undefined, message: string | undefined): Promise<void> {
    let channels: readonly string[];
    // compat: a number is a name, too.
    if (Array.isArray(channel)) channels = channel.map(String);
    else channels = channel ? [String(channel)] : this.names();
    await Promise.all(
      channels.map(async (name) => {
        const data = message === undefined ? { channel: name } : { channel: name, message };
        void this.#context.socket.transmit('#kickOut', data);
        await this.unsubscribe(name);
      }),
    );
  }

  /** Leaves every channel after the connection closed. Failures are emitted; never rejects. */
  async leaveAll(): Promise<void> {
    const { socket } = this.#context;
    await Promise.all(
      this.names().map(async (channel) => {
        // Not confirmed yet: who subscribes undoes it, as nothing was emitted for it.
        const subscription = this.#channels?.get(channel);
        if (subscription?.active !== true) {
          await subscription?.work?.catch(() => {});
          return;
        }
        try {
          await this.unsubscribe(channel);
        } catch (error) {
          // Another unsubscribe was faster.
          if (error instanceof InvalidActionError && !this.has(channel)) return;
          const text = `Failed to unsubscribe socket from the ${echoName(channel)} channel - ${String(error)}`;
          socket.emitError(new BrokerError(text, { cause: error }));
        }
      }),
    );
  }
}
