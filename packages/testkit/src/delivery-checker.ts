import { withDeadline } from './deadline.js';
import { type Interest, isOvertaken, type Message, type Publisher, takeSession } from './delivery-history.js';
import { type DeliveryVerdict, type FailedPublish, type Stamp, stampIn } from './delivery-verdict.js';

type Judged =
  | 'lost'
  | 'cutOff'
  | 'longestCutOffMs'
  | 'missedAway'
  | 'missedInGap'
  | 'longestGapMs'
  | 'deliveredUnknown';
type Fault = 'duplicates' | 'reordered' | 'foreign' | 'contradicted' | 'late';

const MOST_EXAMPLES = 10;

/**
 * Owns the history of numbered messages between any publishers and subscribers, whoever carries them, and judges it.
 *
 * It is told what happens in the order in which that is seen: a send before it leaves, an acknowledgement, error or
 * delivery when it arrives, a subscription once it was confirmed, its end when that is noticed. What was acknowledged
 * and not delivered is lost if the subscription stood from before the sending until now, or if something later of the
 * same publisher arrived by the same subscription; otherwise the subscriber was away, or cut off while it was under way.
 * A subscriber who is told of a gap knows that what was sent before may be missing.
 *
 * Publishers and subscribers are known by names of the caller, which are not used again for somebody else.
 */
