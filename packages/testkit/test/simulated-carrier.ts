import type { DeliveryChecker, DeliveryVerdict, Stamp } from '@socketcluster-ts/testkit';

/** What may happen next, and two numbers that choose who and where. */
export type Step = readonly [keyof SimulatedCarrier['steps'], number, number];

interface Parcel {
  readonly stamp: Stamp;
  readonly channel: string;
  readonly session: SimulatedSession;
}

interface SimulatedSession {
  readonly subscriber: string;
  readonly channel: string;
  end: 'open' | 'interrupted' | 'left';
  /** Stamps in the order in which they arrived, while it was open. */
  readonly arrived: Stamp[];
  /** How many messages there were when it was told of a gap last. */
  toldAt: number;
}

interface Publication {
  readonly stamp: Stamp;
  readonly channel: string;
  readonly sessions: readonly SimulatedSession[];
  /** Who wanted the channel without being subscribed. */
  readonly away: readonly string[];
  state: 'pending' | 'acknowledged' | 'refused' | 'unknown';
}

const PUBLISHERS = ['p0', 'p1'];
const SUBSCRIBERS = ['s0', 's1', 's2'];
const CHANNELS = ['red', 'blue'];

/**
 * Owns a made-up server with a queue for each subscriber, which can also do everything that a server must not, and
 * counts by the plainest means what a checker has to find.
 */
export class SimulatedCarrier {
  readonly #checker: DeliveryChecker;
  readonly #queues = new Map<string, Parcel[]>(SUBSCRIBERS.map((name) => [name, []]));
  readonly #sessions: SimulatedSession[] = [];
  readonly #wanted = new Set<string>();
  readonly #publications: Publication[] = [];
  readonly #got: { subscriber: string; channel: string; stamp: Stamp }[] = [];
  readonly #expected = { duplicates: 0, foreign: 0, contradicted: 0 };

  constructor(checker: DeliveryChecker) {
    this.#checker = checker;
  }

  readonly steps = {
    subscribe: (who: number, where: number): void => {
      const [subscriber, channel] = [pick(SUBSCRIBERS, who), pick(CHANNELS, where)];
      this.#wanted.add(`${subscriber} ${channel}`);
      this.#checker.subscribe(subscriber, channel);
      if (this.#open(subscriber, channel) === undefined)
        this.#sessions.push({ subscriber, channel, end: 'open', arrived: [], toldAt: 0 });
    },
    want: (who: number, where: number): void => {
      const [subscriber, channel] = [pick(SUBSCRIBERS, who), pick(CHANNELS, where)];
      this.#wanted.add(`${subscriber} ${channel}`);
      this.#checker.want(subscriber, channel);
    },
    interrupt: (who: number): void => {
      const subscriber = pick(SUBSCRIBERS, who);
      this.#checker.interrupt(subscriber);
      for (const session of this.#sessions)
        if (session.subscriber === subscriber && session.end === 'open') session.end = 'interrupted';
      this.#queues.set(subscriber, []);
    },
    gap: (who: number, where: number): void => {
      const [subscriber, channel] = [pick(SUBSCRIBERS, who), pick(CHANNELS, where)];
      this.#checker.gap(subscriber, channel);
      const session = this.#open(subscriber, channel);
      if (session !== undefined) session.toldAt = this.#publications.length;
    },
    leave: (who: number, where: number): void => {
      const [subscriber, channel] = [pick(SUBSCRIBERS, who), pick(CHANNELS, where)];
      const session = this.#open(subscriber, channel);
      this.#wanted.delete(`${subscriber} ${channel}`);
      this.#checker.unsubscribe(subscriber, channel);
      if (session !== undefined) session.end = 'left';
      const queue = this.#queues.get(subscriber) ?? [];
      this.#queues.set(
        subscriber,
        queue.filter((parcel) => parcel.session !== session),
      );
    },
    publish: (who: number, where: number): void => void this.#publish(who, where),
    acknowledge: (who: number): void => {
      const publication = this.#publications.find(
        ({ state, stamp }) => state === 'pending' && stamp.publisher === pick(PUBLISHERS, who),
      );
      if (publication === undefined) return;
      publication.state = 'acknowledged';
      this.#checker.acknowledge(publication.stamp);
    },
    refuse: (who: number, where: number): void => {
      const publication = this.#publish(who, where, 'refused');
      this.#checker.fail(publication.stamp, 'refused');
    },
    publishAndBreak: (who: number, where: number): void => {
      const publication = this.#publish(who, where, 'unknown');
      this.#checker.fail(publication.stamp, 'unknown');
    },
    deliver: (who: number): void => {
      const parcel = this.#next(who);
      if (parcel !== undefined) this.#arrive(parcel);
    },

    // What a server must not do.
    lose: (who: number): void => void this.#next(who),
    duplicate: (who: number): void => {
      const parcel = this.#next(who);
      if (parcel === undefined) return;
      this.#arrive(parcel);
      this.#checker.deliver(parcel.session.subscriber, parcel.channel, parcel.stamp);
      this.#expected.duplicates += 1;
    },
    swap: (who: number): void => {
      const queue = this.#queues.get(pick(SUBSCRIBERS, who)) ?? [];
      if (queue.length > 1) queue.unshift(...queue.splice(1, 1));
    },
    forge: (who: number, where: number): void => {
      const [subscriber, channel] = [pick(SUBSCRIBERS, who), pick(CHANNELS, where)];
      for (const content of ['text', { publisher: 'p0', number: 1e6 }, { publisher: 'nobody', number: 1 }]) {
        this.#checker.deliver(subscriber, channel, content);
        this.#expected.foreign += 1;
      }
    },
    misroute: (who: number): void => {
      const parcel = this.#next(who);
      if (parcel === undefined) return;
      const other = parcel.channel === 'red' ? 'blue' : 'red';
      this.#checker.deliver(parcel.session.subscriber, other, parcel.stamp);
      this.#expected.foreign += 1;
    },
    contradict: (who: number, where: number): void => {
      const { stamp, channel, sessions } = this.#publish(who, where, 'refused');
      const [session] = sessions;
      // Before or after the publisher is told.
      if (who % 2 === 0) this.#checker.fail(stamp, 'refused');
      if (session !== undefined) this.#arrive({ stamp, channel, session });
      if (session !== undefined) this.#expected.contradicted += 1;
      if (who % 2 === 1) this.#checker.fail(stamp, 'refused');
    },
  };

