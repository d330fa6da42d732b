import {
  AsyncStreamEmitter,
  addFamilyMethods,
  DemuxedConsumableStream,
  MANAGING_METHODS,
  type NamedConsumerStats,
  StreamDemux,
} from '@socketcluster-ts/streams';
import type { AnyContract, Untyped, WhenUntyped } from './contract/contract-types.js';
import { ProcedureStream } from './procedure-stream.js';
import type { AGRequest } from './request.js';

/** The methods that manage the consumers of receivers and procedures. */
export interface RpcMethods {
  /** Lets the consumers of one receiver finish, then ends their loops. */
  closeReceiver(name: string): void;

  /** Lets the consumers of all receivers finish, then ends their loops. */
  closeAllReceivers(): void;

  /** Ends the loops over one receiver; what waited for them is dropped. */
  killReceiver(name: string): void;

  /** Ends the loops over all receivers; what waited for them is dropped. */
  killAllReceivers(): void;

  /** Ends the loop of one consumer of a receiver; what waited for it is dropped. */
  killReceiverConsumer(consumerId: number): void;

  /** How one consumer of a receiver stands, or `undefined` if there is none with that id. */
  getReceiverConsumerStats(consumerId: number): NamedConsumerStats | undefined;

  /** How the consumers of one receiver stand. */
  getReceiverConsumerStatsList(name: string): NamedConsumerStats[];

  /** How the consumers of all receivers stand. */
  getAllReceiversConsumerStatsList(): NamedConsumerStats[];

  /** The backpressure of one receiver. */
  getReceiverBackpressure(name: string): number;

  /** The largest backpressure of all receivers. */
  getAllReceiversBackpressure(): number;

  /** The backpressure of one consumer of a receiver. */
  getReceiverConsumerBackpressure(consumerId: number): number;

  /** Whether this receiver has a consumer with that id. */
  hasReceiverConsumer(name: string, consumerId: number): boolean;

  /** Whether any receiver has a consumer with that id. */
  hasAnyReceiverConsumer(consumerId: number): boolean;

  /** Lets the consumers of one procedure finish, then ends their loops. */
  closeProcedure(name: string): void;

  /** Lets the consumers of all procedures finish, then ends their loops. */
  closeAllProcedures(): void;

  /** Ends the loops over one procedure; what waited for them is dropped. */
  killProcedure(name: string): void;

  /** Ends the loops over all procedures; what waited for them is dropped. */
  killAllProcedures(): void;

  /** Ends the loop of one consumer of a procedure; what waited for it is dropped. */
  killProcedureConsumer(consumerId: number): void;

  /** How one consumer of a procedure stands, or `undefined` if there is none with that id. */
  getProcedureConsumerStats(consumerId: number): NamedConsumerStats | undefined;

  /** How the consumers of one procedure stand. */
  getProcedureConsumerStatsList(name: string): NamedConsumerStats[];

  /** How the consumers of all procedures stand. */
  getAllProceduresConsumerStatsList(): NamedConsumerStats[];

  /** The backpressure of one procedure. */
  getProcedureBackpressure(name: string): number;

  /** The largest backpressure of all procedures. */
  getAllProceduresBackpressure(): number;

  /** The backpressure of one consumer of a procedure. */
  getProcedureConsumerBackpressure(consumerId: number): number;

  /** Whether this procedure has a consumer with that id. */
  hasProcedureConsumer(name: string, consumerId: number): boolean;

  /** Whether any procedure has a consumer with that id. */
  hasAnyProcedureConsumer(consumerId: number): boolean;
}

/** The families of method names for receivers and procedures. */
export interface RpcHost<Events extends object = {}, C extends AnyContract = Untyped> extends RpcMethods {} // oxlint-disable-line typescript/no-unsafe-declaration-merging, no-unused-vars -- addFamilyMethods() puts the families on the prototype; merged declarations have the same parameters

