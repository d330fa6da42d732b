import {
  AbortError,
  type ChannelOptions,
  type ChannelState,
  ChannelStreams,
  TimeoutError,
} from '@socketcluster-ts/core';
import type { AuthState } from './auth-state.js';
import { checkName } from './check-name.js';
import type { ClientContext } from './client-context.js';
import type { Call, Outbound } from './outbound.js';
import { Timer } from './timer.js';

/** How one channel was subscribed to, and how far that is. */
interface Subscription {
  readonly name: string;
  options: ChannelOptions;
  state: ChannelState;
  /** The `#subscribe` that is under way. */
  call: Call | undefined;
}

/** A subscription, and what of its options was told to the server. */
interface Asked {
  readonly subscription: Subscription;
  readonly subscriptionOptions: ChannelOptions;
}

/** An event of a channel; the socket emits the same, with the name of the channel. */
type ChannelEvent = readonly [event: string, payload: object];

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
  #underWay = 0;
  readonly #noAnswer: Timer;

  constructor(context: ClientContext, outbound: Outbound, auth: AuthState, isOpen: () => boolean) {
    this.#context = context;
    this.#outbound = outbound;
    this.#auth = auth;
    this.#isOpen = isOpen;
    this.#noAnswer = new Timer(context.environment, () => this.#giveUpUnanswered());
  }

  /** Wants a channel, or changes the options of one that is wanted. */
  subscribe(name: string, given?: ChannelOptions | null): void {
    checkName(name);
    const { waitForAuth, priority, data } = given ?? {};
    const options: ChannelOptions = {
      waitForAuth: !!waitForAuth,
      ...((priority ?? null) !== null && { priority }),
      ...(data !== undefined && { data }),
    };
    const subscription = this.#wanted.get(name) ?? { name, options, state: 'pending', call: undefined };
    subscription.options = options;
    this.#wanted.set(name, subscription);
    this.#request([subscription]);
  }

  /** Does not want a channel any more; what it still brings is not delivered. */
  unsubscribe(name: string): void {
    const subscription = this.#wanted.get(name);
    if (!subscription) return;
    const isKnownToServer = subscription.state === 'subscribed' || subscription.call !== undefined;
    this.#remove(subscription);
    if (isKnownToServer && this.#isOpen()) this.#outbound.transmitNow('#unsubscribe', this.#decorate(name));
  }

  /** The server ended a subscription. */
  kickOut(wireName: string, message: unknown): void {
    const name = this.nameOf(wireName);
    const subscription = this.#wanted.get(name);
    if (!subscription) return;
    this.#tell(name, ['kickOut', { message }]);
    // Answers are never behind a kick out, so it ended an earlier subscription than the one that is under way.
    const isUnderWay = subscription.call !== undefined;
    this.#remove(subscription);
    if (isUnderWay) this.#outbound.transmitNow('#unsubscribe', wireName);
  }

  /** The name of a channel as the application knows it. */
  nameOf(wireName: string): string {
    const prefix = this.#decorate('');
    return wireName.startsWith(prefix) ? wireName.slice(prefix.length) : wireName;
  }

  isWanted(name: string): boolean {
    return this.#wanted.has(name);
  }

  /** Delivers a message of a channel, if that is wanted. */
  deliver(name: string, data: unknown): void {
    if (this.isWanted(name)) this.streams.write(name, data);
  }

  /** So many messages of a channel are missing, or an unknown number. */
  reportGap(wireName: string, dropped: number | null): void {
    const name = this.nameOf(wireName);
    if (this.isWanted(name)) this.#tell(name, ['gap', { dropped }]);
  }

  /** Subscribes what is pending and can be, the highest priority first. */
  process(): void {
    this.#request([...this.#wanted.values()]);
  }

  /** The connection ended: what was subscribed is pending again. */
  suspend(): void {
    this.isPreparing = false;
    this.#underWay = 0;
    this.#noAnswer.stop();
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
    return state === 'subscribed' || (!!includePending && state === 'pending');
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

  #request(subscriptions: readonly Subscription[]): void {
    const { face } = this.#context;
    if (this.isPreparing || !this.#isOpen()) return;
    const due = subscriptions
      .filter(({ state, call, options }) => state === 'pending' && !call && this.#isAllowed(options))
      // Stable: equal ones stay in the order in which they were asked for.
      .toSorted((one, other) => (other.options.priority ?? 0) - (one.options.priority ?? 0));
    if (due.length === 0) return;
    const asked = due.map((subscription) => {
      const { name, options } = subscription;
      const subscriptionOptions = toldOptions(options);
      face.emit('subscribeRequest', { channel: name, subscriptionOptions });
      return { subscription, subscriptionOptions };
    });
    const payloads = asked.map(({ subscription, subscriptionOptions }) => ({
      channel: this.#decorate(subscription.name),
      ...subscriptionOptions,
    }));
    this.#underWay += due.length;
    this.#awaitAnswer();
    for (const [index, call] of this.#outbound.callAll('#subscribe', payloads).entries())
      void this.#settle(asked[index] as Asked, call);
  }

  #isAllowed({ waitForAuth }: ChannelOptions): boolean {
    return !waitForAuth || this.#auth.isAuthenticated;
  }

  async #settle({ subscription, subscriptionOptions }: Asked, call: Call): Promise<void> {
    const { name } = subscription;
    let failure: { error: unknown } | undefined;
    subscription.call = call;
    try {
      await call.promise;
    } catch (error) {
      failure = { error };
    }
    // Unsubscribed, kicked out or disconnected meanwhile, and perhaps subscribed again.
    if (subscription.call !== call) return;
    this.#answered(subscription);
    if (!failure) this.#setState(subscription, 'subscribed', { subscriptionOptions });
    // One that waits for authentication, which was lost meanwhile, goes on waiting.
    else if (this.#isAllowed(subscription.options)) {
      this.#wanted.delete(name);
      this.#tell(name, ['subscribeFail', { ...failure, subscriptionOptions }]);
    }
  }

  #awaitAnswer(): void {
    const { subscribeTimeout } = this.#context.settings;
    if (this.#underWay === 0) this.#noAnswer.stop();
    else if (subscribeTimeout > 0) this.#noAnswer.start(subscribeTimeout);
  }

  #answered(subscription: Subscription): void {
    subscription.call = undefined;
    this.#underWay--;
    this.#awaitAnswer();
  }

  /** Nothing was answered for too long. The server may have subscribed all the same, so it is told to leave. */
  #giveUpUnanswered(): void {
    for (const { name, call } of this.#wanted.values()) {
      if (!call) continue;
      this.#outbound.giveUp(call, new TimeoutError(`The subscription to ${name} was not answered in time`));
      this.#outbound.transmitNow('#unsubscribe', this.#decorate(name));
    }
  }

  #remove(subscription: Subscription): void {
    const { name, state, call } = subscription;
    this.#wanted.delete(name);
    if (call) {
      this.#answered(subscription);
      this.#outbound.giveUp(call, new AbortError(`${name} was unsubscribed meanwhile`));
    }
    if (state === 'subscribed') this.#setState(subscription, 'unsubscribed');
  }

  /** The change of state comes before what it means. */
  #setState(subscription: Subscription, newChannelState: ChannelState, payload: object = {}): void {
    const { name, state: oldChannelState } = subscription;
    const change: ChannelEvent = ['subscribeStateChange', { oldChannelState, newChannelState, ...payload }];
    subscription.state = newChannelState;
    this.#tell(name, change, [newChannelState === 'subscribed' ? 'subscribe' : 'unsubscribe', payload]);
  }

  /** The events of a channel come before those of the socket. */
  #tell(channel: string, ...events: readonly ChannelEvent[]): void {
    const { face } = this.#context;
    for (const [event, payload] of events) this.streams.writeEvent(channel, event, payload);
    for (const [event, payload] of events) face.emit(event, { channel, ...payload });
  }

  #decorate(name: string): string {
    return (this.#context.settings.channelPrefix ?? '') + name;
  }
}

/** What the server, and who listens, is told of the options of a channel. */
function toldOptions({ waitForAuth, data }: ChannelOptions): ChannelOptions {
  // differs: upstream sends only data that is truthy.
  return { ...(waitForAuth && { waitForAuth }), ...(data !== undefined && { data }) };
}
