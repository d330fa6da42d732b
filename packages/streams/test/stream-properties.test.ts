import {
  type StreamConsumer,
  StreamDemux,
  TimeoutError,
  WritableConsumableStream,
} from '@socketcluster-ts/streams';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { consume } from './consume.js';
import { type ModelConsumer, type Outcome, StreamModel } from './stream-model.js';
import { microtask, turn } from './turn.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const NAMES = ['constructor', 'b'];
const TIMEOUT_MS = 10;

/** The calls that both kinds of streams have, by the name of the stream. */
interface Subject {
  create(name: string, timeout: number | undefined): StreamConsumer<unknown>;
  write(name: string, value: unknown): void;
  close(name: string, value: unknown): void;
  kill(name: string, value: unknown): void;
  unstream(name: string): void;
  writeToConsumer(id: number, value: unknown): void;
  closeConsumer(id: number, value: unknown): void;
  killConsumer(id: number, value: unknown): void;
  stats(name: string): object[];
  backpressure(name: string): number;
  names(): string[];
}

function singleStream(): Subject {
  const stream = new WritableConsumableStream<unknown>();
  const [name] = NAMES;
  return {
    create: (_name, timeout) => stream.createConsumer(timeout),
    write: (_name, value) => stream.write(value),
    close: (_name, value) => stream.close(value),
    kill: (_name, value) => stream.kill(value),
    unstream: () => {},
    writeToConsumer: (id, value) => stream.writeToConsumer(id, value),
    closeConsumer: (id, value) => stream.closeConsumer(id, value),
    killConsumer: (id, value) => stream.killConsumer(id, value),
    stats: (asked) => (asked === name ? stream.getConsumerStatsList() : []),
    backpressure: (asked) => (asked === name ? stream.getBackpressure() : 0),
    names: () => (name === undefined ? [] : [name]),
  };
}

function demux(): Subject {
  const streams = new StreamDemux();
  return {
    create: (name, timeout) => streams.createConsumer(name, timeout),
    write: (name, value) => streams.write(name, value),
    close: (name, value) => streams.close(name, value),
    kill: (name, value) => streams.kill(name, value),
    unstream: (name) => streams.unstream(name),
    writeToConsumer: (id, value) => streams.writeToConsumer(id, value),
    closeConsumer: (id, value) => streams.closeConsumer(id, value),
    killConsumer: (id, value) => streams.killConsumer(id, value),
    stats: (name) => streams.getConsumerStatsList(name).map(({ stream: _stream, ...stats }) => stats),
    backpressure: (name) => streams.getBackpressure(name),
    names: () => [...streams.names()],
  };
}

type StreamAction = 'write' | 'close' | 'kill' | 'unstream';
type ConsumerAction = 'next' | 'return' | 'kill it' | 'write to' | 'close by id' | 'kill by id';
type Command =
  | { readonly create: string; readonly timeout: number | undefined }
  | { readonly act: StreamAction; readonly on: string }
  | { readonly act: ConsumerAction; readonly consumer: number }
  | { readonly wait: number };

/** A stream or demux and its model, driven by the same commands and compared after each. */
class Pair {
  readonly #subject: Subject;
  readonly #model: StreamModel;
  readonly #consumers: StreamConsumer<unknown>[] = [];
  readonly #outcomes: Outcome[] = [];
  #lastValue = 0;

  constructor(subject: Subject, model: StreamModel) {
    this.#subject = subject;
    this.#model = model;
  }

  async run(commands: readonly Command[]): Promise<void> {
    for (const command of commands) {
      if ('wait' in command) await this.#wait(command.wait);
      else if ('create' in command) this.#create(command.create, command.timeout);
      else if ('on' in command) this.#onStream(command.act, command.on);
      else this.#onConsumer(command.act, command.consumer);
      this.#compare();
    }
    await this.#wait(0);
    this.#compare();
  }

