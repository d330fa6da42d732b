import { BrokerError } from '@socketcluster-ts/core';
import type { BrokerLink } from './broker-link.js';

/** What an {@link Interest} is asked to know and to tell. */
export interface InterestContext {
  readonly link: Pick<BrokerLink, 'subscribe' | 'unsubscribe'>;
  /** Milliseconds for which a channel is kept after its last subscriber has left. */
  readonly grace: number;
  /** Milliseconds after which who waits for a confirmation is told that there was none. */
  readonly subscribeTimeout: number;
  /** Whether the channel has subscribers on this node. */
  isWanted(channel: string): boolean;
  /** The channel is restored; messages may have been missed before. */
  onGap(channel: string): void;
  /** The interest has become complete or incomplete. */
  onChange(): void;
  onError(error: BrokerError): void;
}

/** How long what the engine refused is left alone. */
const RETRY_MS = 500;

type Phase = 'off' | 'subscribing' | 'on' | 'unsubscribing';

/** Who waits for the confirmation of a channel. */
type Waiter = (error: BrokerError | undefined) => void;

interface Entry {
  phase: Phase;
  /** The engine has dropped it while it was asked for, or let go, maybe after its answer. */
  wasLost: boolean;
  waiters: Set<Waiter> | undefined;
}

/**
 * Owns which channels the engine sends to this node, and follows with it what the subscribers of the node want.
 *
 * A channel is asked for with its first subscriber and let go some time after the last. While the engine is away
 * subscribers are accepted all the same: their channels are *owed*, are asked for when the engine is back, again and again
 * if need be, and a gap is reported once they are confirmed.
 */
export class Interest {
  readonly #context: InterestContext;
  readonly #entries = new Map<string, Entry>();
  /** Channels with subscribers who were accepted, which the engine has not confirmed. */
  readonly #owed = new Set<string>();
  /** Channels without subscribers, by the time at which they are let go; the earliest first. */
  readonly #idle = new Map<string, number>();
  #engine: 'expected' | 'there' | 'away' | 'closed' = 'expected';
  /** Answers to what an earlier connection was asked count for nothing. */
  #connection = 0;
  #graceTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #wasComplete = true;

  constructor(context: InterestContext) {
    this.#context = context;
  }

  /** Whether the engine sends every channel that somebody was promised. */
  get isComplete(): boolean {
    return this.#owed.size === 0;
  }

  /** The channels that the engine sends, or was asked for. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether the channel is sent, asked for or owed. */
  has(channel: string): boolean {
    return this.#entries.has(channel);
  }

  /**
   * The channel has a subscriber. Gives `undefined` when nothing has to be waited for, otherwise a promise that resolves
   * when the engine has confirmed the channel, or has gone away.
   * @throws {BrokerError} rejects with it when the engine refused, or did not answer in time
   */
  want(channel: string): Promise<void> | undefined {
    let entry = this.#entries.get(channel);
    if (entry === undefined)
      this.#entries.set(channel, (entry = { phase: 'off', wasLost: false, waiters: undefined }));
    if (entry.phase === 'on' || this.#owed.has(channel)) return undefined;
    if (this.#engine === 'away' || this.#engine === 'closed') {
      this.#owe(channel);
      return undefined;
    }
    const confirmed = this.#wait(channel, entry);
    if (entry.phase === 'off' && this.#engine === 'there') this.#subscribe(channel, entry);
    return confirmed;
  }

  #wait(channel: string, entry: Entry): Promise<void> {
    const { subscribeTimeout } = this.#context;
    return new Promise((resolve, reject) => {
      const waiters = (entry.waiters ??= new Set());
      const waiter: Waiter = (error) => {
        clearTimeout(timer);
        waiters.delete(waiter);
        if (error === undefined) resolve();
        else reject(error);
      };
      const timer = setTimeout(
        () =>
          waiter(
            new BrokerError(
              `The engine did not confirm the channel ${JSON.stringify(channel)} within ${subscribeTimeout} ms`,
            ),
          ),
        subscribeTimeout,
      );
      waiters.add(waiter);
    });
  }

  #tell(entry: Entry, error: BrokerError | undefined): void {
    for (const waiter of entry.waiters ?? []) waiter(error);
    entry.waiters = undefined;
  }

  /** The channel has no subscriber any more. */
  release(channel: string): void {
    const entry = this.#entries.get(channel);
    if (entry === undefined) return;
    if (this.#owed.delete(channel)) this.#changed();
    if (entry.phase === 'on') this.#letGoLater(channel);
    // Under way: what it comes to is looked at then. Somebody may wait for it already who is no subscriber yet.
    else if (entry.phase === 'off' && !entry.waiters?.size) this.#drop(channel);
  }

  #letGoLater(channel: string, delay: number = this.#context.grace): void {
    this.#idle.delete(channel);
    this.#idle.set(channel, performance.now() + delay);
    this.#startGraceTimer();
  }

