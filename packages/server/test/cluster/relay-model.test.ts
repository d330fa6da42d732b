import {
  AGSimpleBroker,
  type Gap,
  type RelayBroker,
  relayBroker,
  type Subscriber,
} from '@socketcluster-ts/server';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ScriptedLink } from './scripted-link.js';

const CHANNELS = ['a', 'b', 'c'];
const ACK_MS = 2000;
const SUBSCRIBE_MS = 1500;
const GRACE_MS = 300;

type Step =
  | { readonly do: 'subscribe' | 'unsubscribe'; readonly who: number; readonly channel: string }
  | { readonly do: 'answer'; readonly index: number; readonly isAccepted: boolean }
  | { readonly do: 'lose' | 'publish'; readonly channel: string }
  | { readonly do: 'establish' | 'disconnect' | 'fail' }
  | { readonly do: 'wait'; readonly ms: number };

const channel = fc.constantFrom(...CHANNELS);
const kinds: [weight: number, arbitrary: fc.Arbitrary<Step>][] = [
  [4, fc.record({ do: fc.constant('subscribe' as const), who: fc.nat(1), channel })],
  [3, fc.record({ do: fc.constant('unsubscribe' as const), who: fc.nat(1), channel })],
  [
    8,
    fc.record({
      do: fc.constant('answer' as const),
      index: fc.nat(5),
      isAccepted: fc.integer({ min: 0, max: 3 }).map(Boolean),
    }),
  ],
  [2, fc.record({ do: fc.constant('lose' as const), channel })],
  [2, fc.record({ do: fc.constant('publish' as const), channel })],
  [2, fc.constant({ do: 'establish' as const })],
  [1, fc.constant({ do: 'disconnect' as const })],
  [1, fc.constant({ do: 'fail' as const })],
  [3, fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 100, GRACE_MS, 600, ACK_MS) })],
];
/** A step, and whether what it leads to happens before the next. */
const moment: fc.Arbitrary<[Step, boolean]> = fc.tuple(
  fc.oneof(...kinds.map(([weight, arbitrary]) => ({ weight, arbitrary }))),
  fc.integer({ min: 0, max: 3 }).map(Boolean),
);

/** Owns one subscriber of the node, and what it was told. */
class Reader implements Subscriber {
  readonly id: string;
  readonly #onGap: (gap: Gap) => void;

  constructor(id: string, onGap: (gap: Gap) => void) {
    this.id = id;
    this.#onGap = onGap;
  }

  transmit(): void {}

  reportGap(gap: Gap): void {
    this.#onGap(gap);
  }
}

/** Owns a relay with its scripted link, and what must be true of them. */
class Model {
  readonly link = new ScriptedLink();
  readonly relay: RelayBroker;
  readonly #readers: Reader[];
  /** Who was told that a subscription holds, by reader and channel; and who does not know yet. */
  readonly #accepted = new Set<string>();
  readonly #pending = new Map<string, Promise<void>>();
  /** Accepted subscriptions whose channel the engine did not send at some time, and nobody has been told. */
  readonly #missed = new Set<string>();
  #sent = 0;
  /** What became of each publish, by number. */
  readonly #outcomes = new Map<number, 'accepted' | 'rejected' | undefined>();

  constructor() {
    this.relay = relayBroker(new AGSimpleBroker(), this.link, {
      ackTimeout: ACK_MS,
      subscribeTimeout: SUBSCRIBE_MS,
      grace: GRACE_MS,
    });
    this.#readers = [0, 1].map(
      (n) => new Reader(`reader ${n}`, (gap) => this.#missed.delete(`${n} ${gap.channel}`)),
    );
  }

  /** Does something; nothing that it leads to has happened on return. */
  apply(next: Exclude<Step, { do: 'wait' }>): void {
    switch (next.do) {
      case 'subscribe':
        this.#subscribe(next.who, next.channel);
        break;
      case 'unsubscribe':
        this.#unsubscribe(next.who, next.channel);
        break;
      case 'answer':
        this.link.answer(next.index % Math.max(1, this.link.asked.length), next.isAccepted);
        break;
      case 'lose':
        this.link.lose(next.channel);
        break;
      case 'publish':
        this.#publish(next.channel);
        break;
      default:
        this.link[next.do]();
    }
    this.#note();
  }

  /** Lets everything happen that needs no more time than this. */
  async settle(ms: number = 0): Promise<void> {
    this.#note();
    await vi.advanceTimersByTimeAsync(ms);
    this.#note();
    this.#check();
  }