  #create(name: string, timeout: number | undefined): void {
    this.#consumers.push(this.#subject.create(name, timeout));
    this.#model.create(name, timeout);
  }

  #onStream(action: StreamAction, name: string): void {
    const value = ++this.#lastValue;
    this.#subject[action](name, value);
    if (action === 'kill') this.#model.killAll(name, value);
    else if (action === 'unstream') this.#model.unstream(name);
    else this.#model.append(name, { value, consumerId: undefined, isEnd: action === 'close' });
  }

  #onConsumer(action: ConsumerAction, index: number): void {
    const consumer = this.#consumers[index % this.#consumers.length];
    const twin = this.#model.consumers[index % this.#consumers.length];
    if (consumer === undefined || twin === undefined) return;
    const value = ++this.#lastValue;
    if (action === 'next') this.#next(consumer, twin);
    else if (action === 'return') {
      void consumer.return();
      this.#model.return(twin);
    } else if (action === 'kill it') {
      consumer.kill(value);
      this.#model.kill(twin, value);
    } else if (this.#model.stats(twin.name).some(({ id }) => id === twin.id)) {
      this.#byId(action, twin, value);
    }
  }

  #next(consumer: StreamConsumer<unknown>, twin: ModelConsumer): void {
    const call = this.#outcomes.push('pending') - 1;
    consumer.next().then(
      ({ value, done }) => {
        this.#outcomes[call] = { value, done: done === true };
      },
      (error: unknown) => {
        this.#outcomes[call] = error instanceof TimeoutError ? 'timed out' : 'pending';
      },
    );
    this.#model.next(twin);
  }

  #byId(action: 'write to' | 'close by id' | 'kill by id', twin: ModelConsumer, value: unknown): void {
    const { id, name } = twin;
    if (action === 'write to') this.#subject.writeToConsumer(id, value);
    else if (action === 'close by id') this.#subject.closeConsumer(id, value);
    else this.#subject.killConsumer(id, value);
    if (action === 'kill by id') this.#model.kill(twin, value);
    else this.#model.append(name, { value, consumerId: id, isEnd: action === 'close by id' });
  }

  async #wait(ms: number): Promise<void> {
    await this.#settle();
    if (ms === 0) return;
    vi.advanceTimersByTime(ms);
    this.#model.advance(ms);
    await this.#settle();
  }

  async #settle(): Promise<void> {
    await turn();
    this.#model.settle();
    expect(this.#outcomes).toEqual(this.#model.outcomes);
  }

  #compare(): void {
    expect(this.#subject.names()).toEqual(this.#model.names());
    for (const name of NAMES) {
      const stats = this.#model.stats(name);
      expect(this.#subject.stats(name)).toEqual(stats);
      const highest = Math.max(0, ...stats.map(({ backpressure }) => backpressure));
      expect(this.#subject.backpressure(name)).toBe(highest);
    }
  }
}

const CONSUMER_ACTIONS = ['return', 'kill it', 'write to', 'close by id', 'kill by id'] as const;

function sequences(names: string[], endings: StreamAction[]): fc.Arbitrary<Command[]> {
  const on = fc.constantFrom(...names);
  const consumer = fc.nat({ max: 3 });
  const timeout = fc.constantFrom(undefined, TIMEOUT_MS);
  const command = fc.oneof(
    { weight: 1, arbitrary: fc.record({ create: on, timeout }) },
    { weight: 5, arbitrary: fc.record({ act: fc.constant('write' as const), on }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constantFrom(...endings), on }) },
    { weight: 6, arbitrary: fc.record({ act: fc.constant('next' as const), consumer }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constantFrom(...CONSUMER_ACTIONS), consumer }) },
    { weight: 4, arbitrary: fc.record({ wait: fc.constantFrom(0, 0, 4, 6, TIMEOUT_MS) }) },
  );
  const first = names.map((name) => ({ create: name, timeout: undefined }));
  return fc.array(command, { minLength: 5, maxLength: 60 }).map((rest) => [...first, ...rest]);
}

describe('random use of several consumers', () => {
  it('of one stream gives the order, ends, timeouts and backpressure of the model', async () => {
    const commands = sequences(NAMES.slice(0, 1), ['close', 'kill']);
    await fc.assert(
      fc.asyncProperty(commands, (sequence) => new Pair(singleStream(), new StreamModel(true)).run(sequence)),
      { numRuns: 300 },
    );
  });

  it('of a demux gives the order, ends, timeouts, backpressure and streams of the model', async () => {
    const commands = sequences(NAMES, ['close', 'kill', 'unstream']);
    await fc.assert(
      fc.asyncProperty(commands, (sequence) => new Pair(demux(), new StreamModel(false)).run(sequence)),
      { numRuns: 300 },
    );
  });

  it('gives every loop all that was written since it began, in order', async () => {
    const step = fc.constantFrom('write', 'write', 'write', 'loop', 'turn', 'microtask' as const);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat({ max: 3 }), async (steps, hops) => {
        const stream = new WritableConsumableStream<number>();
        const loops: { since: number; loop: ReturnType<typeof consume<number>> }[] = [];
        let written = 0;
        for (const action of steps) {
          if (action === 'write') stream.write(written++);
          else if (action === 'turn') await turn();
          else if (action === 'microtask') await microtask();
          else loops.push({ since: written, loop: consume(stream, () => hop(hops)) });
        }
        stream.close();
        for (const { since, loop } of loops) {
          await loop.ended;
          expect(loop.values).toEqual(Array.from({ length: written - since }, (_, i) => since + i));
        }
        expect(stream.getConsumerCount()).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

async function hop(times: number): Promise<void> {
  for (let i = 0; i < times; i++) await microtask();
}
