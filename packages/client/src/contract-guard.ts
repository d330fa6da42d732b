import {
  type Checked,
  type ContractChecks,
  markDelivery,
  outgoingError,
  type Verdict,
  verdictInTime,
} from '@socketcluster-ts/core';
import type { ClientContext } from './client-context.js';

/** Something of the server that is to be checked. */
export interface Arrival {
  readonly name: string;
  readonly data: unknown;
  check(contract: ContractChecks): Checked | Promise<Checked>;
  /** Goes on with the data, as the schema made it. */
  accept(data: unknown): void;
  /** Wrong data is an `error` event; told to who wants to answer. */
  refuse?(error: Error): void;
}

/**
 * Owns what waits for a schema of the contract. Without a contract everything passes as it is.
 *
 * A schema that takes its time holds back what arrives behind it, so that the order is kept.
 */
export class ContractGuard {
  readonly #context: ClientContext;
  #waiting: Arrival[] | undefined;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  get contract(): ContractChecks | null {
    return this.#context.settings.contract;
  }

  /** Takes something that the server sent. */
  take(arrival: Arrival): void {
    if (this.contract === null) arrival.accept(arrival.data);
    else if (this.#waiting === undefined) this.#check(arrival, this.contract);
    else this.#waiting.push(arrival);
  }

  #check(arrival: Arrival, contract: ContractChecks): void {
    const checked = arrival.check(contract);
    if (!(checked instanceof Promise)) {
      this.#settle(arrival, checked);
      return;
    }
    this.#waiting = [];
    void this.#resume(arrival, this.#inTime(arrival.name, checked));
  }

  async #resume(arrival: Arrival, checking: Promise<Verdict>): Promise<void> {
    const verdict = await checking;
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#settle(arrival, verdict);
    for (const next of waiting) this.take(next);
  }

  #settle(arrival: Arrival, { error, value }: Verdict): void {
    try {
      if (error === undefined) arrival.accept(value);
      else {
        this.#report(error);
        arrival.refuse?.(error);
      }
    } catch (failure) {
      this.#report(failure);
    }
  }

  /** The answer to a call, checked. */
  async result(procedure: string, answer: Promise<unknown>, contract: ContractChecks): Promise<unknown> {
    const data = await answer;
    const checked = contract.checkResult(procedure, data);
    const { error, value } = checked instanceof Promise ? await this.#inTime(procedure, checked) : checked;
    if (error === undefined) return value;
    markDelivery(error, 'unknown');
    throw error;
  }

  /** Why something must not be sent: the contract does not have the name, or (with `checkOutgoing`) allows no such data. */
  outgoing(kind: 'procedure' | 'event' | 'channel', name: string, data: unknown): Error | undefined {
    const { contract, checkOutgoing } = this.#context.settings;
    if (contract === null) return undefined;
    const error = checkOutgoing
      ? outgoingError(CHECKS[kind](contract, name, data), (late) => this.#report(late))
      : contract.unknownName(kind, name);
    if (error !== undefined) markDelivery(error, 'not-sent');
    return error;
  }

  #inTime(name: string, checking: Promise<Checked>): Promise<Verdict> {
    const { timers, settings } = this.#context;
    return verdictInTime(checking, name, { scheduler: timers, timeoutMs: settings.ackTimeout });
  }

  #report(error: unknown): void {
    this.#context.face.emit('error', { error });
  }
}

const CHECKS: Readonly<
  Record<
    'procedure' | 'event' | 'channel',
    (contract: ContractChecks, name: string, data: unknown) => Checked | Promise<Checked>
  >
> = {
  procedure: (contract, name, data) => contract.checkArgument(name, data),
  event: (contract, name, data) => contract.checkEvent(name, data),
  channel: (contract, name, data) => contract.checkMessage(name, data),
};