export class DeliveryChecker {
  readonly #now: () => number;
  readonly #publishers = new Map<string, Publisher>();
  /** By channel and subscriber. */
  readonly #interests = new Map<string, Map<string, Interest>>();
  /** Pending, or not with all who are subscribed. */
  readonly #unfinished = new Set<Message>();
  readonly #watchers = new Set<() => void>();
  readonly #counts = { sent: 0, acknowledged: 0, refused: 0, unknown: 0, delivered: 0 };
  readonly #faults: Record<Fault, number> = {
    duplicates: 0,
    reordered: 0,
    foreign: 0,
    contradicted: 0,
    late: 0,
  };
  /** What was found in the messages that are forgotten. */
  readonly #settled: Record<Judged, number> = {
    lost: 0,
    cutOff: 0,
    longestCutOffMs: 0,
    missedAway: 0,
    missedInGap: 0,
    longestGapMs: 0,
    deliveredUnknown: 0,
  };
  readonly #examples: string[] = [];

  /** @param now - the clock in ms, which must not jump; by default `performance.now()` */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A message is about to be sent: gives what it is to carry. */
  send(publisher: string, channel: string): Stamp {
    let sender = this.#publishers.get(publisher);
    if (sender === undefined) {
      sender = { sent: 0, messages: new Map(), servedUpTo: -Infinity, channels: new Set(), isRetired: false };
      this.#publishers.set(publisher, sender);
    }
    sender.sent += 1;
    sender.channels.add(channel);
    this.#counts.sent += 1;
    const message: Message = {
      publisher,
      number: sender.sent,
      channel,
      sentAt: this.#now(),
      state: 'pending',
      endedAt: 0,
      awaited: new Set(),
      interrupted: new Set(),
      away: new Set(),
      reached: new Set(),
      gaps: new Map(),
    };
    for (const interest of this.#interests.get(channel)?.values() ?? []) {
      if (interest.session !== undefined) message.awaited.add(interest.session);
      else if (interest.isWanted) message.away.add(interest);
    }
    sender.messages.set(message.number, message);
    this.#unfinished.add(message);
    return { publisher, number: message.number };
  }

  /** The publish was acknowledged. */
  acknowledge(stamp: Stamp): void {
    const [sender, message] = this.#end(stamp, 'acknowledged');
    this.#counts.acknowledged += 1;
    sender.servedUpTo = Math.max(sender.servedUpTo, message.sentAt);
    this.#review(message);
  }

  /** The publish failed. */
  fail(stamp: Stamp, outcome: FailedPublish): void {
    const [, message] = this.#end(stamp, outcome);
    this.#counts[outcome === 'unknown' ? 'unknown' : 'refused'] += 1;
    if (outcome !== 'unknown') {
      for (const { subscriber } of message.reached) this.#contradict(message, subscriber);
    }
    this.#review(message);
  }

  /** A publisher has left for good. */
  retire(publisher: string): void {
    const sender = this.#publishers.get(publisher);
    if (sender !== undefined) sender.isRetired = true;
    this.#report();
  }

  /** A subscriber asks for a channel: from now on messages may come, and those that do not were missed. */
  want(subscriber: string, channel: string): void {
    this.#interest(subscriber, channel).isWanted = true;
  }

  /** A subscription was confirmed. */
  subscribe(subscriber: string, channel: string): void {
    const interest = this.#interest(subscriber, channel);
    interest.isWanted = true;
    interest.session ??= { interest, closedAt: undefined, highest: new Map() };
    this.#report();
  }

  /** The connection of a subscriber was lost: its subscriptions have ended, and it still wants them. */
  interrupt(subscriber: string): void {
    for (const interests of this.#interests.values()) {
      const interest = interests.get(subscriber);
      if (interest !== undefined) this.#endSession(interest);
    }
    this.#report();
  }

  /** A subscriber was told that messages of the channel may be missing: those that were sent up to now. */
  gap(subscriber: string, channel: string): void {
    const session = this.#interests.get(channel)?.get(subscriber)?.session;
    if (session === undefined) return;
    for (const message of this.#unfinished) {
      if (!message.awaited.delete(session)) continue;
      message.gaps.set(session.interest, this.#now());
      this.#review(message);
    }
    this.#report();
  }

  /** A subscriber gives a channel up. */
  unsubscribe(subscriber: string, channel: string): void {
    const interest = this.#interest(subscriber, channel);
    interest.isWanted = false;
    this.#endSession(interest);
    this.#report();
  }

  /**
   * A message arrived. `content` is what it carries: a stamp, or else it is foreign.
   * @returns how many ms ago it was sent, if that is known
   */
  deliver(subscriber: string, channel: string, content: unknown): number | undefined {
    this.#counts.delivered += 1;
    const got = (): string => `${subscriber} got ${JSON.stringify(content)} in '${channel}'`;
    const stamp = stampIn(content);
    const sender = this.#publishers.get(stamp?.publisher ?? '');
    if (stamp === undefined || sender === undefined || stamp.number > sender.sent) {
      this.#fault('foreign', `${got()}, which nobody sent`);
      return undefined;
    }
    const message = sender.messages.get(stamp.number);
    if (message === undefined) {
      this.#fault('late', `${got()} after it had been judged`);
      return undefined;
    }
    const interest = this.#interests.get(channel)?.get(subscriber);
    if (interest === undefined) this.#fault('foreign', `${got()}, which it never wanted`);
    else if (message.channel !== channel) this.#fault('foreign', `${got()}, sent to '${message.channel}'`);
    else if (message.reached.has(interest)) this.#fault('duplicates', `${got()} again`);
    else this.#arrive(message, interest, got);
    this.#review(message);
    return this.#now() - message.sentAt;
  }

  /** Whether every publish has ended, and every acknowledged message is with all who are subscribed. */
  get isFinished(): boolean {
    return this.#unfinished.size === 0;
  }

  /**
   * Whether all is well again: every publisher that has not retired had something acknowledged, and everybody got
   * something in each channel they want, that was sent at `time` (in ms of the clock) or later.
   */
  isServedSince(time: number): boolean {
    for (const { isRetired, servedUpTo } of this.#publishers.values()) {
      if (!isRetired && servedUpTo < time) return false;
    }
    for (const interests of this.#interests.values()) {
      for (const { isWanted, servedUpTo } of interests.values()) {
        if (isWanted && servedUpTo < time) return false;
      }
    }
    return true;
  }

  /**
   * As `isServedSince()`, and everybody got something of each publisher that has not retired and has published in the
   * channel: publishers and subscribers may be in different places.
   */
  isServedByAllSince(time: number): boolean {
    for (const [name, { channels, isRetired }] of this.#publishers) {
      if (isRetired) continue;
      for (const channel of channels) {
        for (const { isWanted, servedBy } of this.#interests.get(channel)?.values() ?? []) {
          if (isWanted && (servedBy.get(name) ?? -Infinity) < time) return false;
        }
      }
    }
    return this.isServedSince(time);
  }

  /** Resolves once `condition` is true, looking after each thing that is told; rejects after `deadlineMs`. */
  async until(condition: () => boolean, what: string, deadlineMs?: number): Promise<void> {
    if (condition()) return;
    let watcher: (() => void) | undefined;
    const met = new Promise<void>((resolve) => {
      watcher = () => {
        if (condition()) resolve();
      };
      this.#watchers.add(watcher);
    });
    try {
      await withDeadline(met, what, deadlineMs);
    } finally {
      if (watcher !== undefined) this.#watchers.delete(watcher);
    }
  }

  /**
   * Judges what was sent more than `ageMs` ago and forgets it, and with it who has left: for long runs. A publish that
   * has not ended is kept. What arrives of the others after that is a fault.
   */
  settle(ageMs: number): void {
    const before = this.#now() - ageMs;
    for (const [name, { messages, isRetired }] of this.#publishers) {
      for (const message of messages.values()) {
        if (message.sentAt >= before) break;
        if (message.state === 'pending') continue;
        this.#judge(message, this.#settled, this.#examples);
        messages.delete(message.number);
        this.#unfinished.delete(message);
      }
      if (isRetired && messages.size === 0) this.#forgetPublisher(name);
    }
    for (const interests of this.#interests.values()) {
      for (const [subscriber, { isWanted, endedAt }] of interests) {
        if (!isWanted && endedAt < before) interests.delete(subscriber);
      }
    }
  }

  /** What was found up to now. What is still under way to a subscriber counts as lost: let it arrive first. */
  verdict(): DeliveryVerdict {
    const found = { ...this.#settled };
    const examples = [...this.#examples];
    for (const { messages } of this.#publishers.values()) {
      for (const message of messages.values()) this.#judge(message, found, examples);
    }
    const { sent, acknowledged, refused, unknown } = this.#counts;
    const pending = sent - acknowledged - refused - unknown;
    return { ...this.#counts, pending, ...found, ...this.#faults, examples };
  }

  #interest(subscriber: string, channel: string): Interest {
    let interests = this.#interests.get(channel);
    if (interests === undefined) {
      interests = new Map();
      this.#interests.set(channel, interests);
    }
    let interest = interests.get(subscriber);
    if (interest === undefined) {
      interest = {
        subscriber,
        channel,
        isWanted: true,
        session: undefined,
        endedAt: -Infinity,
        highest: new Map(),
        servedUpTo: -Infinity,
        servedBy: new Map(),
      };
      interests.set(subscriber, interest);
    }
    return interest;
  }

  /** Notes how a publish ended, which it does once. */
  #end({ publisher, number }: Stamp, state: Message['state']): [Publisher, Message] {
    const sender = this.#publishers.get(publisher);
    const message = sender?.messages.get(number);
    if (sender === undefined || message === undefined)
      throw new Error(`${publisher} has no message ${number} under way`);
    if (message.state !== 'pending')
      throw new Error(`Message ${number} of ${publisher} ended twice: ${message.state}, then ${state}`);
    message.state = state;
    message.endedAt = this.#now();
    return [sender, message];
  }

  #arrive(message: Message, interest: Interest, got: () => string): void {
    const { publisher, number, state } = message;
    message.reached.add(interest);
    const highest = interest.highest.get(publisher) ?? 0;
    if (number < highest) this.#fault('reordered', `${got()} behind ${highest}`);
    else interest.highest.set(publisher, number);
    interest.servedUpTo = Math.max(interest.servedUpTo, message.sentAt);
    interest.servedBy.set(publisher, Math.max(message.sentAt, interest.servedBy.get(publisher) ?? 0));
    if (state === 'refused' || state === 'not-sent') this.#contradict(message, interest.subscriber);
    // By the subscription it was sent to: who reads may be a little behind its end.
    const session =
      takeSession(message.awaited, interest) ??
      takeSession(message.interrupted, interest) ??
      interest.session;
    session?.highest.set(publisher, Math.max(number, session.highest.get(publisher) ?? 0));
  }

  #endSession(interest: Interest): void {
    const { session } = interest;
    if (session === undefined) return;
    interest.session = undefined;
    session.closedAt = interest.endedAt = this.#now();
    for (const message of this.#unfinished) {
      if (!message.awaited.delete(session)) continue;
      if (interest.isWanted || isOvertaken(message, session)) message.interrupted.add(session);
      this.#review(message);
    }
  }

  #judge(message: Message, into: Record<Judged, number>, examples: string[]): void {
    if (message.state === 'unknown' && message.reached.size > 0) into.deliveredUnknown += 1;
    if (message.state !== 'acknowledged') return;
    for (const session of [...message.awaited, ...message.interrupted]) {
      const { interest, closedAt } = session;
      if (closedAt !== undefined && !isOvertaken(message, session)) {
        into.cutOff += 1;
        into.longestCutOffMs = Math.max(into.longestCutOffMs, closedAt - message.endedAt);
        continue;
      }
      into.lost += 1;
      const { publisher, number, channel } = message;
      if (examples.length < MOST_EXAMPLES)
        examples.push(`${interest.subscriber} never got message ${number} of ${publisher} in '${channel}'`);
    }
    for (const [interest, toldAt] of message.gaps) {
      if (message.reached.has(interest)) continue;
      into.missedInGap += 1;
      into.longestGapMs = Math.max(into.longestGapMs, toldAt - message.sentAt);
    }
    for (const interest of message.away) if (!message.reached.has(interest)) into.missedAway += 1;
  }

  /** Something happened to a message: is there still something to wait for? */
  #review(message: Message): void {
    const { state, awaited } = message;
    const isOver = state === 'acknowledged' ? awaited.size === 0 : state !== 'pending';
    if (isOver) this.#unfinished.delete(message);
    this.#report();
  }

  #forgetPublisher(name: string): void {
    this.#publishers.delete(name);
    for (const interests of this.#interests.values()) {
      for (const { highest, servedBy, session } of interests.values()) {
        highest.delete(name);
        servedBy.delete(name);
        session?.highest.delete(name);
      }
    }
  }

  #contradict({ number, publisher, state }: Message, subscriber: string): void {
    this.#fault('contradicted', `${subscriber} got message ${number} of ${publisher}, which was ${state}`);
  }

  #fault(kind: Fault, example: string): void {
    this.#faults[kind] += 1;
    if (this.#examples.length < MOST_EXAMPLES) this.#examples.push(example);
    this.#report();
  }

  #report(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
