import * as ours from '@socketcluster-ts/client';
import { DeliveryChecker, type DeliveryVerdict, faultsOf } from '@socketcluster-ts/testkit/delivery';
import published from 'socketcluster-client';
import { type ClientPackage, LoadClient } from '../faults/load-client.js';
import { randomFrom } from '../faults/random.js';
import { SlowReader } from './slow-reader.js';

/** What the load has seen since the last sample, and what the checker says of all. */
export interface SoakSample {
  readonly verdict: DeliveryVerdict;
  /** What must not be, in words. */
  readonly faults: readonly string[];
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Clients now, without the readers that are slow. */
  readonly clients: number;
  /** Connections that ended by themselves, of the clients that are there. */
  readonly cutOff: number;
  /** Clients that have come and gone. */
  readonly visits: number;
  readonly logins: number;
  readonly callsAnswered: number;
  readonly failedCalls: Readonly<Record<string, number>>;
  /** Connections of the reader that never reads. */
  readonly stuckConnections: number;
  readonly residentBytes: number;
}

/** How many clients of each library stay for the whole run. */
const STAYING = 15;
const CHANNELS = 6;
const PUBLISH_EVERY_MS = 200;
const VISITORS = 12;
const VISIT_MS = 6000;
/** Visits of the warm-up that are made at the same time, and how long each lasts at most. */
const WARMING_VISITORS = 10;
const WARMING_DEADLINE_MS = 20_000;
const READY_DEADLINE_MS = 20_000;
const ARRIVE_DEADLINE_MS = 30_000;
/** Judged and forgotten after so long: more than any timeout of either end. */
const SETTLED_AFTER_MS = 60_000;
const SETTLE_EVERY_MS = 5000;

const LIBRARIES: readonly (readonly [string, ClientPackage])[] = [
  ['ours', ours],
  ['published', published],
];

/**
 * Owns the load of a soak run: clients that stay, visitors that come, log in, publish, log out and go, readers that
 * pause, and one that never reads; all under one delivery checker.
 */
export class SoakLoad {
  readonly #checker: DeliveryChecker = new DeliveryChecker();
  readonly #port: number;
  readonly #random: () => number;
  readonly #clients = new Set<LoadClient>();
  readonly #slowReaders: SlowReader[] = [];
  #stuck: SlowReader | undefined;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #faults: string[] = [];
  readonly #failedCalls = new Map<string, number>();
  #latencies: number[] = [];
  #visits = 0;
  #logins = 0;
  #callsAnswered = 0;
  #hasEnded = false;

  constructor(port: number, seed: number) {
    this.#port = port;
    this.#random = randomFrom(seed);
  }