  #note(): void {
    for (const key of this.#accepted) {
      if (!this.link.channels.has(key.slice(2))) this.#missed.add(key);
    }
  }

  #reader(who: number): Reader {
    const reader = this.#readers[who];
    if (reader === undefined) throw new Error(`There is no reader ${who}`);
    return reader;
  }

  #subscribe(who: number, name: string): void {
    const key = `${who} ${name}`;
    // As sockets do: one operation at a time for each channel.
    if (this.#pending.has(key)) return;
    const done = this.relay.subscribeSocket(this.#reader(who), name).then(
      () => {
        this.#pending.delete(key);
        this.#accepted.add(key);
        if (!this.link.channels.has(name)) {
          this.#missed.add(key);
          expect(this.relay.status, 'an unconfirmed channel').not.toBe('connected');
        }
      },
      (error: Error) => {
        this.#pending.delete(key);
        expect(error.name).toBe('BrokerError');
        expect(this.#accepted.has(key), 'a subscription that is held does not fail').toBe(false);
      },
    );
    this.#pending.set(key, done);
  }

  #unsubscribe(who: number, name: string): void {
    const key = `${who} ${name}`;
    if (this.#pending.has(key) || !this.#accepted.delete(key)) return;
    this.#missed.delete(key);
    void this.relay.unsubscribeSocket(this.#reader(who), name);
  }

  #publish(name: string): void {
    const n = this.#sent;
    this.#sent += 1;
    this.#outcomes.set(n, undefined);
    this.relay.invokePublish(name, n).then(
      () => this.#outcomes.set(n, 'accepted'),
      (error: Error) => {
        expect(error.name).toBe('BrokerError');
        this.#outcomes.set(n, 'rejected');
      },
    );
  }

  #check(): void {
    const { link, relay } = this;
    expect(link.violations).toEqual([]);
    const wanted = new Set([...this.#accepted].map((key) => key.slice(2)));
    expect(relay.subscriptions().toSorted()).toEqual(
      [...new Set([...wanted, ...[...this.#pending.keys()].map((key) => key.slice(2))])].toSorted(),
    );
    if (relay.status !== 'connected') return;
    expect(link.isConnected).toBe(true);
    for (const name of wanted) expect(link.channels, 'connected without a channel').toContain(name);
    expect([...this.#missed], 'gaps that nobody was told of').toEqual([]);
  }

  /** A time in which nothing fails: everything must be as it is wanted. */
  async end(): Promise<void> {
    this.link.establish();
    await this.settle();
    await this.#answerAll();
    expect(this.#pending.size, 'subscriptions without an answer').toBe(0);
    for (let round = 0; round < 20; round += 1) {
      await this.settle(GRACE_MS);
      await this.#answerAll();
    }
    const wanted = [...new Set([...this.#accepted].map((key) => key.slice(2)))].toSorted();
    expect([...this.link.channels].toSorted()).toEqual(wanted);
    expect(this.relay.status).toBe('connected');
    expect(this.relay.stats).toMatchObject({ channels: wanted.length, buffered: 0, bufferedBytes: 0 });
    this.#checkPublished();
    const { accepted, dropped, unconfirmed } = this.relay.stats;
    expect(accepted + dropped + unconfirmed).toBe(this.#sent);
    await this.relay.close();
    expect(this.link.isClosed).toBe(true);
    expect(vi.getTimerCount(), 'timers after close()').toBe(0);
  }

  async #answerAll(): Promise<void> {
    while (this.link.asked.length > 0) {
      this.link.answer(0, true);
      await this.settle();
    }
  }

  /** No message twice, in order, and none of those that were accepted is missing. */
  #checkPublished(): void {
    const seen = new Map<string, number[]>();
    for (const { channel: name, message } of this.link.published) {
      const numbers = [
        ...Buffer.from(message)
          .toString('latin1')
          .matchAll(/"data":(\d+)/g),
      ].map(([, n]) => Number(n));
      seen.set(name, [...(seen.get(name) ?? []), ...numbers]);
    }
    for (const numbers of seen.values()) {
      expect(numbers).toEqual([...new Set(numbers)].toSorted((one, other) => one - other));
    }
    const all = new Set([...seen.values()].flat());
    for (const [n, outcome] of this.#outcomes) {
      expect(outcome, `publish ${n}`).toBeDefined();
      if (outcome === 'accepted') expect(all.has(n)).toBe(true);
    }
  }
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'],
  });
});

afterEach(() => {
  vi.useRealTimers();
});

async function expectToHold(moments: readonly (readonly [Step, boolean])[]): Promise<void> {
  vi.clearAllTimers();
  const model = new Model();
  for (const [step, isSettled] of moments) {
    if (step.do === 'wait') await model.settle(step.ms);
    else {
      model.apply(step);
      if (isSettled) await model.settle();
    }
  }
  await model.settle();
  await model.end();
}

test('whatever happens to the link, in whatever order: no subscription, message or gap is forgotten', async () => {
  await fc.assert(fc.asyncProperty(fc.array(moment, { maxLength: 80, size: 'max' }), expectToHold), {
    numRuns: 200,
  });
}, 60_000);

/** The engine sends a channel, nobody wants it any more, and the engine has not answered to that. */
const B_IS_LET_GO: readonly (readonly [Step, boolean])[] = [
  [{ do: 'subscribe', who: 0, channel: 'b' }, true],
  [{ do: 'establish' }, true],
  [{ do: 'answer', index: 0, isAccepted: true }, true],
  [{ do: 'unsubscribe', who: 0, channel: 'b' }, true],
  [{ do: 'wait', ms: 2 * GRACE_MS }, true],
];

test('a channel that the engine drops while it is let go, which fails, is asked for again', async () => {
  await expectToHold([
    ...B_IS_LET_GO,
    [{ do: 'lose', channel: 'b' }, true],
    [{ do: 'answer', index: 0, isAccepted: false }, true],
    [{ do: 'subscribe', who: 0, channel: 'b' }, true],
  ]);
});

test('a channel that the engine does not let go of is let go later, whoever wanted it meanwhile', async () => {
  await expectToHold([
    ...B_IS_LET_GO,
    [{ do: 'subscribe', who: 1, channel: 'b' }, true],
    [{ do: 'answer', index: 0, isAccepted: false }, true],
    [{ do: 'answer', index: 0, isAccepted: false }, true],
  ]);
});
