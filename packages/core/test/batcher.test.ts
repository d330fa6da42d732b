import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Batcher } from '../src/index.js';

let sent: number[][];
let batcher: Batcher<number>;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  batcher = new Batcher((packets) => sent.push(packets));
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a batch by hand', () => {
  test('is sent as one, in order', () => {
    batcher.startBatch();
    expect(batcher.isBuffering).toBe(true);
    expect(batcher.push(1)).toBe(true);
    batcher.push(2);
    expect(batcher.size).toBe(2);
    expect(sent).toEqual([]);
    batcher.flushBatch();
    expect(batcher.isBuffering).toBe(false);
    expect(sent).toEqual([[1, 2]]);
  });

  test('takes nothing while none is started', () => {
    expect(batcher.push(1)).toBe(false);
    batcher.flushBatch();
    expect(sent).toEqual([]);
  });

  test('that is empty is not sent', () => {
    batcher.startBatch();
    batcher.flushBatch();
    expect(sent).toEqual([]);
  });

  test('that is started again keeps what it holds', () => {
    batcher.startBatch();
    batcher.push(1);
    batcher.startBatch();
    batcher.push(2);
    batcher.flushBatch();
    expect(sent).toEqual([[1, 2]]);
  });

  test('that is cancelled is dropped', () => {
    batcher.startBatch();
    batcher.push(1);
    batcher.cancelBatch();
    expect(batcher.isBuffering).toBe(false);
    batcher.startBatch();
    batcher.flushBatch();
    expect(sent).toEqual([]);
  });

  test('takes packets that are pushed while it is sent into the next one', () => {
    const reentrant: Batcher<number> = new Batcher((packets) => {
      sent.push(packets);
      reentrant.startBatch();
      reentrant.push(2);
    });
    reentrant.startBatch();
    reentrant.push(1);
    reentrant.flushBatch();
    reentrant.flushBatch();
    expect(sent).toEqual([[1], [2]]);
  });
});

describe('batching', () => {
  test('sends what was pushed once per interval', () => {
    batcher.startBatching(50);
    expect(batcher.isBatching).toBe(true);
    batcher.push(1);
    vi.advanceTimersByTime(49);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    batcher.push(2);
    batcher.push(3);
    vi.advanceTimersByTime(50);
    vi.advanceTimersByTime(50);
    expect(sent).toEqual([[1], [2, 3]]);
    expect(batcher.isBuffering).toBe(true);
  });

  test('that is stopped sends what is left', () => {
    batcher.startBatching(50);
    batcher.push(1);
    batcher.stopBatching();
    expect(sent).toEqual([[1]]);
    expect(batcher.isBatching || batcher.isBuffering).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that is cancelled drops what is left', () => {
    batcher.startBatching(50);
    batcher.push(1);
    batcher.cancelBatching();
    expect(sent).toEqual([]);
    expect(batcher.isBatching || batcher.isBuffering).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that is started twice has one interval, the later one', () => {
    batcher.startBatching(50);
    batcher.startBatching(200);
    batcher.push(1);
    vi.advanceTimersByTime(199);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual([[1]]);
    expect(vi.getTimerCount()).toBe(1);
  });

  test('goes on with the next interval after a batch was flushed by hand', () => {
    batcher.startBatching(50);
    batcher.push(1);
    batcher.flushBatch();
    expect(sent).toEqual([[1]]);
    expect(batcher.isBuffering).toBe(false);
    vi.advanceTimersByTime(50);
    expect(batcher.isBuffering).toBe(true);
  });

  test('leaves no timer after `dispose()`, and drops what is left', () => {
    batcher.startBatching(50);
    batcher.batchFor(100, 50);
    batcher.push(1);
    batcher.dispose();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([]);
  });
});

describe('`batchFor()`', () => {
  test('batches for its duration, by the interval, and then sends the rest', () => {
    batcher.batchFor(120, 50);
    expect(batcher.isBatching).toBe(false);
    expect(batcher.isBuffering).toBe(true);
    batcher.push(1);
    vi.advanceTimersByTime(50);
    batcher.push(2);
    vi.advanceTimersByTime(50);
    batcher.push(3);
    vi.advanceTimersByTime(20);
    expect(sent).toEqual([[1], [2], [3]]);
    expect(batcher.isBuffering).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('does not stop batching that was started meanwhile', () => {
    batcher.batchFor(100, 50);
    batcher.startBatching(50);
    vi.advanceTimersByTime(200);
    expect(batcher.isBuffering).toBe(true);
    batcher.push(1);
    vi.advanceTimersByTime(50);
    expect(sent).toEqual([[1]]);
  });

  test('does not disturb batching that was started before', () => {
    batcher.startBatching(70);
    batcher.push(1);
    batcher.batchFor(100, 10);
    vi.advanceTimersByTime(69);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual([[1]]);
  });

  test('is over when batching is stopped', () => {
    batcher.batchFor(100, 50);
    batcher.push(1);
    batcher.stopBatching();
    expect(sent).toEqual([[1]]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('every packet that was taken is sent once and in order, or dropped by a cancel', () => {
  const command = fc.oneof(
    { weight: 6, arbitrary: fc.constant('push' as const) },
    { weight: 3, arbitrary: fc.constant('advance' as const) },
    fc.constantFrom(
      'startBatch' as const,
      'flushBatch' as const,
      'cancelBatch' as const,
      'startBatching' as const,
      'stopBatching' as const,
      'cancelBatching' as const,
      'batchFor' as const,
      'dispose' as const,
    ),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
      const batches: number[][] = [];
      const any = new Batcher<number>((packets) => batches.push(packets));
      let expected: number[] = [];
      let packet = 0;
      for (const kind of commands) {
        if (kind === 'push') {
          packet++;
          if (any.push(packet)) expected.push(packet);
        } else if (kind === 'advance') {
          vi.advanceTimersByTime(30);
        } else if (kind === 'startBatching') {
          any.startBatching(50);
        } else if (kind === 'batchFor') {
          any.batchFor(100, 50);
        } else {
          const drops = kind === 'cancelBatch' || kind === 'cancelBatching' || kind === 'dispose';
          if (drops) expected = batches.flat();
          any[kind]();
        }
        expect(batches.flat()).toEqual(expected.slice(0, expected.length - any.size));
      }
      any.stopBatching();
      expect(batches.flat()).toEqual(expected);
      expect(batches.every((batch) => batch.length > 0)).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
    }),
  );
});
