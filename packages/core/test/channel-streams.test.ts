import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChannelStreams } from '../src/index.js';

describe('ChannelStreams', () => {
  test('hands messages and events to those who consume them', async () => {
    const streams = new ChannelStreams();
    const message = streams.output('a').once();
    const event = streams.listeners.scope('a').stream('subscribe').once();
    streams.write('b', 'other');
    streams.write('a', 'hello');
    streams.writeEvent('a', 'unsubscribe', 'other');
    streams.writeEvent('b', 'subscribe', 'other');
    streams.writeEvent('a', 'subscribe', { x: 1 });
    expect(await message).toBe('hello');
    expect(await event).toEqual({ x: 1 });
  });

  test('numbers the listeners of all channels and events in one sequence, the outputs in another', () => {
    const { outputs, listeners } = new ChannelStreams();
    const consumers = [
      listeners.scope('a').stream('subscribe').createConsumer(),
      listeners.scope('b').stream('unsubscribe').createConsumer(),
      listeners.scope('a').stream('subscribe').createConsumer(),
      outputs.createConsumer('b'),
      outputs.createConsumer('a'),
    ];
    expect(consumers.map((consumer) => consumer.id)).toEqual([1, 2, 3, 1, 2]);
  });

  test('calls a listener stream `<channel>/<event>`', () => {
    const { listeners } = new ChannelStreams();
    const consumer = listeners.scope('foo').stream('subscribe').createConsumer(500);
    const stats = { id: 1, backpressure: 0, timeout: 500, stream: 'foo/subscribe' };
    expect(listeners.scope('foo').stream('subscribe').name).toBe('foo/subscribe');
    expect(listeners.getConsumerStats(consumer.id)).toEqual(stats);
    expect(listeners.scope('foo').getConsumerStatsList('subscribe')).toEqual([stats]);
    expect(listeners.scope('foo').getConsumerStatsListAll()).toEqual([stats]);
    expect(listeners.getConsumerStatsListAll()).toEqual([stats]);
  });

  test('operations on channel `a` never touch channel `a/b`', () => {
    const { listeners } = new ChannelStreams();
    const a = listeners.scope('a').stream('b/c').createConsumer();
    const ab = listeners.scope('a/b').stream('c').createConsumer();
    listeners.scope('a').write('b/c', 1);
    expect([a.getBackpressure(), ab.getBackpressure()]).toEqual([1, 0]);
    expect(listeners.scope('a/b').getBackpressureAll()).toBe(0);
    expect(listeners.scope('a').hasConsumerAll(ab.id)).toBe(false);
    expect(
      listeners
        .scope('a')
        .getConsumerStatsListAll()
        .map(({ id }) => id),
    ).toEqual([a.id]);
    listeners.scope('a').killAll();
    expect([a.isAlive, ab.isAlive]).toEqual([false, true]);
  });

  test('a listener that timed out goes on where it was when it is iterated again', async () => {
    const streams = new ChannelStreams();
    const consumer = streams.listeners.scope('a').stream('subscribe').createConsumer(1);
    await expect(consumer.next()).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(streams.listeners.hasConsumerAll(consumer.id)).toBe(false);
    const next = consumer.next();
    streams.writeEvent('a', 'subscribe', 'late');
    expect(await next).toEqual({ value: 'late', done: false });
  });

  test('closing or killing a channel ends its messages and its events', async () => {
    const streams = new ChannelStreams();
    for (const [end, done] of [
      ['close', false],
      ['kill', true],
    ] as const) {
      const output = streams.outputs.createConsumer('a');
      const listener = streams.listeners.scope('a').stream('subscribe').createConsumer();
      const other = streams.outputs.createConsumer('b');
      streams.write('a', 1);
      streams.writeEvent('a', 'subscribe', 2);
      streams[end]('a');
      expect((await output.next()).done).toBe(done);
      expect((await listener.next()).done).toBe(done);
      expect(other.isAlive).toBe(true);
    }
  });

  test('agree with a plain list of consumers, whatever is done to them', () => {
    const channel = fc.constantFrom('a', 'a/b', 'a/b/c', '', '__proto__');
    const event = fc.constantFrom('subscribe', 'b/subscribe', 'toString', '');
    const command = fc.record({
      kind: fc.constantFrom(
        'listen',
        'listen',
        'write',
        'write',
        'write',
        'kill',
        'killChannel',
        'killConsumer',
        'killAll',
      ),
      channel,
      event,
      id: fc.integer({ min: 1, max: 15 }),
    });
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 60 }),
        channel,
        event,
        (commands, someChannel, someEvent) => {
          const { listeners } = new ChannelStreams();
          const kept: object[] = [];
          let model: { id: number; channel: string; event: string; backpressure: number }[] = [];
          let lastId = 0;
          for (const { kind, channel: name, event: eventName, id } of commands) {
            const isHere = (each: { channel: string; event: string }): boolean =>
              each.channel === name && each.event === eventName;
            if (kind === 'listen') {
              kept.push(listeners.scope(name).stream(eventName).createConsumer());
              model.push({ id: ++lastId, channel: name, event: eventName, backpressure: 0 });
            } else if (kind === 'write') {
              listeners.scope(name).write(eventName, kind);
              for (const each of model) if (isHere(each)) each.backpressure++;
            } else if (kind === 'kill') {
              listeners.scope(name).kill(eventName);
              model = model.filter((each) => !isHere(each));
            } else if (kind === 'killChannel') {
              listeners.scope(name).killAll();
              model = model.filter((each) => each.channel !== name);
            } else if (kind === 'killConsumer') {
              listeners.killConsumer(id);
              model = model.filter((each) => each.id !== id);
            } else {
              listeners.killAll();
              model = [];
            }
          }
          const statsOf = (list: typeof model): object[] =>
            list.map((each) => ({
              id: each.id,
              backpressure: each.backpressure,
              stream: `${each.channel}/${each.event}`,
            }));
          const max = (list: typeof model): number => Math.max(0, ...list.map((each) => each.backpressure));
          const ofChannel = model.filter((each) => each.channel === someChannel);
          const ofEvent = ofChannel.filter((each) => each.event === someEvent);
          const here = listeners.scope(someChannel);
          const byId = (demux: typeof here): object[] =>
            demux.getConsumerStatsListAll().toSorted((one, other) => one.id - other.id);
          expect(byId(listeners)).toEqual(statsOf(model));
          expect(byId(here)).toEqual(statsOf(ofChannel));
          expect(here.getConsumerStatsList(someEvent)).toEqual(statsOf(ofEvent));
          expect(listeners.getBackpressureAll()).toBe(max(model));
          expect(here.getBackpressureAll()).toBe(max(ofChannel));
          expect(here.getBackpressure(someEvent)).toBe(max(ofEvent));
          for (let id = 1; id <= lastId; id++) {
            const isIn = (list: typeof model): boolean => list.some((each) => each.id === id);
            expect(listeners.hasConsumerAll(id)).toBe(isIn(model));
            expect(here.hasConsumerAll(id)).toBe(isIn(ofChannel));
            expect(here.hasConsumer(someEvent, id)).toBe(isIn(ofEvent));
            expect(listeners.getConsumerStats(id)).toEqual(
              statsOf(model.filter((each) => each.id === id))[0],
            );
          }
          expect(kept).toHaveLength(lastId);
        },
      ),
    );
  });
});
