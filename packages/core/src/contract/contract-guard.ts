import type { BatchTimers } from '../batcher.js';
import type { DeadlineScheduler } from '../deadline.js';
import { markDelivery } from '../delivery.js';
import type { AGRequest } from '../request.js';
import type { Checked } from './check-data.js';
import { checkResultOf, outgoingError } from './check-outgoing.js';
import type { ContractChecks } from './contract-checks.js';
import { type Verdict, verdictInTime } from './verdict-in-time.js';

/** What a guard asks of the client that it stands before. */
export interface GuardedClient {
  readonly environment: BatchTimers;
  readonly settings: {
    /** How long a schema may take, in milliseconds. */
    readonly ackTimeout: number;
    /** Whether data is checked on its way out, too, and not the names alone. */
    readonly checkOutgoing: boolean;
  };
  /** Emits an `error` event. */
  emitError(error: unknown): void;
}

/** What a client needs of a contract at run time; every contract has it. */
export interface ClientContract extends ContractChecks {
  /** What checks the traffic of one client. */
  guard(client: GuardedClient): ContractGuard;
}

/** Something that arrived: how it is checked, and what follows. */
interface Arrival {
  readonly name: string;
  readonly check: () => Checked | Promise<Checked>;
  readonly accept: (data: unknown) => void;
  readonly refuse: ((error: Error) => void) | undefined;
}

/**
 * Owns what has arrived at a client and waits for a schema of its contract. A schema that takes its time holds back what
 * arrives behind it, so that the order is kept.
 *
 * A client gets it from its contract (`contract.guard()`), so that a client without one is not made larger by it.
 */
export class ContractGuard {
  readonly contract: ContractChecks;
  readonly #client: GuardedClient;
  #waiting: Arrival[] | undefined;

  constructor(contract: ContractChecks, client: GuardedClient) {
    this.contract = contract;
    this.#client = client;
  }

  /** Hands a message of a channel on, if it is what the contract says; else it is an error event. */
  message(channelName: string, data: unknown, accept: (data: unknown) => void): void {
    const check = (): Checked | Promise<Checked> => this.contract.checkMessage(channelName, data);
    this.#take({ name: channelName, check, accept, refuse: undefined });
  }

  /** As `message()`, for an event. */
  event(event: string, data: unknown, accept: (data: unknown) => void): void {
    const check = (): Checked | Promise<Checked> => this.contract.checkEvent(event, data);
    this.#take({ name: event, check, accept, refuse: undefined });
  }

  /** As `message()`, for a call: the caller is told of the error as well. Its result is checked if results are. */
  call(request: AGRequest, accept: (request: AGRequest) => void): void {
    const { procedure, data } = request;
    const report = (error: unknown): void => this.#client.emitError(error);
    this.#take({
      name: procedure,
      check: () => this.contract.checkArgument(procedure, data),
      accept: (checked) => {
        request.data = checked;
        if (this.#client.settings.checkOutgoing) checkResultOf(request, this.contract, report);
        accept(request);
      },
      refuse: (error) => request.error(error),
    });
  }

  #take(arrival: Arrival): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(arrival);
      return;
    }
    const checked = arrival.check();
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
    for (const next of waiting) this.#take(next);
  }

  #settle({ accept, refuse }: Arrival, { error, value }: Verdict): void {
    try {
      if (error === undefined) accept(value);
      else {
        this.#client.emitError(error);
        refuse?.(error);
      }
    } catch (failure) {
      this.#client.emitError(failure);
    }
  }

  /**
   * Makes a call if the contract allows it, and gives its result as the schema made it. Calls of the protocol pass.
   * @throws {UnknownNameError} for an unknown procedure; {InvalidDataError} for an argument (with `checkOutgoing`) or a
   *   result that is not what the contract says; {TimeoutError} for a schema that takes too long
   */
  async invoke(procedure: string, argument: unknown, call: () => Promise<unknown>): Promise<unknown> {
    if (isOfProtocol(procedure)) return call();
    const refused = this.#outgoing('procedure', procedure, () =>
      this.contract.checkArgument(procedure, argument),
    );
    if (refused !== undefined) throw refused;
    const checked = this.contract.checkResult(procedure, await call());
    const { error, value } = checked instanceof Promise ? await this.#inTime(procedure, checked) : checked;
    if (error === undefined) return value;
    markDelivery(error, 'unknown');
    throw error;
  }

  /** Sends an event if the contract allows it; else it is an error event. Events of the protocol pass. */
  async transmit(event: string, data: unknown, send: () => Promise<void>): Promise<void> {
    const refused = isOfProtocol(event)
      ? undefined
      : this.#outgoing('event', event, () => this.contract.checkEvent(event, data));
    if (refused === undefined) await send();
    else this.#client.emitError(refused);
  }

  /** Publishes a message if the contract allows it; else it is an error event. */
  async transmitPublish(channelName: string, data: unknown, send: () => Promise<void>): Promise<void> {
    const refused = this.#messageError(channelName, data);
    if (refused === undefined) await send();
    else this.#client.emitError(refused);
  }

  /**
   * Publishes a message if the contract allows it.
   * @throws {UnknownNameError} for an unknown channel; {InvalidDataError} for a wrong message (with `checkOutgoing`)
   */
  async invokePublish(channelName: string, data: unknown, send: () => Promise<unknown>): Promise<unknown> {
    const refused = this.#messageError(channelName, data);
    if (refused !== undefined) throw refused;
    return send();
  }

  #messageError(channelName: string, data: unknown): Error | undefined {
    return this.#outgoing('channel', channelName, () => this.contract.checkMessage(channelName, data));
  }

  /** Why a channel cannot be subscribed to. */
  channelError(channelName: string): Error | undefined {
    return this.contract.unknownName('channel', channelName);
  }

  /** What keeps something from being sent: that the contract does not have the name, or (if asked for) its data. */
  #outgoing(
    kind: 'procedure' | 'event' | 'channel',
    name: string,
    check: () => Checked | Promise<Checked>,
  ): Error | undefined {
    const error = this.#client.settings.checkOutgoing
      ? outgoingError(check(), (late) => this.#client.emitError(late))
      : this.contract.unknownName(kind, name);
    if (error !== undefined) markDelivery(error, 'not-sent');
    return error;
  }

  #inTime(name: string, checking: Promise<Checked>): Promise<Verdict> {
    const { environment, settings } = this.#client;
    let timer: unknown;
    const scheduler: DeadlineScheduler = {
      schedule: (deadline, delayMs) => (timer = environment.setTimeout(() => deadline.fire(), delayMs)),
      cancel: () => environment.clearTimeout(timer),
    };
    return verdictInTime(checking, name, { scheduler, timeoutMs: settings.ackTimeout });
  }
}

/** Whether a name belongs to the protocol, of which no contract speaks. */
function isOfProtocol(name: string): boolean {
  return typeof name === 'string' && name.startsWith('#');
}
