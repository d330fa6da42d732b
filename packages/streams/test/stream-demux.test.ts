import { StreamDemux, TimeoutError } from '@socketcluster-ts/streams';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { consume } from './consume.js';
import { turn } from './turn.js';

let demux: StreamDemux;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  demux = new StreamDemux();
});

afterEach(() => {
  vi.useRealTimers();
});

const oddNames = ['constructor', '__proto__', 'toString', 'hasOwnProperty', '', ' ', '🙂', 'x'.repeat(255)];

describe('StreamDemux: streams by name', () => {
  it('delivers what is written under a name to the consumers of that name', async () => {
    const [a, b] = [consume(demux.stream('a')), consume(demux.stream('b'))];
    demux.write('a', 1);
    demux.write('b', 2);
    demux.write('a', 3);
    demux.closeAll();
    await Promise.all([a.ended, b.ended]);
    expect([a.values, b.values]).toEqual([[1, 3], [2]]);
  });

  it.each(oddNames)('takes %j for a name like any other', async (name) => {
    demux.write(name, 'dropped');
    demux.close(name);
    demux.kill(name);
    expect([demux.hasStream(name), demux.getBackpressure(name)]).toEqual([false, 0]);
    expect(demux.getConsumerStatsList(name)).toEqual([]);
    const loop = consume(demux.stream(name));
    demux.write(name, 'value');
    await turn();
    expect(loop.values).toEqual(['value']);
    expect(demux.getConsumerStatsListAll()).toEqual([{ id: 1, backpressure: 0, stream: name }]);
    demux.close(name);
    await loop.ended;
    expect(demux.hasStream(name)).toBe(false);
  });

  it('has a stream from its first consumer to its last', async () => {
    const view = demux.stream('name');
    expect(demux.hasStream('name')).toBe(false);
    const [first, second] = [view.createConsumer(), view.createConsumer()];
    expect([...demux.names()]).toEqual(['name']);
    await first.return();
    expect(demux.hasStream('name')).toBe(true);
    await second.return();
    expect(demux.hasStream('name')).toBe(false);
    expect([...demux.names()]).toEqual([]);
  });

  it('does nothing for names and ids that it does not know', () => {
    demux.write('name', 1);
    demux.close('name');
    demux.kill('name');
    demux.unstream('name');
    demux.writeToConsumer(1, 1);
    demux.closeConsumer(1);
    demux.killConsumer(1);
    demux.closeAll();
    demux.killAll();
    expect(demux.getConsumerStats(1)).toBeUndefined();
    expect(demux.getConsumerBackpressure(1)).toBe(0);
    expect([demux.hasConsumer('name', 1), demux.hasConsumerAll(1)]).toEqual([false, false]);
    expect([demux.getConsumerCount('name'), demux.getConsumerCountAll()]).toEqual([0, 0]);
    expect(demux.getBackpressureAll()).toBe(0);
  });

  it('`close()` and `kill()` end one stream, and `closeAll()` and `killAll()` all', async () => {
    const ends = (names: string[]): Promise<unknown[]> =>
      Promise.all(
        names.map(
          async (name) =>
            (await demux
              .createConsumer(name, 5)
              .next()
              .catch(() => 'open')) as unknown,
        ),
      );
    const end = async (act: () => void): Promise<unknown[]> => {
      const results = ends(['a', 'b']);
      act();
      await turn();
      vi.advanceTimersByTime(5);
      return results;
    };
    expect(await end(() => demux.close('a', 1))).toEqual([{ value: 1, done: true }, 'open']);
    expect(await end(() => demux.kill('b', 2))).toEqual(['open', { value: 2, done: true }]);
    expect(await end(() => demux.closeAll(3))).toEqual([
      { value: 3, done: true },
      { value: 3, done: true },
    ]);
    expect(await end(() => demux.killAll(4))).toEqual([
      { value: 4, done: true },
      { value: 4, done: true },
    ]);
  });
});

describe('StreamDemux: consumers by id', () => {
  it('counts ids over all names', () => {
    const ids = ['a', 'b', 'a'].map((name) => demux.createConsumer(name).id);
    expect(ids).toEqual([1, 2, 3]);
  });

  it('shares one sequence of ids with other demuxes', () => {
    let last = 0;
    const options = { generateConsumerId: () => ++last };
    const [a, b] = [new StreamDemux(options), new StreamDemux(options)];
    expect([a.createConsumer('x').id, b.createConsumer('x').id, a.createConsumer('y').id]).toEqual([1, 2, 3]);
  });

  it('tells about its consumers', () => {
    const consumers = [demux.createConsumer('a'), demux.createConsumer('b', 50), demux.createConsumer('a')];
    demux.write('a', 1);
    demux.write('b', 1);
    demux.write('b', 2);
    const stats = [
      { id: 1, backpressure: 1, stream: 'a' },
      { id: 3, backpressure: 1, stream: 'a' },
      { id: 2, backpressure: 2, timeout: 50, stream: 'b' },
    ];
    expect(demux.getConsumerStatsList('a')).toEqual(stats.slice(0, 2));
    expect(demux.getConsumerStatsListAll()).toEqual(stats);
    expect(demux.getConsumerStats(2)).toEqual(stats[2]);
    expect([demux.getBackpressure('a'), demux.getBackpressureAll()]).toEqual([1, 2]);
    expect([1, 2, 3, 4].map((id) => demux.getConsumerBackpressure(id))).toEqual([1, 2, 1, 0]);
    expect([demux.getConsumerCount('a'), demux.getConsumerCountAll()]).toEqual([2, 3]);
    expect([demux.hasConsumer('a', 1), demux.hasConsumer('b', 1), demux.hasConsumerAll(1)]).toEqual([
      true,
      false,
      true,
    ]);
    expect(consumers.map((consumer) => consumer.getBackpressure())).toEqual([1, 2, 1]);
  });

  it('writes to, closes and kills one consumer, whichever stream it reads', async () => {
    const [a, b, c] = [demux.createConsumer('a'), demux.createConsumer('b'), demux.createConsumer('b')];
    demux.writeToConsumer(b.id, 'for b');
    demux.closeConsumer(b.id, 'end of b');
    demux.killConsumer(a.id, 'end of a');
    expect(c.getBackpressure()).toBe(2);
    expect(await a.next()).toEqual({ value: 'end of a', done: true });
    expect(await b.next()).toEqual({ value: 'for b', done: false });
    expect(await b.next()).toEqual({ value: 'end of b', done: true });
    expect([...demux.names()]).toEqual(['b']);
    expect(demux.getConsumerStatsListAll()).toEqual([{ id: 3, backpressure: 2, stream: 'b' }]);
  });
});

