import * as ours from '@socketcluster-ts/client';
import type { DeliveryChecker } from '@socketcluster-ts/testkit';
import published from 'socketcluster-client';
import { type ClientPackage, LoadClient } from './load-client.js';

/** How much load, and on whom. */
export interface LoadOptions {
  readonly checker: DeliveryChecker;
  readonly random: () => number;
  readonly port: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** How many clients of ours, and as many published ones. @default 8 */
  readonly pairs?: number;
  /** @default 4 */
  readonly channels?: number;
  /** The mean time between two publishes of a client in ms. @default 150 */
  readonly publishEveryMs?: number;
  /** Goes before the names of clients. @default '' */
  readonly prefix?: string;
  /** Whether somebody is served only with something of everybody who publishes to the channel. @default false */
  readonly acrossNodes?: boolean;
}

/** Clients connect again after 0.1 to 1 s. */
const RECONNECT = { initialDelay: 100, randomness: 900, multiplier: 1, maxDelay: 1000 };
const ACK_TIMEOUT_MS = 5000;
const READY_DEADLINE_MS = 20_000;

/**
 * Owns the clients of a load: ours and the published ones, half and half. Each is subscribed to two channels, publishes
 * to two, and calls.
 */
export class CheckedLoad {
  readonly clients: readonly LoadClient[];
  readonly #checker: DeliveryChecker;
  readonly #acrossNodes: boolean;

  constructor(given: LoadOptions) {
    const { pairs = 8, prefix = '', acrossNodes = false } = given;
    this.#checker = given.checker;
    this.#acrossNodes = acrossNodes;
    const kinds: [string, ClientPackage][] = [
      ['ours', ours],
      ['published', published],
    ];
    this.clients = Array.from({ length: pairs }, (_, index) => index).flatMap((index) =>
      kinds.map(([kind, library]) => createClient(`${prefix}${kind}-${index}`, library, index, given)),
    );
  }

  /** Connects all, begins to publish, and resolves once everybody was served. */
  async start(): Promise<void> {
    const wanted = this.clients.reduce((sum, { socket }) => sum + socket.subscriptions(true).length, 0);
    const held = (): number =>
      this.clients.reduce((sum, { socket }) => sum + socket.subscriptions().length, 0);
    await this.#checker.until(() => held() === wanted, 'all clients to be subscribed', READY_DEADLINE_MS);
    for (const client of this.clients) client.start();
    await this.served(performance.now(), READY_DEADLINE_MS);
  }

  /** Resolves with the ms from `since` until everybody was served with what was sent since then. */
  async served(since: number, deadlineMs: number): Promise<number> {
    const checker = this.#checker;
    const isServed = (): boolean =>
      this.#acrossNodes ? checker.isServedByAllSince(since) : checker.isServedSince(since);
    await this.#checker.until(isServed, 'all clients to be served again', deadlineMs);
    return performance.now() - since;
  }

  /** Stops all publishing, and resolves once nothing is under way any more, or after `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    for (const client of this.clients) client.stop();
    // What does not arrive in time is for the verdict to tell.
    await this.#checker.until(() => this.#checker.isFinished, 'all to arrive', deadlineMs).catch(() => {});
  }

  leave(): void {
    for (const client of this.clients) client.leave();
  }

  /** The node that serves these clients may have missed messages of a channel. */
  isBehind(channel: string): void {
    for (const client of this.clients) client.isBehind(channel);
  }

  /** How all connections ended that ended since then: the close codes with their counts. */
  endingsSince(since: number): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { endings } of this.clients) {
      for (const { code, at } of endings) if (at >= since) counts[code] = (counts[code] ?? 0) + 1;
    }
    return counts;
  }

  /**
   * How many clients have noticed since then, by themselves, that the server is silent: their timer has closed the
   * connection (4000), or they had something to send a moment earlier and replaced it (1000).
   */
  countOfSilenceNoticed(since: number): number {
    return this.clients.filter(({ endings }) => {
      const first = endings.find(({ at }) => at >= since);
      return first?.code === 4000 || first?.code === 1000;
    }).length;
  }

  get faults(): string[] {
    return this.clients.flatMap(({ faults }) => faults);
  }
}

function createClient(name: string, library: ClientPackage, index: number, given: LoadOptions): LoadClient {
  const { checker, random, port, host = '127.0.0.1', channels = 4, publishEveryMs = 150 } = given;
  const channel = (offset: number): string => `channel-${(index + offset) % channels}`;
  return new LoadClient({
    name,
    library,
    options: { hostname: host, port, autoReconnectOptions: RECONNECT, ackTimeout: ACK_TIMEOUT_MS },
    channels: [channel(0), channel(1)],
    publishesTo: [channel(0), channel(2)],
    publishEveryMs,
    random,
    checker,
  });
}
