import { AsyncStreamEmitter, DemuxedConsumableStream } from '@socketcluster-ts/streams';
import { beforeEach, describe, expect, it } from 'vitest';
import { consume } from './consume.js';
import { turn } from './turn.js';

let emitter: AsyncStreamEmitter<{ a: number; b: string }>;

beforeEach(() => {
  emitter = new AsyncStreamEmitter();
});

describe('AsyncStreamEmitter: events', () => {
  it('gives an event to every loop over it', async () => {
    const [first, second, other] = [
      consume(emitter.listener('a')),
      consume(emitter.listener('a')),
      consume(emitter.listener('b')),
    ];
    emitter.emit('a', 1);
    emitter.emit('a', 2);
    await turn();
    expect([first.values, second.values, other.values]).toEqual([[1, 2], [1, 2], []]);
  });

  it('is quiet about an event that nobody consumes, and about an error event', () => {
    emitter.emit('a', 1);
    emitter.emit('error', new Error('nobody cares'));
    expect(emitter.hasListener('error')).toBe(false);
  });

  it.each(['constructor', '__proto__', 'toString', ''])('carries an event called %j', async (event) => {
    emitter.emit(event, 'dropped');
    const once = emitter.listener(event).once();
    emitter.emit(event, 'value');
    expect(await once).toBe('value');
  });

  it('`listener()` gives a stream that hears nothing by itself', async () => {
    const stream = emitter.listener('a');
    expect(stream).toBeInstanceOf(DemuxedConsumableStream);
    emitter.emit('a', 1);
    const loop = consume(stream);
    emitter.emit('a', 2);
    await turn();
    expect(loop.values).toEqual([2]);
  });

  it('`createConsumer()` of a listener hears at once', async () => {
    const consumer = emitter.listener('a').createConsumer();
    emitter.emit('a', 1);
    const loop = consume(consumer);
    await turn();
    expect(loop.values).toEqual([1]);
  });

  it('`once()` of a listener hears what is emitted after the call', async () => {
    const once = emitter.listener('a').once();
    emitter.emit('a', 1);
    expect(await once).toBe(1);
  });

  it('`hasListener()` is true while somebody consumes the event', async () => {
    expect(emitter.hasListener('a')).toBe(false);
    const stream = emitter.listener('a');
    expect(emitter.hasListener('a')).toBe(false);
    const once = stream.once();
    expect([emitter.hasListener('a'), emitter.hasListener('b')]).toEqual([true, false]);
    emitter.emit('a', 1);
    await once;
    expect(emitter.hasListener('a')).toBe(false);
  });
});