  /**
   * Makes so many short visits, one after the other in a few lanes. What a server makes and compiles with its first
   * thousands of connections would look like a leak in half an hour.
   */
  async warmUp(visits: number): Promise<void> {
    let left = visits;
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.#visitShortly(left);
      }
    };
    await Promise.all(Array.from({ length: WARMING_VISITORS }, lane));
  }

  /** Resolves once all that stay are served; visitors come from then on. */
  async begin(): Promise<void> {
    this.#enter();
    const isConnected = (): boolean =>
      [...this.#clients].every(({ socket }) => socket.subscriptions().length === 2);
    await this.#checker.until(isConnected, 'all clients to be subscribed', READY_DEADLINE_MS);
    for (const client of this.#clients) client.start();
    const since = performance.now();
    await this.#checker.until(
      () => this.#checker.isServedSince(since),
      'all clients to be served',
      READY_DEADLINE_MS,
    );
    for (let index = 0; index < VISITORS; index += 1)
      this.#after(VISIT_MS * this.#random(), () => this.#visit());
    this.#settle();
  }

  /** Lets all arrive that is under way, and everybody leave. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const client of this.#clients) client.stop();
    // What does not arrive in time is for the verdict to tell.
    await this.#checker
      .until(() => this.#checker.isFinished, 'all to arrive', ARRIVE_DEADLINE_MS)
      .catch(() => {});
    for (const client of this.#clients) this.#leave(client);
    for (const reader of [...this.#slowReaders, this.#stuck]) reader?.leave();
  }

  sample(): SoakSample {
    const latencies = this.#latencies.toSorted((a, b) => a - b);
    this.#latencies = [];
    const at = (part: number): number =>
      latencies[Math.floor(latencies.length * part)] ?? latencies.at(-1) ?? 0;
    const clients = [...this.#clients];
    const verdict = this.#checker.verdict();
    const readers = this.#slowReaders.flatMap(({ faults }) => faults);
    return {
      verdict,
      faults: [
        ...faultsIn(verdict, this.#hasEnded),
        ...this.#faults,
        ...clients.flatMap(({ faults }) => faults),
        ...readers,
      ],
      latencyMs: { p50: at(0.5), p99: at(0.99), max: latencies.at(-1) ?? 0 },
      clients: clients.length,
      cutOff: clients.reduce((sum, { endings }) => sum + endings.length, 0),
      visits: this.#visits,
      logins: this.#logins,
      callsAnswered: clients.reduce((sum, client) => sum + client.callsAnswered, this.#callsAnswered),
      failedCalls: Object.fromEntries(this.#failedCalls),
      stuckConnections: this.#stuck?.connects ?? 0,
      residentBytes: process.memoryUsage.rss(),
    };
  }

  /** All that stay come. */
  #enter(): void {
    for (let index = 0; index < STAYING; index += 1) {
      for (const [kind, library] of LIBRARIES) this.#add(`${kind}-${index}`, library, index);
    }
    const reader = { port: this.#port, random: this.#random };
    for (const index of [0, 1]) {
      const judged = { ...reader, channel: `channel-${index}`, checker: this.#checker };
      this.#slowReaders.push(new SlowReader({ ...judged, name: `slow-${index}` }));
    }
    this.#stuck = new SlowReader({ ...reader, name: 'stuck', channel: 'channel-0' });
  }

  #add(name: string, library: ClientPackage, index: number, publishesTo?: readonly string[]): LoadClient {
    const channel = (offset: number): string => `channel-${(index + offset) % CHANNELS}`;
    const client = new LoadClient({
      name,
      library,
      options: { hostname: '127.0.0.1', port: this.#port, authTokenName: name },
      channels: publishesTo === undefined ? [channel(0), channel(1)] : [channel(0), 'members'],
      publishesTo: publishesTo ?? [channel(0), channel(3)],
      publishEveryMs: PUBLISH_EVERY_MS,
      random: this.#random,
      checker: this.#checker,
      onLatency: (ms) => this.#latencies.push(ms),
    });
    void answerQuestions(client);
    this.#clients.add(client);
    return client;
  }

  /** Somebody comes, logs in, publishes one message to a channel of their own, waits for it, and goes. */
  async #visitShortly(index: number): Promise<void> {
    const [, library] = LIBRARIES[index % LIBRARIES.length] ?? ['ours', ours];
    const name = `warming-${index}`;
    const socket = library.create({ hostname: '127.0.0.1', port: this.#port, authTokenName: name });
    try {
      await socket.listener('connect').once(WARMING_DEADLINE_MS);
      await socket.invoke('login', name);
      const arrived = socket.subscribe(name).once(WARMING_DEADLINE_MS);
      await socket.listener('subscribe').once(WARMING_DEADLINE_MS);
      await socket.invokePublish(name, name);
      await arrived;
      await socket.invoke('echo', name);
      if (index % 3 === 0) await socket.invoke('logout');
    } catch (error) {
      this.#countFailure(`warm-up: ${(error as Error).name}`);
    } finally {
      socket.disconnect();
      socket.killAllListeners();
      socket.killAllChannels();
    }
  }

  /** Somebody comes, logs in, stays a while, logs out again if there is time, and goes. */
  #visit(): void {
    this.#visits += 1;
    const [kind, library] = LIBRARIES[this.#visits % LIBRARIES.length] ?? ['ours', ours];
    const client = this.#add(`visitor-${kind}-${this.#visits}`, library, this.#visits, [
      'members',
      'channel-0',
    ]);
    client.start();
    void this.#logIn(client);
    this.#after(VISIT_MS * (0.1 + this.#random()), () => {
      // What is under way is waited for, as anybody would who closes a page with care.
      client.stop();
      this.#after(1000, () => {
        this.#leave(client);
        this.#visit();
      });
    });
  }

  async #logIn(client: LoadClient): Promise<void> {
    try {
      await client.socket.invoke('login', client.name);
      this.#logins += 1;
      if (this.#random() < 0.3) await client.socket.invoke('logout');
    } catch (error) {
      this.#countFailure(`login: ${(error as Error).name}`);
    }
  }

  #leave(client: LoadClient): void {
    client.leave();
    this.#clients.delete(client);
    this.#faults.push(...client.faults);
    this.#callsAnswered += client.callsAnswered;
    for (const [kind, count] of client.failedCalls) this.#countFailure(kind, count);
  }

  #countFailure(kind: string, count = 1): void {
    this.#failedCalls.set(kind, (this.#failedCalls.get(kind) ?? 0) + count);
  }

  #settle(): void {
    this.#checker.settle(SETTLED_AFTER_MS);
    this.#after(SETTLE_EVERY_MS, () => this.#settle());
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#hasEnded) act();
    }, ms);
    this.#timers.add(timer);
  }
}

/** While messages are under way, those that have not arrived yet are no fault. */
function faultsIn(verdict: DeliveryVerdict, isOver: boolean): string[] {
  return faultsOf(isOver ? verdict : { ...verdict, lost: 0, examples: [] });
}

/** A client answers most questions of the server. */
async function answerQuestions({ socket }: LoadClient): Promise<void> {
  for await (const request of socket.procedure<number>('question')) {
    if (request.data % 10 !== 0) request.end(request.data);
    else request.error(new Error('No answer to that'));
  }
}
