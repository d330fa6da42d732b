import {
  AbortError,
  type ChannelOptions,
  type ChannelState,
  ChannelStreams,
  Deadline,
  type PendingCall,
  TimeoutError,
} from '@socketcluster-ts/core';
import type { AuthState } from './auth-state.js';
import { checkName } from './check-name.js';
import type { ClientContext } from './client-context.js';
import type { Outbound } from './outbound.js';

/** How one channel was subscribed to, and how far that is. */
interface Subscription {
  readonly name: string;
  options: ChannelOptions;
  state: ChannelState;
  /** The `#subscribe` that is under way. */
  call: PendingCall | undefined;
}

/**
 * Owns the channels a client wants, the streams of all channels, and the subscriptions that are under way.
 *
 * A channel that is wanted stays so, until it is unsubscribed, refused or kicked out: when the connection ends it is
 * pending again, and subscribed anew with the next one.
 */
export class Subscriptions {
  readonly streams: ChannelStreams = new ChannelStreams();
  /** While true, nothing is subscribed: a connection is being set up, or the application does it by itself. */
  isPreparing = false;
  readonly #context: ClientContext;
  readonly #outbound: Outbound;
  readonly #auth: AuthState;
  readonly #isOpen: () => boolean;
  readonly #wanted = new Map<string, Subscription>();
  readonly #underWay = new Set<PendingCall>();
  readonly #noAnswer: Deadline<Subscriptions>;

  constructor(context: ClientContext, outbound: Outbound, auth: AuthState, isOpen: () => boolean) {
    this.#context = context;
    this.#outbound = outbound;
    this.#auth = auth;
    this.#isOpen = isOpen;
    this.#noAnswer = new Deadline((subscriptions: Subscriptions) => subscriptions.#giveUpUnanswered(), this);
  }