describe('StreamDemux: consumers that come back', () => {
  const timedOut = new TimeoutError('Stream consumer iteration timed out');

  it('a consumer that timed out hears what is written once it waits again', async () => {
    const consumer = demux.createConsumer('name', 10);
    for (const value of [1, 2]) {
      const lost = consumer.next();
      vi.advanceTimersByTime(10);
      await expect(lost).rejects.toEqual(timedOut);
      expect(demux.hasStream('name')).toBe(false);
      const next = consumer.next();
      demux.write('name', value);
      expect(await next).toEqual({ value, done: false });
      expect(demux.getConsumerStatsList('name')).toEqual([
        { id: 1, backpressure: 0, timeout: 10, stream: 'name' },
      ]);
    }
  });

  it('a consumer that comes back joins the newer stream of its name', async () => {
    const consumer = demux.createConsumer('name');
    demux.close('name');
    await consumer.next();
    const newer = demux.createConsumer('name');
    const next = consumer.next();
    expect(consumer.stream).toBe(newer.stream);
    expect(demux.getConsumerCount('name')).toBe(2);
    demux.write('name', 'for both');
    expect(await next).toEqual({ value: 'for both', done: false });
    expect(await newer.next()).toEqual({ value: 'for both', done: false });
    demux.kill('name');
    expect(demux.hasStream('name')).toBe(false);
  });

  it('a consumer brings along what it had not read when it joins a newer stream', async () => {
    const consumer = demux.createConsumer('name', 10);
    const other = demux.createConsumer('name');
    const lost = consumer.next();
    vi.advanceTimersByTime(10);
    await expect(lost).rejects.toEqual(timedOut);
    demux.write('name', 'old 1');
    demux.writeToConsumer(other.id, 'not yours');
    demux.write('name', 'old 2');
    await other.return();
    const newer = demux.createConsumer('name');
    demux.write('name', 'missed');
    expect(await consumer.next()).toEqual({ value: 'old 1', done: false });
    demux.write('name', 'new');
    expect(demux.getConsumerBackpressure(consumer.id)).toBe(3);
    expect(await consumer.next()).toEqual({ value: 'old 2', done: false });
    expect(await consumer.next()).toEqual({ value: 'new', done: false });
    expect(demux.getConsumerBackpressure(consumer.id)).toBe(0);
    expect(demux.getConsumerBackpressure(newer.id)).toBe(2);
  });

  it('a loop that is resumed after `close()` misses nothing, even if written in the same tick', async () => {
    const consumer = demux.createConsumer('name');
    const got: unknown[] = [];
    const run = async (): Promise<void> => {
      for (const round of ['first', 'second']) {
        for await (const value of consumer) got.push(value);
        got.push(round);
      }
    };
    const ended = run();
    demux.write('name', 1);
    demux.close('name');
    demux.write('name', 2);
    await turn();
    demux.write('name', 3);
    demux.close('name');
    await ended;
    expect(got).toEqual([1, 'first', 2, 3, 'second']);
  });

  it('a consumer that was killed while it worked comes back too', async () => {
    const consumer = demux.createConsumer('name');
    demux.write('name', 'dropped');
    demux.kill('name', 'killed');
    expect(await consumer.next()).toEqual({ value: 'killed', done: true });
    const next = consumer.next();
    demux.write('name', 'later');
    expect(await next).toEqual({ value: 'later', done: false });
  });
});

describe('StreamDemux: unstream()', () => {
  it('ends the consumers after their backlog, and forgets them at once', async () => {
    const loop = consume(demux.stream('name'), turn);
    demux.write('name', 1);
    demux.write('name', 2);
    demux.unstream('name');
    expect([demux.hasStream('name'), demux.getConsumerCountAll()]).toEqual([false, 0]);
    demux.write('name', 'not for them');
    await loop.ended;
    expect(loop.values).toEqual([1, 2]);
  });

  it('leaves alone whoever starts to consume the name afterwards', async () => {
    const old = consume(demux.stream('name'));
    demux.unstream('name');
    const young = consume(demux.stream('name'));
    await old.ended;
    demux.write('name', 'value');
    await turn();
    expect([old.values, young.values]).toEqual([[], ['value']]);
    expect(demux.getConsumerCount('name')).toBe(1);
  });
});
