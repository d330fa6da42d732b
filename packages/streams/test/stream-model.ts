/** How a call of `next()` came out. */
export type Outcome = { value: unknown; done: boolean } | 'timed out' | 'pending';

interface Entry {
  readonly value: unknown;
  readonly consumerId: number | undefined;
  readonly isEnd: boolean;
}

interface Waiting {
  readonly call: number;
  deadline: number;
}

/** A stream as a list of those who read it, some of whom have ended but kept their place. */
interface ModelStream {
  readonly followers: Set<ModelConsumer>;
  registered: ModelConsumer[];
}

/** A consumer as a list of what it has not read. */
export class ModelConsumer {
  readonly id: number;
  readonly name: string;
  readonly timeout: number | undefined;
  stream: ModelStream;
  inbox: Entry[] = [];
  waiting: Waiting[] = [];
  end: { value: unknown } | undefined;

  constructor(id: number, name: string, timeout: number | undefined, stream: ModelStream) {
    this.id = id;
    this.name = name;
    this.timeout = timeout;
    this.stream = stream;
  }

  get isRegistered(): boolean {
    return this.stream.registered.includes(this);
  }
}

/**
 * A demux as one would explain it: each consumer has its own copy of what it has not read, and nothing is shared.
 *
 * With `isLasting` streams are never dropped, so that one name behaves like a WritableConsumableStream.
 */
export class StreamModel {
  readonly consumers: ModelConsumer[] = [];
  readonly outcomes: Outcome[] = [];
  readonly #streams = new Map<string, ModelStream>();
  readonly #isLasting: boolean;
  #now = 0;

  constructor(isLasting: boolean) {
    this.#isLasting = isLasting;
  }

  create(name: string, timeout: number | undefined): void {
    const stream = this.#streams.get(name) ?? { followers: new Set(), registered: [] };
    const consumer = new ModelConsumer(this.consumers.length + 1, name, timeout, stream);
    this.#streams.set(name, stream);
    stream.followers.add(consumer);
    stream.registered.push(consumer);
    this.consumers.push(consumer);
  }

  append(name: string, entry: Entry): void {
    for (const follower of this.#streams.get(name)?.followers ?? []) follower.inbox.push(entry);
  }

  kill(consumer: ModelConsumer, value: unknown): void {
    consumer.inbox = [];
    consumer.stream.followers.add(consumer);
    consumer.end = { value };
    this.#unregister(consumer);
  }

  killAll(name: string, value: unknown): void {
    for (const consumer of this.#streams.get(name)?.registered ?? []) this.kill(consumer, value);
  }

  unstream(name: string): void {
    this.append(name, { value: undefined, consumerId: undefined, isEnd: true });
    this.#streams.delete(name);
  }

  return(consumer: ModelConsumer): void {
    consumer.inbox = [];
    consumer.stream.followers.delete(consumer);
    consumer.end = consumer.waiting.length > 0 ? { value: undefined } : undefined;
    this.#unregister(consumer);
  }

  next(consumer: ModelConsumer): void {
    const call = this.outcomes.push('pending') - 1;
    if (consumer.waiting.length === 0) {
      if (consumer.end !== undefined) {
        this.outcomes[call] = { value: consumer.end.value, done: true };
        consumer.end = undefined;
        return;
      }
      if (!consumer.isRegistered) this.#register(consumer);
      const entry = this.#take(consumer);
      if (entry !== undefined) {
        this.outcomes[call] = { value: entry.value, done: entry.isEnd };
        return;
      }
    }
    consumer.waiting.push({ call, deadline: this.#now + (consumer.timeout ?? Number.POSITIVE_INFINITY) });
  }

  /** What the microtasks do: everybody who waits gets what is due. */
  settle(): void {
    for (const consumer of this.consumers) {
      while (consumer.waiting.length > 0 && this.#serveFirst(consumer));
    }
  }

  /** Lets time pass; everything was settled before. */
  advance(ms: number): void {
    this.#now += ms;
    for (const consumer of this.consumers) {
      if (consumer.waiting.length === 0) continue;
      for (const { call } of consumer.waiting.filter(({ deadline }) => deadline <= this.#now)) {
        this.outcomes[call] = 'timed out';
      }
      consumer.waiting = consumer.waiting.filter(({ deadline }) => deadline > this.#now);
      if (consumer.waiting.length === 0) this.#unregister(consumer);
    }
  }

  /** The registered consumers of one stream with their backpressure, in order of registration. */
  stats(name: string): { id: number; backpressure: number }[] {
    const registered = this.#streams.get(name)?.registered ?? [];
    return registered.map(({ id, inbox, timeout }) => ({
      id,
      backpressure: inbox.length,
      ...(timeout === undefined ? {} : { timeout }),
    }));
  }

  names(): string[] {
    return [...this.#streams.keys()];
  }

  #serveFirst(consumer: ModelConsumer): boolean {
    const [first] = consumer.waiting;
    if (first === undefined) return false;
    const unread = consumer.inbox.length;
    const entry = consumer.end === undefined ? this.#take(consumer) : { ...consumer.end, isEnd: true };
    if (entry === undefined) {
      const isPassed = consumer.inbox.length !== unread;
      if (isPassed) first.deadline = this.#now + (consumer.timeout ?? Number.POSITIVE_INFINITY);
      return false;
    }
    this.outcomes[first.call] = { value: entry.value, done: entry.isEnd };
    consumer.waiting.shift();
    if (consumer.waiting.length === 0) consumer.end = undefined;
    else if (entry.isEnd) consumer.end ??= { value: entry.value };
    return true;
  }

  #take(consumer: ModelConsumer): Entry | undefined {
    for (;;) {
      const entry = consumer.inbox.shift();
      if (entry === undefined) return undefined;
      if (entry.consumerId !== undefined && entry.consumerId !== consumer.id) continue;
      if (entry.isEnd) this.#unregister(consumer);
      return entry;
    }
  }

  #register(consumer: ModelConsumer): void {
    const current = this.#streams.get(consumer.name) ?? consumer.stream;
    consumer.stream.followers.delete(consumer);
    consumer.stream = current;
    current.followers.add(consumer);
    current.registered.push(consumer);
    this.#streams.set(consumer.name, current);
  }

  #unregister(consumer: ModelConsumer): void {
    const { stream, name } = consumer;
    stream.registered = stream.registered.filter((other) => other !== consumer);
    const isGone = stream.registered.length === 0 && this.#streams.get(name) === stream;
    if (isGone && !this.#isLasting) this.#streams.delete(name);
  }
}