describe('AsyncStreamEmitter: ending listeners', () => {
  it('`closeListener()` lets the loops over one event finish', async () => {
    const [a, b] = [consume(emitter.listener('a'), turn), consume(emitter.listener('b'))];
    for (const value of [1, 2, 3]) emitter.emit('a', value);
    emitter.closeListener('a');
    await a.ended;
    emitter.emit('b', 'still here');
    await turn();
    expect([a.values, b.values]).toEqual([[1, 2, 3], ['still here']]);
  });

  it('`closeAllListeners()` lets all loops finish', async () => {
    const loops = [consume(emitter.listener('a')), consume(emitter.listener('b'))];
    emitter.emit('a', 1);
    emitter.emit('b', '2');
    emitter.closeAllListeners();
    await Promise.all(loops.map((loop) => loop.ended));
    expect(loops.map((loop) => loop.values)).toEqual([[1], ['2']]);
  });

  it('`killListener()` ends the loops over one event without their backlog', async () => {
    const [a, b] = [consume(emitter.listener('a')), consume(emitter.listener('b'))];
    emitter.emit('a', 1);
    emitter.emit('b', '2');
    emitter.killListener('a');
    expect([emitter.getListenerBackpressure('a'), emitter.getListenerBackpressure('b')]).toEqual([0, 1]);
    await a.ended;
    await turn();
    expect([a.values, b.values]).toEqual([[], ['2']]);
  });

  it('`killAllListeners()` ends all loops without their backlog', async () => {
    const loops = [consume(emitter.listener('a')), consume(emitter.listener('b'))];
    emitter.emit('a', 1);
    emitter.emit('b', '2');
    emitter.killAllListeners();
    expect(emitter.getAllListenersBackpressure()).toBe(0);
    await Promise.all(loops.map((loop) => loop.ended));
    expect(loops.map((loop) => loop.values)).toEqual([[], []]);
  });

  it('`killListenerConsumer()` ends one loop and ignores unknown ids', async () => {
    const [first, second] = [consume(emitter.listener('a')), consume(emitter.listener('a'))];
    emitter.killListenerConsumer(1);
    emitter.killListenerConsumer(99);
    emitter.emit('a', 1);
    await first.ended;
    await turn();
    expect([first.values, second.values]).toEqual([[], [1]]);
  });

  it('`removeListener()` ends the loops over one event after their backlog and strands none', async () => {
    const loop = consume(emitter.listener('a'), turn);
    emitter.emit('a', 1);
    emitter.emit('a', 2);
    emitter.removeListener('a');
    expect([emitter.hasListener('a'), emitter.getListenerConsumerCount('a')]).toEqual([false, 0]);
    emitter.emit('a', 3);
    await loop.ended;
    expect(loop.values).toEqual([1, 2]);
  });
});

describe('AsyncStreamEmitter: what it tells about its listeners', () => {
  it('says nothing is there before anybody listened', () => {
    emitter.closeListener('a');
    emitter.closeAllListeners();
    emitter.killListener('a');
    emitter.killAllListeners();
    emitter.killListenerConsumer(1);
    emitter.removeListener('a');
    expect(emitter.getListenerConsumerStats(1)).toBeUndefined();
    expect(emitter.getListenerConsumerStatsList('a')).toEqual([]);
    expect(emitter.getAllListenersConsumerStatsList()).toEqual([]);
    expect([emitter.getListenerConsumerCount('a'), emitter.getAllListenersConsumerCount()]).toEqual([0, 0]);
    expect([emitter.getListenerBackpressure('a'), emitter.getAllListenersBackpressure()]).toEqual([0, 0]);
    expect(emitter.getListenerConsumerBackpressure(1)).toBe(0);
    expect([emitter.hasListenerConsumer('a', 1), emitter.hasAnyListenerConsumer(1)]).toEqual([false, false]);
  });

  it('tells ids, backpressure, timeouts and events', () => {
    const consumers = [emitter.listener('a').createConsumer(), emitter.listener('b').createConsumer(50)];
    emitter.emit('a', 1);
    emitter.emit('b', '1');
    emitter.emit('b', '2');
    const stats = [
      { id: 1, backpressure: 1, stream: 'a' },
      { id: 2, backpressure: 2, timeout: 50, stream: 'b' },
    ];
    expect(emitter.getListenerConsumerStats(2)).toEqual(stats[1]);
    expect(emitter.getListenerConsumerStatsList('a')).toEqual(stats.slice(0, 1));
    expect(emitter.getAllListenersConsumerStatsList()).toEqual(stats);
    expect([emitter.getListenerConsumerCount('b'), emitter.getAllListenersConsumerCount()]).toEqual([1, 2]);
    expect([emitter.getListenerBackpressure('a'), emitter.getAllListenersBackpressure()]).toEqual([1, 2]);
    expect(emitter.getListenerConsumerBackpressure(2)).toBe(2);
    expect([emitter.hasListenerConsumer('a', 1), emitter.hasListenerConsumer('b', 1)]).toEqual([true, false]);
    expect([emitter.hasAnyListenerConsumer(2), emitter.hasAnyListenerConsumer(3)]).toEqual([true, false]);
    expect(consumers.map((consumer) => consumer.id)).toEqual([1, 2]);
  });
});
