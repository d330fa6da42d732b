import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CallTable, DeadlineQueue, type PendingCall, type ResponsePacket } from '../src/index.js';

let deadlines: DeadlineQueue;
let calls: CallTable;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  deadlines = new DeadlineQueue({ afterInput: (fn) => fn() });
  calls = new CallTable(deadlines);
});

afterEach(() => {
  vi.useRealTimers();
});

const response = (rid: number, rest: { data?: unknown; error?: unknown } = {}): ResponsePacket => ({
  kind: 'response',
  rid,
  data: undefined,
  error: undefined,
  ...rest,
});

describe('CallTable', () => {
  test('numbers calls from 1', () => {
    expect([calls.open('a').cid, calls.open('b').cid, calls.open('a').cid]).toEqual([1, 2, 3]);
    expect(calls.size).toBe(3);
  });

  test('settles the call that is answered, in any order', async () => {
    const [one, two] = [calls.open('a'), calls.open('b')];
    expect(calls.settle(response(2, { data: 'two' }))).toBe(true);
    expect(calls.settle(response(1, { data: null }))).toBe(true);
    await expect(one.promise).resolves.toBeNull();
    await expect(two.promise).resolves.toBe('two');
    expect(calls.size).toBe(0);
  });

  test.each([[99], [0], [-1], [1.5], [Number.NaN]])('ignores an answer to the unknown call %d', (rid) => {
    calls.open('a');
    expect(calls.settle(response(rid))).toBe(false);
    expect(calls.size).toBe(1);
  });

  test('ignores a second answer', async () => {
    const call = calls.open('a');
    calls.settle(response(1, { data: 'first' }));
    expect(calls.settle(response(1, { error: 'second' }))).toBe(false);
    await expect(call.promise).resolves.toBe('first');
  });

  test('rejects with the hydrated error', async () => {
    const call = calls.open('a');
    calls.settle(response(1, { error: { message: 'no', name: 'Mine', code: 3 } }));
    await expect(call.promise).rejects.toMatchObject({ message: 'no', name: 'Mine', code: 3 });
    await expect(call.promise).rejects.toBeInstanceOf(Error);
  });

  test('rejects with an error that is no object as it is', async () => {
    const call = calls.open('a');
    calls.settle(response(1, { error: 'no' }));
    await expect(call.promise).rejects.toBe('no');
  });

  test.each([[null], [undefined], [''], [0], [false]])('takes the error %j for success', async (error) => {
    const call = calls.open('a');
    calls.settle(response(1, { error }));
    await expect(call.promise).resolves.toBeUndefined();
  });

  test('fails a call that is not answered in time', async () => {
    const call = calls.open('slow');
    calls.startTimer(call, 1000);
    const failure = expect(call.promise).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'Event response for slow event timed out',
    });
    vi.advanceTimersByTime(1020);
    await failure;
    expect(calls.size).toBe(0);
    expect(calls.settle(response(1))).toBe(false);
  });

  test('lets no time run before the timer is started, nor after the call is settled', () => {
    const call = calls.open('a');
    expect(deadlines.size).toBe(0);
    calls.startTimer(call, 1000);
    expect(deadlines.size).toBe(1);
    calls.settle(response(1));
    expect(deadlines.size).toBe(0);
    calls.startTimer(call, 1000);
    expect(deadlines.size).toBe(0);
  });

  test('gives up one call, by itself or by its number', async () => {
    const [one, two] = [calls.open('a'), calls.open('b')];
    calls.startTimer(one, 1000);
    calls.reject(one, new Error('one'));
    calls.rejectCid(2, new Error('two'));
    await expect(one.promise).rejects.toThrow('one');
    await expect(two.promise).rejects.toThrow('two');
    expect(calls.size + deadlines.size).toBe(0);
    calls.reject(one, new Error('again'));
    calls.rejectCid(2, new Error('again'));
    await expect(one.promise).rejects.toThrow('one');
  });

  test('does not mistake the call of another table for its own', () => {
    const other = new CallTable(deadlines).open('b');
    const own = calls.open('a');
    expect(other.cid).toBe(own.cid);
    calls.startTimer(other, 10);
    calls.reject(other, new Error('no'));
    expect(calls.size).toBe(1);
    expect(deadlines.size).toBe(0);
  });

  test('gives up all calls, each with an error for its event', async () => {
    const open = [calls.open('a'), calls.open('b')];
    for (const call of open) calls.startTimer(call, 1000);
    calls.abortAll((event) => {
      calls.open('opened meanwhile');
      return new Error(`${event} was aborted`);
    });
    const outcomes = await Promise.allSettled(open.map((call) => call.promise));
    expect(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason)).toEqual([
      new Error('a was aborted'),
      new Error('b was aborted'),
    ]);
    expect(calls.size).toBe(2);
    expect(deadlines.size).toBe(0);
  });

  test('settles every call exactly once, whatever is done to it', async () => {
    const cid = fc.integer({ min: 0, max: 12 });
    const command = fc.oneof(
      fc.record({ kind: fc.constant('open' as const), cid }),
      fc.record({ kind: fc.constant('time' as const), cid }),
      fc.record({ kind: fc.constant('answer' as const), cid }),
      fc.record({ kind: fc.constant('fail' as const), cid }),
      fc.record({ kind: fc.constant('advance' as const), cid }),
      fc.record({ kind: fc.constant('abort' as const), cid: fc.constant(0) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (commands) => {
        const table = new CallTable(deadlines);
        const opened: PendingCall[] = [];
        const expected: (string | undefined)[] = [];
        const dueAt = new Map<number, number>();
        const settle = (index: number, how: string): void => {
          expected[index] ??= how;
          dueAt.delete(index);
        };
        for (const { kind, cid: number } of commands) {
          const index = number - 1;
          const call = opened[index];
          const isOpen = call !== undefined && expected[index] === undefined;
          if (kind === 'open') {
            const next = table.open('e');
            next.promise.catch(() => {});
            expect(next.cid).toBe(opened.push(next));
          } else if (kind === 'time' && call !== undefined) {
            table.startTimer(call, 100);
            if (isOpen) dueAt.set(index, performance.now() + 100);
          } else if (kind === 'answer' || kind === 'fail') {
            const error = kind === 'fail' ? { message: 'failed' } : undefined;
            expect(table.settle(response(number, { data: 'answered', error }))).toBe(isOpen);
            if (isOpen) settle(index, kind === 'fail' ? 'failed' : 'answered');
          } else if (kind === 'advance') {
            vi.advanceTimersByTime(200);
            for (const timed of dueAt.keys()) settle(timed, 'Event response for e event timed out');
          } else if (kind === 'abort') {
            table.abortAll(() => new Error('aborted'));
            for (const position of opened.keys()) settle(position, 'aborted');
          }
          expect(table.size).toBe(opened.filter((_, position) => expected[position] === undefined).length);
        }
        table.abortAll(() => new Error('aborted'));
        const outcomes = await Promise.all(
          opened.map((call) => call.promise.catch((error: unknown) => (error as Error).message)),
        );
        expect(outcomes).toEqual(opened.map((_, position) => expected[position] ?? 'aborted'));
        expect(deadlines.size).toBe(0);
      }),
    );
  });
});
