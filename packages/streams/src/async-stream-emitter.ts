import type { DemuxedConsumableStream } from './demuxed-consumable-stream.js';
import { addFamilyMethods, MANAGING_METHODS } from './family-methods.js';
import { type NamedConsumerStats, StreamDemux } from './stream-demux.js';

/** The payload of event `E` as the event map declares it; `unknown` for events that the map does not know. */
export type EventPayload<Events, E> = E extends keyof Events ? Events[E] : unknown;

/** What follows the event name in `emit()`: a payload that may be undefined may be left out. */
export type EmitArguments<Payload> = undefined extends Payload ? [data?: Payload] : [data: Payload];

/** A name of the event map, or any other string; editors offer the names they know. */
export type EventName<Events> = (keyof Events & string) | (string & {});

/** The methods that manage the listeners of an emitter; an event or id that nobody knows is no error. */
export interface ListenerMethods<Events extends object> {
  /** Ends the loops over one event once they have finished their backlog. */
  closeListener(event: EventName<Events>): void;

  /** Ends the loops over all events once they have finished their backlogs. */
  closeAllListeners(): void;

  /** Ends the loops over one event at once; their backlog is dropped and its backpressure is 0. */
  killListener(event: EventName<Events>): void;

  /** Ends the loops over all events at once; their backlog is dropped and their backpressure is 0. */
  killAllListeners(): void;

  /** Ends one loop at once; unknown ids are ignored. */
  killListenerConsumer(consumerId: number): void;

  /** The stats of one consumer; undefined for unknown ids. */
  getListenerConsumerStats(consumerId: number): NamedConsumerStats | undefined;

  /** The stats of the consumers of one event, in order of registration. */
  getListenerConsumerStatsList(event: EventName<Events>): NamedConsumerStats[];

  /** The stats of the consumers of all events. */
  getAllListenersConsumerStatsList(): NamedConsumerStats[];

  /** How many consumers one event has. */
  getListenerConsumerCount(event: EventName<Events>): number;

  /** How many consumers all events have together. */
  getAllListenersConsumerCount(): number;

  /** The highest backpressure of the consumers of one event; 0 without consumers. */
  getListenerBackpressure(event: EventName<Events>): number;

  /** The highest backpressure of the consumers of all events; 0 without consumers. */
  getAllListenersBackpressure(): number;

  /** The backpressure of one consumer; 0 for unknown ids. */
  getListenerConsumerBackpressure(consumerId: number): number;

  /** True while that consumer consumes that event. */
  hasListenerConsumer(event: EventName<Events>, consumerId: number): boolean;

  /** True while that consumer consumes any event. */
  hasAnyListenerConsumer(consumerId: number): boolean;
}

/** The family of method names for listeners; see {@link ListenerMethods}. */
export interface AsyncStreamEmitter<Events extends object = {}> extends ListenerMethods<Events> {} // oxlint-disable-line typescript/no-unsafe-declaration-merging -- addFamilyMethods() puts the family on the prototype

/** What an emitter without listeners answers from. */
const nobody = new StreamDemux();

/**
 * Owns the listeners of one object: a demux with one stream per event, made when somebody first asks for a listener.
 *
 * `Events` maps event names to payloads. Other names are allowed, and their payload is `unknown`. Emitting never runs
 * the code of a listener and never throws for its sake; an event that nobody consumes is dropped, and `'error'` is an
 * event like any other.
 *
 * @example
 * ```ts
 * import { AsyncStreamEmitter } from '@socketcluster-ts/streams';
 *
 * class Door extends AsyncStreamEmitter<{ open: { by: string } }> {}
 *
 * const door = new Door();
 * const opened = door.listener('open').once();
 * door.emit('open', { by: 'Ada' });
 * console.log((await opened).by);
 * ```
 */
export class AsyncStreamEmitter<Events extends object = {}> {
  static {
    addFamilyMethods(
      this,
      [...MANAGING_METHODS, 'getConsumerCount', 'getConsumerCountAll'],
      'Listener',
      (emitter: AsyncStreamEmitter) => emitter.#demux ?? nobody,
    );
  }

  #demux: StreamDemux | undefined;

  /** Gives `data` to everybody who consumes the event now. */
  emit<E extends EventName<Events>>(event: E, ...data: EmitArguments<EventPayload<Events, E>>): void;
  // A rest parameter here would make an array for each call.
  emit(event: string, data?: unknown): void {
    this.#demux?.write(event, data);
  }

  /**
   * Gives the stream of an event: for `for await`, `each()`, `once()` and `createConsumer()`. An error of a function
   * given to `each()` goes to `handlerFailed()`; one of an `'error'` listener, which would come back to it, does not.
   */
  listener<E extends EventName<Events>>(event: E): DemuxedConsumableStream<EventPayload<Events, E>> {
    this.#demux ??= new StreamDemux();
    const onError = event === 'error' ? undefined : (error: unknown): void => this.handlerFailed(error);
    // emit() is the only writer, and its signature admits no other payload.
    return this.#demux.stream(event, onError) as DemuxedConsumableStream<EventPayload<Events, E>>;
  }

  /** Called with what a function given to `each()` threw; emits it as `error`. */
  handlerFailed(error: unknown): void {
    (this as AsyncStreamEmitter<{ error: { error: unknown } }>).emit('error', { error });
  }

  /** True while somebody consumes this event now; when false, an emitter can save itself building the payload. */
  hasListener(event: EventName<Events>): boolean {
    return this.#demux?.hasStream(event) ?? false;
  }

  /** Forgets the consumers of one event: they get nothing that is emitted later and end after their backlog. */
  removeListener(event: EventName<Events>): void {
    this.#demux?.unstream(event);
  }
}