/** What a host without streams answers from. */
const nobody = new StreamDemux<never>();

/**
 * Owns the two families of streams by which a socket hands the peer's messages to the application: *receivers*, one
 * stream of payloads for each event that the peer transmits, and *procedures*, one stream of {@link AGRequest}s for
 * each event that it invokes. A family comes into being with its first stream that is asked for.
 *
 * Consumer ids are numbered per family, from 1. The methods that end in `Receiver(s)` and `Procedure(s)` manage the
 * consumers: *close* lets them finish what is waiting for them, *kill* does not, and *backpressure* is the number of
 * messages that a consumer has not taken yet, for several the largest of them. A name that nobody consumes has no
 * stream: its messages are dropped, calls are not answered, and everything asked about it is 0, `false` or empty.
 *
 * @typeParam Events - what the socket emits
 * @typeParam C - the contract with the peer, which types the streams by their names
 */
export class RpcHost<
  Events extends object = {},
  C extends AnyContract = Untyped,
> extends AsyncStreamEmitter<Events> {
  static {
    addFamilyMethods(this, MANAGING_METHODS, 'Receiver', (host: RpcHost) => host.#receivers ?? nobody);
    addFamilyMethods(this, MANAGING_METHODS, 'Procedure', (host: RpcHost) => host.#procedures ?? nobody);
  }

  #receivers: StreamDemux | undefined;
  #procedures: StreamDemux<AGRequest> | undefined;

  /**
   * The payloads that the peer transmits under this name, as an async iterable. Without a contract the type is not
   * checked. An error of a function given to `each()` is emitted.
   */
  receiver<T = unknown>(...name: WhenUntyped<C, [name: string]>): DemuxedConsumableStream<T>;
  receiver<N extends keyof C['types']['events'] & string>(
    name: N,
  ): DemuxedConsumableStream<C['types']['events'][N]['output']>;
  receiver(name?: unknown): unknown {
    this.#receivers ??= new StreamDemux();
    return new DemuxedConsumableStream(this.#receivers, name as string, (error) => this.handlerFailed(error));
  }

  /** Hands a payload to the consumers of a receiver. For the owner of the connection; one look-up if there are none. */
  writeReceiver(name: string, data: unknown): void {
    this.#receivers?.write(name, data);
  }

  /** Whether somebody consumes this receiver now. */
  hasReceiver(name: string): boolean {
    return this.#receivers?.hasStream(name) ?? false;
  }

  /** Whether somebody consumes this procedure now; a call that finds nobody is not answered. */
  hasProcedure(name: string): boolean {
    return this.#procedures?.hasStream(name) ?? false;
  }

  /**
   * Whether everybody who consumes this receiver (or procedure) goes on reading behind the next message, as loops do and
   * `once()` does not.
   */
  isFollowed(name: string, isProcedure: boolean): boolean {
    return (isProcedure ? this.#procedures : this.#receivers)?.isFollowed(name) ?? false;
  }

  /**
   * The calls that the peer makes under this name: answered by a loop, or by a function given to `each()`, whose errors
   * are emitted. Without a contract the type of `data` is not checked.
   */
  procedure<T = unknown>(...name: WhenUntyped<C, [name: string]>): ProcedureStream<this, T>;
  procedure<N extends keyof C['types']['procedures'] & string>(
    name: N,
  ): ProcedureStream<
    this,
    C['types']['procedures'][N]['argument']['output'],
    C['types']['procedures'][N]['result']['input']
  >;
  procedure(name?: unknown): unknown {
    this.#procedures ??= new StreamDemux<AGRequest>();
    return new ProcedureStream(this.#procedures, name as string, (error) => this.handlerFailed(error));
  }

  /** Hands a call to the consumers of a procedure. For the owner of the connection; one look-up if there are none. */
  writeProcedure(name: string, request: AGRequest): void {
    this.#procedures?.write(name, request);
  }
}