  #startGraceTimer(): void {
    const [dueAt] = this.#idle.values();
    if (dueAt === undefined || this.#graceTimer !== undefined) return;
    this.#graceTimer = setTimeout(
      () => {
        this.#graceTimer = undefined;
        this.#letGo();
        this.#startGraceTimer();
      },
      Math.max(0, Math.ceil(dueAt - performance.now())),
    ).unref();
  }

  #letGo(): void {
    const now = performance.now();
    for (const [channel, dueAt] of this.#idle) {
      if (dueAt > now) return;
      this.#idle.delete(channel);
      const entry = this.#entries.get(channel);
      if (entry?.phase === 'on' && !this.#context.isWanted(channel)) this.#unsubscribe(channel, entry);
    }
  }

  /** The engine is there, and has no subscriptions. */
  restore(): void {
    this.#forget();
    this.#engine = 'there';
    for (const [channel, entry] of this.#entries) this.#subscribe(channel, entry);
  }

  /** The engine is away, and has no subscriptions any more. Who waits is accepted. */
  suspend(): void {
    this.#forget();
    this.#engine = 'away';
    for (const entry of this.#entries.values()) this.#tell(entry, undefined);
  }

  /** Of what the connection before had, what is still wanted is owed. Who waits for a first confirmation goes on waiting. */
  #forget(): void {
    this.#connection += 1;
    this.#idle.clear();
    for (const [channel, entry] of this.#entries) {
      entry.phase = 'off';
      if (entry.waiters?.size) continue;
      if (this.#context.isWanted(channel)) this.#owed.add(channel);
      else this.#drop(channel);
    }
    this.#changed();
  }

  /** The engine has dropped these channels. */
  lost(channels: readonly string[]): void {
    for (const channel of channels) {
      const entry = this.#entries.get(channel);
      if (entry === undefined) continue;
      entry.wasLost = true;
      if (entry.phase !== 'on') continue;
      entry.phase = 'off';
      if (this.#context.isWanted(channel)) {
        this.#owe(channel);
        this.#subscribe(channel, entry);
      } else this.#drop(channel);
    }
  }

  #subscribe(channel: string, entry: Entry): void {
    entry.phase = 'subscribing';
    entry.wasLost = false;
    this.#ask(channel, entry, 'subscribe', (error) => {
      if (error !== undefined) {
        entry.phase = 'off';
        this.#failed(channel, entry, error);
        return;
      }
      if (entry.wasLost) {
        this.#subscribe(channel, entry);
        return;
      }
      entry.phase = 'on';
      this.#tell(entry, undefined);
      const wasOwed = this.#owed.delete(channel);
      if (!this.#context.isWanted(channel)) this.#letGoLater(channel);
      else if (wasOwed) this.#context.onGap(channel);
      if (wasOwed) this.#changed();
    });
  }

  #failed(channel: string, entry: Entry, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const text = `The engine refused the channel ${JSON.stringify(channel)}: ${reason}`;
    const refused = new BrokerError(text, { cause: error });
    // One of a round is enough: thousands fail together.
    if (this.#owed.has(channel) && this.#retryTimer === undefined) this.#context.onError(refused);
    this.#tell(entry, refused);
    this.#retryTimer ??= setTimeout(() => this.#retry(), RETRY_MS);
  }

  /** Asks again for what has failed, unless nobody wants it any more. */
  #retry(): void {
    this.#retryTimer = undefined;
    if (this.#engine !== 'there') return;
    for (const [channel, entry] of this.#entries) {
      if (entry.phase !== 'off') continue;
      if (this.#context.isWanted(channel)) {
        if (!entry.waiters?.size) this.#owe(channel);
        this.#subscribe(channel, entry);
      } else this.#drop(channel);
    }
  }

  #unsubscribe(channel: string, entry: Entry): void {
    entry.phase = 'unsubscribing';
    entry.wasLost = false;
    this.#ask(channel, entry, 'unsubscribe', (error) => {
      if (error !== undefined && !entry.wasLost) this.#kept(channel, entry, error);
      else {
        entry.phase = 'off';
        if (entry.waiters?.size || this.#context.isWanted(channel)) this.#subscribe(channel, entry);
        else this.#drop(channel);
      }
    });
  }

  /** The engine did not let go of a channel: it is still sent, to those who want it meanwhile. */
  #kept(channel: string, entry: Entry, cause: unknown): void {
    entry.phase = 'on';
    this.#tell(entry, undefined);
    if (this.#context.isWanted(channel)) return;
    const text = `The engine did not let go of the channel ${JSON.stringify(channel)}`;
    this.#context.onError(new BrokerError(text, { cause }));
    this.#letGoLater(channel, Math.max(this.#context.grace, RETRY_MS));
  }

  /** Has the link do something; its answer is heard unless the connection has changed meanwhile. */
  #ask(
    channel: string,
    entry: Entry,
    what: 'subscribe' | 'unsubscribe',
    then: (error: unknown) => void,
  ): void {
    const connection = this.#connection;
    const phase = entry.phase;
    const answered = (error: unknown): void => {
      if (this.#connection !== connection || this.#entries.get(channel) !== entry || entry.phase !== phase) {
        return;
      }
      then(error);
    };
    let answer: Promise<void>;
    try {
      answer = this.#context.link[what](channel);
    } catch (error) {
      answer = Promise.reject(error);
    }
    answer.then(
      () => answered(undefined),
      (error: unknown) => answered(error ?? new Error('no reason given')),
    );
  }

  /** Nobody wants the channel, and the engine was not asked for it. */
  #drop(channel: string): void {
    this.#entries.delete(channel);
    if (this.#owed.delete(channel)) this.#changed();
  }

  #owe(channel: string): void {
    this.#owed.add(channel);
    this.#changed();
  }

  #changed(): void {
    if (this.#wasComplete === this.isComplete) return;
    this.#wasComplete = this.isComplete;
    this.#context.onChange();
  }

  /** Asks for nothing more; who waits is told so. */
  close(): void {
    this.#engine = 'closed';
    this.#connection += 1;
    clearTimeout(this.#graceTimer);
    clearTimeout(this.#retryTimer);
    for (const entry of this.#entries.values()) this.#tell(entry, new BrokerError('The relay is closed'));
    this.#entries.clear();
    this.#owed.clear();
    this.#idle.clear();
  }
}
