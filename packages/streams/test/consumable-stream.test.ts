import { ConsumableStream, TimeoutError, WritableConsumableStream } from '@socketcluster-ts/streams';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { turn } from './turn.js';

class BareStream extends ConsumableStream<string> {}

/** Has no `next()` of its own, so that the one of the base class is tested. */
class ForwardingStream extends ConsumableStream<string> {
  readonly target = new WritableConsumableStream<string>();
  override createConsumer(timeout?: number): ReturnType<WritableConsumableStream<string>['createConsumer']> {
    return this.target.createConsumer(timeout);
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('ConsumableStream', () => {
  it('refuses to make a consumer when the subclass does not say how', async () => {
    const stream = new BareStream();
    const refusal = new TypeError('Method must be overriden by subclass');
    expect(() => stream.createConsumer()).toThrow(refusal);
    expect(() => stream[Symbol.asyncIterator]()).toThrow(refusal);
    await expect(stream.next()).rejects.toThrow(refusal);
    await expect(stream.once()).rejects.toThrow(refusal);
  });

  it('makes a fresh consumer for each loop', () => {
    const stream = new ForwardingStream();
    expect(stream[Symbol.asyncIterator]()).not.toBe(stream[Symbol.asyncIterator]());
  });
});

const streams = [
  ['a stream that only defines createConsumer()', () => new ForwardingStream()],
  ['WritableConsumableStream', () => new WritableConsumableStream<string>()],
] as const;

describe.each(streams)('next() and once() of %s', (_name, make) => {
  function open(): { stream: ConsumableStream<string>; source: WritableConsumableStream<string> } {
    const stream = make();
    return { stream, source: stream instanceof ForwardingStream ? stream.target : stream };
  }

  it('`next()` gives what is written after the call, and leaves', async () => {
    const { stream, source } = open();
    source.write('before');
    const next = stream.next();
    expect(source.getConsumerCount()).toBe(1);
    source.write('after');
    source.write('too late');
    expect(await next).toEqual({ value: 'after', done: false });
    expect(source.getConsumerCount()).toBe(0);
  });

  it('`next()` tells the end of the stream with its value', async () => {
    const { stream, source } = open();
    const closed = stream.next();
    source.close('closed');
    expect(await closed).toEqual({ value: 'closed', done: true });
    const killed = stream.next();
    source.kill('killed');
    expect(await killed).toEqual({ value: 'killed', done: true });
    expect(source.getConsumerCount()).toBe(0);
  });

  it('`next(timeout)` rejects when nothing comes in time, and leaves', async () => {
    const { stream, source } = open();
    const next = stream.next(10);
    vi.advanceTimersByTime(10);
    await expect(next).rejects.toEqual(new TimeoutError('Stream consumer iteration timed out'));
    expect(source.getConsumerCount()).toBe(0);
  });

  it('`next(timeout)` leaves no timer behind when a value comes in time', async () => {
    const { stream, source } = open();
    const next = stream.next(10);
    expect(vi.getTimerCount()).toBe(1);
    source.write('value');
    await next;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('`once()` gives the first value written after the call', async () => {
    const { stream, source } = open();
    source.write('before');
    const once = stream.once();
    source.write('after');
    expect(await once).toBe('after');
    expect(source.getConsumerCount()).toBe(0);
  });

  it.each(['close', 'kill'] as const)('`once()` stays pending for ever after `%s()`', async (end) => {
    const { stream, source } = open();
    const settled = vi.fn();
    stream.once().then(settled, settled);
    source[end]();
    await turn();
    source.write('later');
    await turn();
    expect(settled).not.toHaveBeenCalled();
    expect(source.getConsumerCount()).toBe(0);
  });

  it.each(['close', 'kill'] as const)('`once(timeout)` rejects at once after `%s()`', async (end) => {
    const { stream, source } = open();
    const once = stream.once(1000);
    source[end]();
    await expect(once).rejects.toEqual(
      new TimeoutError('Stream consumer operation timed out early because stream ended'),
    );
    expect(vi.getTimerCount()).toBe(0);
  });

  it('`once(timeout)` rejects when nothing comes in time', async () => {
    const { stream } = open();
    const once = stream.once(10);
    vi.advanceTimersByTime(10);
    await expect(once).rejects.toEqual(new TimeoutError('Stream consumer iteration timed out'));
  });

  it('waits without a limit when the timeout is longer than a timer can count', async () => {
    const { stream, source } = open();
    const once = stream.once(Number.POSITIVE_INFINITY);
    const next = stream.next(2 ** 31);
    expect(vi.getTimerCount()).toBe(0);
    source.write('value');
    expect(await once).toBe('value');
    expect(await next).toEqual({ value: 'value', done: false });
  });
});
