import type { IncomingMessage } from 'node:http';
import { CLOSE_CODES, type DeadlineScheduler } from '@socketcluster-ts/core';
import { addressKey } from '../limits/address-key.js';
import type { ResolvedLimits } from '../limits/limits.js';
import { AddressRates } from './address-rates.js';
import type { TrustedProxies } from './client-address.js';
import { LoopLag } from './loop-lag.js';
import { Refusals } from './refusals.js';

/** How an upgrade request is answered for which there is no room. */
export interface Refusal {
  readonly status: 429 | 503;
  readonly message: string;
  /** The value of `Retry-After`. */
  readonly retryAfterSeconds: number;
}

/** Why a connection is not wanted that is open, but has not said who it is. */
export interface TurnAway {
  /** The close code. */
  readonly code: number;
  /** When the client shall try again, in ms. */
  readonly delayMs: number;
}

/** What decides on new connections, of the server. */
export interface AdmissionOwner {
  readonly limits: ResolvedLimits;
  readonly clientsCount: number;
  readonly pendingClientsCount: number;
  readonly deadlines: DeadlineScheduler;
  emitWarning(warning: unknown): void;
}

/** So many times the rate may come at once. */
const BURST = 4;
/** Who is refused for load shall try again within this span, at random, in ms. */
const RETRY_SPAN = { least: 2000, most: 10_000 };

const OVERLOADED = 'The server is overloaded';
const SHUTTING_DOWN = 'The server is shutting down';

/**
 * Owns the decision whether there is room for another connection: how many there are, in total and of each address, how
 * fast they come, and whether the server keeps up with what it has. Whoever is connected is not affected.
 */
export class Admission {
  readonly #owner: AdmissionOwner;
  readonly #proxies: TrustedProxies;
  readonly #lag: LoopLag;
  readonly #rates: AddressRates;
  readonly #refusals: Refusals;
  /** TCP connections of each address that asked for an upgrade. */
  readonly #connections = new Map<string, number>();
  /** Requests that somebody is being asked about. */
  #judging = 0;
  /** What everybody is told, once the server takes nobody any more. */
  #shutDown: TurnAway | undefined;

  constructor(owner: AdmissionOwner, proxies: TrustedProxies) {
    const { limits, deadlines } = owner;
    this.#owner = owner;
    this.#proxies = proxies;
    this.#rates = new AddressRates(limits.upgradesPerSecond, limits.upgradesPerSecond * BURST);
    this.#refusals = new Refusals(deadlines, (warning) => owner.emitWarning(warning));
    this.#lag = new LoopLag(limits.maxEventLoopLag);
  }

  /** Whether the event loop has been late for too long. */
  get isOverloaded(): boolean {
    return this.#lag.isOverloaded;
  }

  /** Takes nobody any more. Who comes all the same shall try again in so many ms, at another server or this one. */
  shutDown(retryDelay: number): void {
    this.#shutDown = { code: CLOSE_CODES.SERVICE_RESTART, delayMs: retryDelay };
    this.#lag.stop();
  }

  /** Why a request is refused that has been found good otherwise, after somebody was asked about it. */
  get refusalForAll(): Refusal | undefined {
    if (this.#shutDown === undefined) return undefined;
    return { status: 503, message: SHUTTING_DOWN, retryAfterSeconds: seconds(this.#shutDown.delayMs) };
  }

  /** The address that a trusted proxy reports for the client. */
  forwardedFor(request: IncomingMessage): string | undefined {
    return this.#proxies.forwardedFor(request);
  }

  /** Why an upgrade request is refused; `undefined` when there is room. From now on it counts for its address. */
  refuse(request: IncomingMessage): Refusal | undefined {
    // No trouble that an operator has to hear of.
    if (this.#shutDown !== undefined) return this.refusalForAll;
    this.#lag.watch();
    const refusal = this.#refuseForAll() ?? this.#refuseForAddress(request);
    if (refusal !== undefined) this.#refusals.count(refusal.message);
    return refusal;
  }

  /** What is said to a connection whose upgrade was accepted before an overload was noticed. */
  turnAway(): TurnAway | undefined {
    if (this.#shutDown !== undefined) return this.#shutDown;
    if (!this.#lag.isOverloaded) return undefined;
    this.#refusals.count(OVERLOADED);
    return { code: CLOSE_CODES.TRY_AGAIN_LATER, delayMs: anyRetryDelay() };
  }

  /** Somebody is being asked about a request; call what is returned when it is decided. */
  judging(): () => void {
    this.#judging += 1;
    return () => {
      this.#judging -= 1;
    };
  }

  /** Ends what runs by itself. */
  stop(): void {
    this.#lag.stop();
    this.#refusals.stop();
  }

  #refuseForAll(): Refusal | undefined {
    const { limits, clientsCount, pendingClientsCount } = this.#owner;
    const pending = pendingClientsCount + this.#judging;
    if (this.#lag.isOverloaded) return unavailable(OVERLOADED);
    if (clientsCount + pending >= limits.maxConnections) return unavailable('There are too many connections');
    if (pending >= limits.maxPendingHandshakes)
      return unavailable('There are too many unfinished handshakes');
    return undefined;
  }

  #refuseForAddress(request: IncomingMessage): Refusal | undefined {
    const { maxConnectionsPerAddress, upgradesPerSecond } = this.#owner.limits;
    if (maxConnectionsPerAddress === Infinity && upgradesPerSecond === Infinity) return undefined;
    const address = this.#proxies.clientAddress(request);
    // Over a Unix domain socket, from a proxy that is not trusted to say more.
    if (address === undefined) return undefined;
    const key = addressKey(address);
    if (upgradesPerSecond !== Infinity) {
      const waitMs = this.#rates.take(key, performance.now());
      if (waitMs > 0) return tooMany('Too many connection attempts of one address', waitMs);
    }
    if (maxConnectionsPerAddress === Infinity) return undefined;
    if ((this.#connections.get(key) ?? 0) >= maxConnectionsPerAddress)
      return tooMany('Too many connections of one address', anyRetryDelay());
    this.#hold(request, key);
    return undefined;
  }

  /** Counts a connection of an address until it is gone. */
  #hold({ socket }: IncomingMessage, key: string): void {
    if (socket.destroyed) return;
    this.#connections.set(key, (this.#connections.get(key) ?? 0) + 1);
    socket.once('close', () => {
      const left = (this.#connections.get(key) ?? 0) - 1;
      if (left > 0) this.#connections.set(key, left);
      else this.#connections.delete(key);
    });
  }
}

function unavailable(message: string): Refusal {
  return { status: 503, message, retryAfterSeconds: seconds(anyRetryDelay()) };
}

function tooMany(message: string, waitMs: number): Refusal {
  return { status: 429, message, retryAfterSeconds: seconds(waitMs) };
}

function seconds(ms: number): number {
  return Math.max(Math.ceil(ms / 1000), 1);
}

/** At random, so that those who were refused together do not come back together. */
function anyRetryDelay(): number {
  return Math.round(RETRY_SPAN.least + Math.random() * (RETRY_SPAN.most - RETRY_SPAN.least));
}
