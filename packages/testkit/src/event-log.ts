import { DEFAULT_DEADLINE_MS, withDeadline } from './deadline.js';

/** Anything whose events are async iterables: the server, a socket, a broker, an exchange. */
export interface Listenable {
  listener(eventName: string): AsyncIterable<unknown>;
}

/** One recorded event. */
export interface LoggedEvent {
  readonly name: string;
  readonly payload: Record<string, unknown>;
}

/** Decides whether a recorded event is the awaited one. */
export type EventPredicate = (event: LoggedEvent) => boolean;

/**
 * Owns the events that were recorded from one or more emitters, in the order in which they came, and those
 * who wait for one.
 */
export class EventLog {
  readonly events: LoggedEvent[] = [];
  readonly #watchers = new Set<() => void>();

  /** Records `eventNames` of `emitter` from this call on, each under `prefix` + its name. */
  record(emitter: Listenable, eventNames: readonly string[], prefix: string = ''): this {
    for (const eventName of eventNames) {
      void this.#consume(emitter.listener(eventName), prefix + eventName);
    }
    return this;
  }

  /** The names of the recorded events, in order. */
  get names(): string[] {
    return this.events.map((event) => event.name);
  }

  /** The payloads of the recorded events of that name, in order. */
  of(name: string): Record<string, unknown>[] {
    return this.events.filter((event) => event.name === name).map((event) => event.payload);
  }

  /**
   * Resolves with the payload of the first event, recorded already or still to come, that has that name (and
   * meets `predicate`); rejects after `deadlineMs`, telling what was recorded instead.
   */
  async first(
    name: string,
    predicate: (payload: Record<string, unknown>) => boolean = () => true,
    deadlineMs: number = DEFAULT_DEADLINE_MS,
  ): Promise<Record<string, unknown>> {
    let found: LoggedEvent | undefined;
    const look = (): boolean => {
      found = this.events.find((event) => event.name === name && predicate(event.payload));
      return found !== undefined;
    };
    await this.#wait(look, `event '${name}'`, deadlineMs);
    return found?.payload ?? {};
  }

  /** Resolves once `count` events of that name were recorded, with their payloads. */
  async times(
    name: string,
    count: number,
    deadlineMs: number = DEFAULT_DEADLINE_MS,
  ): Promise<Record<string, unknown>[]> {
    await this.#wait(() => this.of(name).length >= count, `${count} events '${name}'`, deadlineMs);
    return this.of(name);
  }

  async #wait(isMet: () => boolean, what: string, deadlineMs: number): Promise<void> {
    if (isMet()) return;
    let watcher: (() => void) | undefined;
    const met = new Promise<void>((resolve) => {
      watcher = () => {
        if (isMet()) resolve();
      };
      this.#watchers.add(watcher);
    });
    try {
      await withDeadline(met, what, deadlineMs);
    } catch (error) {
      throw new Error(`${(error as Error).message}; recorded: ${this.names.join(', ') || 'nothing'}`, {
        cause: error,
      });
    } finally {
      if (watcher !== undefined) this.#watchers.delete(watcher);
    }
  }

  async #consume(stream: AsyncIterable<unknown>, name: string): Promise<void> {
    for await (const payload of stream) {
      this.events.push({ name, payload: payload as Record<string, unknown> });
      for (const watcher of this.#watchers) watcher();
    }
  }
}
