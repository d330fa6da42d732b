import { AsyncStreamEmitter, StreamDemux, WritableConsumableStream } from '@socketcluster-ts/streams';
import { describe, expect, it } from 'vitest';
import { areCollected, collectUntil } from './collection.js';
import { consume } from './consume.js';
import { turn } from './turn.js';

interface Big {
  readonly bytes: Uint8Array;
}

function big(): Big {
  return { bytes: new Uint8Array(1024) };
}

/** Writes some values that nothing else refers to. */
function writeMany(write: (value: Big) => void): WeakRef<Big>[] {
  return Array.from({ length: 5 }, () => {
    const value = big();
    write(value);
    return new WeakRef(value);
  });
}

/** Starts a loop that takes one value and then never goes on; gives its consumer. */
function startStuckLoop(stream: WritableConsumableStream<Big>): WeakRef<object> {
  const consumer = stream.createConsumer();
  void consume(consumer, () => new Promise<never>(() => {}));
  return new WeakRef(consumer);
}

function dropConsumer(stream: WritableConsumableStream<Big>): WeakRef<object> {
  return new WeakRef(stream.createConsumer());
}

describe('what a stream keeps in memory', () => {
  it('a value that all consumers have passed is free, whether they wait or work', async () => {
    const stream = new WritableConsumableStream<Big>();
    const waiting = stream.createConsumer();
    const working = stream.createConsumer();
    const values = writeMany((value) => stream.write(value));
    const pass = async (): Promise<void> => {
      for (const _ of values) await Promise.all([waiting.next(), working.next()]);
    };
    await pass();
    const pending = waiting.next();
    expect(await areCollected(...values)).toBe(true);
    stream.close('end');
    expect(await pending).toEqual({ value: 'end', done: true });
    expect(working.getBackpressure()).toBe(1);
  });

  it('a value that one consumer has not read stays', async () => {
    const stream = new WritableConsumableStream<Big>();
    const consumer = stream.createConsumer();
    const values = writeMany((value) => stream.write(value));
    const [unread] = writeMany((value) => stream.write(value));
    for (const _ of values) await consumer.next();
    expect(await areCollected(...values)).toBe(true);
    expect(unread?.deref()).toBeDefined();
    expect(consumer.getBackpressure()).toBe(5);
  });

  it('values written while nobody listens are free', async () => {
    const stream = new WritableConsumableStream<Big>();
    const left = stream.createConsumer();
    await left.return();
    const values = writeMany((value) => stream.write(value));
    expect(await areCollected(...values)).toBe(true);
    expect([stream.getConsumerCount(), left.isAlive]).toEqual([0, false]);
  });

  it('a killed consumer does not keep its backlog', async () => {
    const stream = new WritableConsumableStream<Big>();
    const consumer = stream.createConsumer();
    const values = writeMany((value) => stream.write(value));
    stream.kill();
    expect(await areCollected(...values)).toBe(true);
    expect(await consumer.next()).toEqual({ value: undefined, done: true });
  });

  it('a consumer that timed out, was closed or killed is free once dropped, with all written after', async () => {
    const stream = new WritableConsumableStream<Big>();
    const end = async (): Promise<WeakRef<object>[]> => {
      const consumers = [stream.createConsumer(0), stream.createConsumer(), stream.createConsumer()];
      await consumers[0]?.next().catch(() => {});
      stream.closeConsumer(2);
      await consumers[1]?.next();
      stream.killConsumer(3);
      return consumers.map((consumer) => new WeakRef(consumer));
    };
    const consumers = await end();
    const values = writeMany((value) => stream.write(value));
    expect(await areCollected(...consumers, ...values)).toBe(true);
    expect(stream.getConsumerCount()).toBe(0);
  });

  it('a loop that broke out is free, with its backlog', async () => {
    const stream = new WritableConsumableStream<Big>();
    const run = async (): Promise<WeakRef<object>> => {
      const consumer = stream.createConsumer();
      for await (const _ of consumer) break;
      return new WeakRef(consumer);
    };
    const ended = run();
    const values = writeMany((value) => stream.write(value));
    expect(await areCollected(await ended, ...values)).toBe(true);
    expect(stream.getBackpressure()).toBe(0);
  });
});

