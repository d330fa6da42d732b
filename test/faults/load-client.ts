import type { AGClientSocket, ClientOptions } from '@socketcluster-ts/client';
import type { DeliveryChecker, FailedPublish } from '@socketcluster-ts/testkit';
import published from 'socketcluster-client';

/** The part of a client package that a load uses; ours and the published one have it. */
export interface ClientPackage {
  create(options: ClientOptions): AGClientSocket;
}

/** Who a client of a load is, and what it does. */
export interface LoadClientOptions {
  /** Names it as publisher and subscriber. */
  readonly name: string;
  readonly library: ClientPackage;
  readonly options: ClientOptions;
  readonly channels: readonly string[];
  /** Where it publishes, in turn. */
  readonly publishesTo: readonly string[];
  /** The mean time between two publishes in ms; a call of the procedure `echo` follows each tenth. */
  readonly publishEveryMs: number;
  readonly random: () => number;
  readonly checker: DeliveryChecker;
  /** Told of each message that arrives, how many ms ago it was sent. */
  readonly onLatency?: (ms: number) => void;
}

/** A connection of a client that ended. */
export interface Ending {
  readonly code: number;
  /** By the clock of `performance.now()`. */
  readonly at: number;
}

/** Each tenth publish is followed by a call. */
const PUBLISHES_PER_CALL = 10;
const FILLER = 'x'.repeat(100);

/**
 * Owns one client under a delivery checker: subscribed to its channels, publishing and calling at random times, and
 * telling the checker all it sees.
 */
export class LoadClient {
  readonly name: string;
  readonly socket: AGClientSocket;
  /** Connections that ended, in order; failed attempts are not among them. */
  readonly endings: Ending[] = [];
  connects = 0;
  attempts = 0;
  callsAnswered = 0;
  /** Calls and publishes that were sent, and whose outcome is not known. */
  unknownCalls = 0;
  /** Why calls failed, and how often. */
  readonly failedCalls = new Map<string, number>();
  /** What must not be: answers to another call, subscriptions that the server refused or took away. */
  readonly faults: string[] = [];
  readonly #given: LoadClientOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #publishes = 0;

  constructor(given: LoadClientOptions) {
    const { name, library, options, channels, checker } = given;
    this.#given = given;
    this.name = name;
    this.socket = library.create(options);
    this.#follow('connecting', () => (this.attempts += 1));
    this.#follow('connect', () => (this.connects += 1));
    this.#follow('disconnect', ({ code }) => {
      this.endings.push({ code, at: performance.now() });
      checker.interrupt(name);
    });
    this.#follow('subscribe', ({ channel }) => checker.subscribe(name, channel));
    this.#follow('subscribeFail', ({ channel, error }) => {
      // A subscription that is cut off by the end of its connection is tried again.
      if (this.socket.state === 'open')
        this.faults.push(`${name} was refused '${channel}': ${String(error)}`);
    });
    this.#follow('gap', ({ channel }) => checker.gap(name, channel));
    this.#follow('kickOut', ({ channel }) => this.faults.push(`${name} was kicked out of '${channel}'`));
    for (const channel of channels) void this.#read(channel);
  }

  /** Begins to publish and to call. */
  start(): void {
    const { publishEveryMs, random } = this.#given;
    this.#timer = setTimeout(
      () => {
        this.start();
        void this.#publish();
      },
      publishEveryMs * (0.5 + random()),
    );
  }

  /** The node that serves this client may have missed messages of a channel; the published client is not told. */
  isBehind(channel: string): void {
    if (this.#given.library === published) this.#given.checker.gap(this.name, channel);
  }

  /** Publishes and calls nothing further. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Leaves for good. */
  leave(): void {
    const { name, channels, checker } = this.#given;
    this.stop();
    for (const channel of channels) checker.unsubscribe(name, channel);
    checker.retire(name);
    this.socket.disconnect();
    this.socket.killAllListeners();
    this.socket.killAllProcedures();
    this.socket.killAllChannels();
  }

  async #publish(): Promise<void> {
    const { name, publishesTo, checker } = this.#given;
    const channel = publishesTo[this.#publishes % publishesTo.length];
    this.#publishes += 1;
    if (channel === undefined) return;
    const stamp = checker.send(name, channel);
    const answered = this.socket.invokePublish(channel, { ...stamp, filler: FILLER });
    if (this.#publishes % PUBLISHES_PER_CALL === 0) void this.#call(this.#publishes);
    try {
      await answered;
    } catch (error) {
      checker.fail(stamp, outcomeOf(error));
      if (outcomeOf(error) === 'unknown') this.unknownCalls += 1;
      return;
    }
    checker.acknowledge(stamp);
  }

  async #call(number: number): Promise<void> {
    const asked = `${this.name} ${number}`;
    try {
      const answer = await this.socket.invoke('echo', asked);
      if (answer !== asked) this.faults.push(`${asked} was answered with ${JSON.stringify(answer)}`);
      this.callsAnswered += 1;
    } catch (error) {
      const kind = (error as Error).name;
      if (outcomeOf(error) === 'unknown') this.unknownCalls += 1;
      this.failedCalls.set(kind, (this.failedCalls.get(kind) ?? 0) + 1);
    }
  }

  #follow<
    E extends 'connecting' | 'connect' | 'disconnect' | 'subscribe' | 'subscribeFail' | 'kickOut' | 'gap',
  >(event: E, handle: (payload: EventOf<E>) => unknown): void {
    void (async () => {
      for await (const payload of this.socket.listener(event)) handle(payload as EventOf<E>);
    })();
  }

  async #read(channel: string): Promise<void> {
    const { name, checker, onLatency } = this.#given;
    checker.want(name, channel);
    for await (const data of this.socket.subscribe(channel)) {
      const ms = checker.deliver(name, channel, data);
      if (ms !== undefined) onLatency?.(ms);
    }
  }
}

type EventOf<E> = E extends 'disconnect'
  ? { readonly code: number }
  : { readonly channel: string; readonly error?: unknown };

/** Ours says what became of a publish; of the published client's errors, only an answer of the server is certain. */
function outcomeOf(error: unknown): FailedPublish {
  const { delivery, name } = error as { delivery?: FailedPublish; name?: string };
  // The clients of the same node have it, and nobody may know about the others.
  if (name === 'BrokerError') return 'unknown';
  if (delivery !== undefined) return delivery;
  return name === 'TimeoutError' || name === 'BadConnectionError' ? 'unknown' : 'refused';
}