  /** Whether nothing is under way. */
  get isIdle(): boolean {
    return [...this.#queues.values()].every((queue) => queue.length === 0);
  }

  /** Delivers all that is under way and acknowledges what is pending. */
  finish(): void {
    for (const who of SUBSCRIBERS.keys()) {
      while (this.#queues.get(pick(SUBSCRIBERS, who))?.length !== 0) this.steps.deliver(who);
    }
    for (const publication of this.#publications) {
      if (publication.state !== 'pending') continue;
      publication.state = 'acknowledged';
      this.#checker.acknowledge(publication.stamp);
    }
  }

  /** What a checker must say now. */
  expected(): Partial<DeliveryVerdict> {
    const none = { lost: 0, cutOff: 0, missedAway: 0, missedInGap: 0, deliveredUnknown: 0, reordered: 0 };
    const found = { ...this.#expected, ...none };
    for (const [index, { stamp, sessions, away, state }] of this.#publications.entries()) {
      const hasGot = (subscriber: string): boolean =>
        this.#got.some((got) => got.stamp === stamp && got.subscriber === subscriber);
      if (state === 'unknown' && SUBSCRIBERS.some(hasGot)) found.deliveredUnknown += 1;
      if (state !== 'acknowledged') continue;
      found.missedAway += away.filter((subscriber) => !hasGot(subscriber)).length;
      for (const { subscriber, arrived, end, toldAt } of sessions) {
        if (hasGot(subscriber)) continue;
        if (index < toldAt) {
          found.missedInGap += 1;
          continue;
        }
        const isOvertaken = arrived.some(
          ({ publisher, number }) => publisher === stamp.publisher && number > stamp.number,
        );
        if (end === 'open' || isOvertaken) found.lost += 1;
        else if (end === 'interrupted') found.cutOff += 1;
      }
    }
    for (const [index, got] of this.#got.entries()) {
      const isBehind = this.#got
        .slice(0, index)
        .some(
          (earlier) =>
            earlier.subscriber === got.subscriber &&
            earlier.channel === got.channel &&
            earlier.stamp.publisher === got.stamp.publisher &&
            earlier.stamp.number > got.stamp.number,
        );
      if (isBehind) found.reordered += 1;
    }
    return found;
  }

  #publish(who: number, where: number, state: Publication['state'] = 'pending'): Publication {
    const channel = pick(CHANNELS, where);
    const stamp = this.#checker.send(pick(PUBLISHERS, who), channel);
    const sessions = this.#sessions.filter(
      (session) => session.end === 'open' && session.channel === channel,
    );
    const away = SUBSCRIBERS.filter(
      (name) =>
        this.#wanted.has(`${name} ${channel}`) && !sessions.some(({ subscriber }) => subscriber === name),
    );
    const publication: Publication = { stamp, channel, sessions, away, state };
    this.#publications.push(publication);
    if (state !== 'refused') {
      for (const session of sessions) this.#queues.get(session.subscriber)?.push({ stamp, channel, session });
    }
    return publication;
  }

  #arrive({ stamp, channel, session }: Parcel): void {
    this.#checker.deliver(session.subscriber, channel, stamp);
    this.#got.push({ subscriber: session.subscriber, channel, stamp });
    session.arrived.push(stamp);
  }

  #next(who: number): Parcel | undefined {
    return this.#queues.get(pick(SUBSCRIBERS, who))?.shift();
  }

  #open(subscriber: string, channel: string): SimulatedSession | undefined {
    return this.#sessions.find(
      (session) => session.end === 'open' && session.subscriber === subscriber && session.channel === channel,
    );
  }
}

function pick(names: readonly string[], index: number): string {
  return names[index % names.length] ?? '';
}