describe('consumers that were abandoned', () => {
  it('one that was created and dropped is forgotten, with its backlog', async () => {
    const removed: number[] = [];
    const stream = new WritableConsumableStream<Big>({ removeConsumerCallback: (id) => removed.push(id) });
    const kept = stream.createConsumer();
    const consumer = dropConsumer(stream);
    const values = writeMany((value) => stream.write(value));
    for (const _ of values) await kept.next();
    expect(stream.getBackpressure()).toBe(5);
    expect(await collectUntil(() => removed.length > 0)).toBe(true);
    expect(await areCollected(consumer, ...values)).toBe(true);
    expect(removed).toEqual([2]);
    expect(stream.getConsumerStatsList()).toEqual([{ id: 1, backpressure: 0 }]);
    expect(kept.isAlive).toBe(true);
  });

  it('one whose loop is stuck for good is forgotten, with its backlog', async () => {
    const stream = new WritableConsumableStream<Big>();
    const consumer = startStuckLoop(stream);
    stream.write(big());
    await turn();
    const values = writeMany((value) => stream.write(value));
    expect(await collectUntil(() => stream.getConsumerCount() === 0)).toBe(true);
    expect(await areCollected(consumer, ...values)).toBe(true);
    expect(stream.getBackpressure()).toBe(0);
  });

  it('the stream of a demux goes with its last abandoned consumer', async () => {
    const demux = new StreamDemux<Big>();
    const emitter = new AsyncStreamEmitter<{ event: Big }>();
    (() => {
      demux.createConsumer('name');
      emitter.listener('event').createConsumer();
    })();
    expect([demux.hasStream('name'), emitter.hasListener('event')]).toEqual([true, true]);
    const values = writeMany((value) => {
      demux.write('name', value);
      emitter.emit('event', value);
    });
    expect(await collectUntil(() => !demux.hasStream('name') && !emitter.hasListener('event'))).toBe(true);
    expect(await areCollected(...values)).toBe(true);
    expect([...demux.names()]).toEqual([]);
  });

  it('a loop that waits is not abandoned: its stream holds it', async () => {
    const stream = new WritableConsumableStream<string>();
    const got: string[] = [];
    const start = (): WeakRef<object> => {
      const consumer = stream.createConsumer();
      void consume(consumer, (value) => got.push(value));
      return new WeakRef(consumer);
    };
    const consumer = start();
    const dropped = dropConsumer(new WritableConsumableStream());
    for (const value of ['first', 'second']) {
      expect(await areCollected(dropped)).toBe(true);
      expect(consumer.deref()).toBeDefined();
      stream.write(value);
      await turn();
    }
    expect(got).toEqual(['first', 'second']);
  });

  it('a loop whose body waits for something alive is not abandoned', async () => {
    const stream = new WritableConsumableStream<string>();
    let goOn = (): void => {};
    const got: string[] = [];
    void consume(stream, (value) => {
      got.push(value);
      return new Promise<void>((resolve) => {
        goOn = resolve;
      });
    });
    stream.write('first');
    await turn();
    stream.write('second');
    expect(await areCollected(dropConsumer(new WritableConsumableStream()))).toBe(true);
    goOn();
    await turn();
    expect(got).toEqual(['first', 'second']);
  });

  it('a stream that is dropped goes with the loops that wait for it', async () => {
    const start = (): WeakRef<object>[] => {
      const stream = new WritableConsumableStream<Big>();
      const consumer = stream.createConsumer();
      void consume(consumer);
      void stream.next();
      void stream.once();
      return [new WeakRef(stream), new WeakRef(consumer)];
    };
    expect(await areCollected(...start())).toBe(true);
  });
});

describe('what a demux keeps in memory', () => {
  it.each(['close', 'kill', 'unstream'] as const)('nothing of a stream that ended by `%s()`', async (end) => {
    const demux = new StreamDemux<Big>();
    const start = (): { stream: WeakRef<object>; ended: Promise<void> } => {
      const consumer = demux.createConsumer('name');
      return { stream: new WeakRef(consumer.stream), ended: consume(consumer).ended };
    };
    const { stream, ended } = start();
    demux[end]('name');
    await ended;
    expect(demux.hasStream('name')).toBe(false);
    expect([...demux.names()]).toEqual([]);
    expect(await areCollected(stream)).toBe(true);
  });

  it('nothing of what is written to a name that nobody consumes', async () => {
    const demux = new StreamDemux<Big>();
    const view = demux.stream('name');
    const values = writeMany((value) => demux.write('name', value));
    expect(await areCollected(...values)).toBe(true);
    expect(view.name).toBe('name');
    expect(demux.hasStream('name')).toBe(false);
  });
});