  /** Wants a channel, or changes the options of one that is wanted. */
  subscribe(name: string, options: ChannelOptions = {}): void {
    checkName(name);
    const known = this.#wanted.get(name);
    const subscription: Subscription = known ?? { name, options: {}, state: 'pending', call: undefined };
    subscription.options = copyOptions(options);
    this.#wanted.set(name, subscription);
    if (this.#isDue(subscription)) this.#request([subscription]);
  }

  /** Does not want a channel any more; what it still brings is not delivered. */
  unsubscribe(name: string): void {
    const subscription = this.#wanted.get(name);
    if (subscription === undefined) return;
    const isKnownToServer = subscription.state === 'subscribed' || subscription.call !== undefined;
    this.#remove(subscription);
    if (isKnownToServer && this.#isOpen()) this.#outbound.transmitNow('#unsubscribe', this.#decorate(name));
  }

  /** The server ended a subscription. */
  kickOut(wireName: string, message: unknown): void {
    const name = this.#strip(wireName);
    const subscription = this.#wanted.get(name);
    if (subscription === undefined) return;
    const payload = message === undefined ? {} : { message: message as string };
    this.streams.writeEvent(name, 'kickOut', payload);
    this.#context.face.emit('kickOut', { channel: name, ...payload });
    // Answers are never behind a kick out, so it ended an earlier subscription than the one that is under way.
    const isUnderWay = subscription.call !== undefined;
    this.#remove(subscription);
    if (isUnderWay) this.#outbound.transmitNow('#unsubscribe', wireName);
  }

  /** The name of a channel as the application knows it. */
  nameOf(wireName: string): string {
    return this.#strip(wireName);
  }

  isWanted(name: string): boolean {
    return this.#wanted.has(name);
  }

  /** Delivers a message of a channel, if that is wanted. */
  deliver(name: string, data: unknown): void {
    if (this.#wanted.has(name)) this.streams.write(name, data);
  }

  /** So many messages of a channel are missing, or an unknown number. */
  reportGap(wireName: string, dropped: number | null): void {
    const channel = this.#strip(wireName);
    if (!this.#wanted.has(channel)) return;
    this.streams.writeEvent(channel, 'gap', { dropped });
    this.#context.face.emit('gap', { channel, dropped });
  }

  /** Subscribes what is pending and can be, the highest priority first. */
  process(): void {
    const due = [...this.#wanted.values()].filter((subscription) => this.#isDue(subscription));
    // Stable: equal ones stay in the order in which they were asked for.
    if (due.length > 0) this.#request(due.toSorted((one, other) => priorityOf(other) - priorityOf(one)));
  }

  #isDue({ state, call, options }: Subscription): boolean {
    if (this.isPreparing || !this.#isOpen() || state !== 'pending' || call !== undefined) return false;
    return options.waitForAuth !== true || this.#auth.isAuthenticated;
  }

  #request(due: readonly Subscription[]): void {
    for (const { name, options } of due) {
      this.#context.face.emit('subscribeRequest', { channel: name, subscriptionOptions: options });
    }
    const calls = this.#outbound.callAll(
      '#subscribe',
      due.map((subscription) => this.#payload(subscription)),
    );
    this.#awaitAnswer();
    for (const [index, subscription] of due.entries()) {
      const call = calls[index] as PendingCall;
      subscription.call = call;
      this.#underWay.add(call);
      void this.#settle(subscription, call);
    }
  }

  /** The connection ended: what was subscribed is pending again. */
  suspend(): void {
    this.isPreparing = false;
    this.#underWay.clear();
    this.#context.timers.cancel(this.#noAnswer);
    for (const subscription of this.#wanted.values()) {
      subscription.call = undefined;
      if (subscription.state === 'subscribed') this.#setState(subscription, 'pending');
    }
  }

  state(name: string): ChannelState {
    return this.#wanted.get(name)?.state ?? 'unsubscribed';
  }

  options(name: string): ChannelOptions {
    return { ...this.#wanted.get(name)?.options };
  }

  has(name: string, includePending: boolean | undefined): boolean {
    const state = this.state(name);
    return state === 'subscribed' || (includePending === true && state === 'pending');
  }

  names(includePending: boolean | undefined): string[] {
    return [...this.#wanted.keys()].filter((name) => this.has(name, includePending));
  }

  /** The payload of a publish. */
  publication(name: string, data: unknown): { channel: string; data?: unknown } {
    checkName(name);
    const channel = this.#decorate(name);
    return data === undefined ? { channel } : { channel, data };
  }

  async #settle(subscription: Subscription, call: PendingCall): Promise<void> {
    let failure: { error: unknown } | undefined;
    try {
      await call.promise;
    } catch (error) {
      failure = { error };
    }
    // Unsubscribed, kicked out or disconnected meanwhile, and perhaps subscribed again.
    if (subscription.call !== call) return;
    subscription.call = undefined;
    this.#answered(call);
    if (failure === undefined) this.#setState(subscription, 'subscribed');
    else this.#fail(subscription, failure.error);
  }

  #fail(subscription: Subscription, error: unknown): void {
    const { name, options } = subscription;
    // It is tried again once the client is authenticated, which it was when it asked.
    if (options.waitForAuth === true && !this.#auth.isAuthenticated) return;
    this.#wanted.delete(name);
    this.streams.writeEvent(name, 'subscribeFail', { error, subscriptionOptions: options });
    this.#context.face.emit('subscribeFail', { error, channel: name, subscriptionOptions: options });
  }

  #awaitAnswer(): void {
    const { timers, settings } = this.#context;
    if (settings.subscribeTimeout > 0) timers.schedule(this.#noAnswer, settings.subscribeTimeout);
  }

  #answered(call: PendingCall): void {
    this.#underWay.delete(call);
    if (this.#underWay.size > 0) this.#awaitAnswer();
    else this.#context.timers.cancel(this.#noAnswer);
  }

  /** Nothing was answered for too long. The server may have subscribed all the same, so it is told to leave. */
  #giveUpUnanswered(): void {
    for (const { name, call } of this.#wanted.values()) {
      if (call === undefined) continue;
      this.#outbound.giveUp(call, new TimeoutError(`The subscription to ${name} was not answered in time`));
      this.#outbound.transmitNow('#unsubscribe', this.#decorate(name));
    }
  }

  #remove(subscription: Subscription): void {
    const { name, state, call } = subscription;
    this.#wanted.delete(name);
    subscription.call = undefined;
    if (call !== undefined) {
      this.#answered(call);
      this.#outbound.giveUp(call, new AbortError(`${name} was unsubscribed meanwhile`));
    }
    if (state === 'subscribed') this.#setState(subscription, 'unsubscribed');
  }

  /** The events of a channel come before those of the socket, and the change of state before what it means. */
  #setState(subscription: Subscription, state: ChannelState): void {
    const { name, options } = subscription;
    const { face } = this.#context;
    const change = {
      oldChannelState: subscription.state,
      newChannelState: state,
      ...(state === 'subscribed' ? { subscriptionOptions: options } : undefined),
    };
    subscription.state = state;
    this.streams.writeEvent(name, 'subscribeStateChange', change);
    if (state === 'subscribed') this.streams.writeEvent(name, 'subscribe', { subscriptionOptions: options });
    if (state === 'unsubscribed') this.streams.writeEvent(name, 'unsubscribe', {});
    face.emit('subscribeStateChange', { channel: name, ...change });
    if (state === 'subscribed') face.emit('subscribe', { channel: name, subscriptionOptions: options });
    if (state === 'unsubscribed') face.emit('unsubscribe', { channel: name });
  }

  #payload({ name, options }: Subscription): object {
    const payload: { channel: string; waitForAuth?: true; data?: unknown } = {
      channel: this.#decorate(name),
    };
    if (options.waitForAuth === true) payload.waitForAuth = true;
    // differs: upstream sends only what is truthy.
    if (options.data !== undefined) payload.data = options.data;
    return payload;
  }

  #decorate(name: string): string {
    return (this.#context.settings.channelPrefix ?? '') + name;
  }

  #strip(wireName: string): string {
    const { channelPrefix } = this.#context.settings;
    return channelPrefix && wireName.startsWith(channelPrefix)
      ? wireName.slice(channelPrefix.length)
      : wireName;
  }
}

function priorityOf({ options }: Subscription): number {
  return options.priority ?? 0;
}

function copyOptions({ waitForAuth, priority, data }: ChannelOptions): ChannelOptions {
  return {
    ...(waitForAuth === undefined ? undefined : { waitForAuth }),
    ...(priority === undefined ? undefined : { priority }),
    ...(data === undefined ? undefined : { data }),
  };
}
