import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Deadline, DeadlineQueue, type DeadlineQueueOptions } from '../src/index.js';

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** A queue and deadlines by name, which note in `fired` that they were called. */
function queueWithLog(options: DeadlineQueueOptions = {}) {
  const fired: string[] = [];
  const queue = new DeadlineQueue(options);
  const deadline = (name: string): Deadline<string> => new Deadline((owner) => fired.push(owner), name);
  return { queue, fired, deadline };
}

describe('a deadline', () => {
  test('is called once, with its owner, never early and at most 20 ms late', () => {
    const { queue, fired, deadline } = queueWithLog();
    queue.schedule(deadline('a'), 1000);
    vi.advanceTimersByTime(999);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(21);
    expect(fired).toEqual(['a']);
    vi.advanceTimersByTime(DAY_MS);
    expect(fired).toEqual(['a']);
    expect(queue.size).toBe(0);
  });

  test('moves when it is scheduled again, with the same delay or another', () => {
    const { queue, fired, deadline } = queueWithLog();
    const a = deadline('a');
    queue.schedule(a, 1000);
    vi.advanceTimersByTime(900);
    queue.schedule(a, 1000);
    vi.advanceTimersByTime(900);
    expect(fired).toEqual([]);
    queue.schedule(a, 50);
    expect(queue.size).toBe(1);
    vi.advanceTimersByTime(70);
    expect(fired).toEqual(['a']);
  });

  test('does not fire once it is cancelled', () => {
    const { queue, fired, deadline } = queueWithLog();
    const a = deadline('a');
    queue.schedule(a, 100);
    queue.schedule(deadline('b'), 100);
    expect(a.isScheduled).toBe(true);
    queue.cancel(a);
    queue.cancel(a);
    expect(a.isScheduled).toBe(false);
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual(['b']);
  });

  test('can schedule itself again, also with no delay', () => {
    const queue = new DeadlineQueue();
    let calls = 0;
    const again: Deadline<undefined> = new Deadline(() => {
      calls++;
      queue.schedule(again, 0);
    }, undefined);
    queue.schedule(again, 0);
    vi.advanceTimersByTime(100);
    expect(calls).toBeGreaterThan(3);
    expect(calls).toBeLessThan(101);
    queue.close();
  });

  test('that schedules itself with no delay waits for the next turn, also when the clock stands still', () => {
    const queue = new DeadlineQueue({ afterInput: (fn) => fn() });
    let calls = 0;
    const again: Deadline<undefined> = new Deadline(() => {
      if (++calls < 1000) queue.schedule(again, 0);
    }, undefined);
    queue.schedule(again, 0);
    vi.advanceTimersToNextTimer();
    expect(calls).toBe(1);
    queue.close();
  });

  test.each([[0], [-5], [Number.NaN]])('with a delay of %d is due at once', (delayMs) => {
    const { queue, fired, deadline } = queueWithLog();
    queue.schedule(deadline('a'), delayMs);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(21);
    expect(fired).toEqual(['a']);
  });

  test('may lie further ahead than a timer can count', () => {
    const { queue, fired, deadline } = queueWithLog();
    queue.schedule(deadline('a'), 60 * DAY_MS);
    queue.schedule(deadline('never'), Infinity);
    vi.advanceTimersByTime(60 * DAY_MS - 1);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(21);
    expect(fired).toEqual(['a']);
    expect(queue.size).toBe(1);
  });

  test('does not care for jumps of the wall clock', () => {
    const { queue, fired, deadline } = queueWithLog();
    queue.schedule(deadline('a'), 1000);
    vi.setSystemTime(Date.now() + DAY_MS);
    vi.advanceTimersByTime(900);
    vi.setSystemTime(Date.now() - 2 * DAY_MS);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(121);
    expect(fired).toEqual(['a']);
  });
});

describe('deadlines', () => {
  test('fire in the order of their due times, whatever their delays', () => {
    const { queue, fired, deadline } = queueWithLog();
    queue.schedule(deadline('300'), 300);
    queue.schedule(deadline('100'), 100);
    queue.schedule(deadline('200'), 200);
    vi.advanceTimersByTime(50);
    queue.schedule(deadline('150'), 100);
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual(['100', '150', '200', '300']);
  });

  test('near each other share one timer', () => {
    const { queue, deadline } = queueWithLog();
    for (let delayMs = 100; delayMs < 110; delayMs++) queue.schedule(deadline('a'), delayMs);
    expect(vi.getTimerCount()).toBe(1);
  });

  test('of which one is cancelled or moved by another do not fire', () => {
    const { queue, fired, deadline } = queueWithLog();
    const [cancelled, moved] = [deadline('cancelled'), deadline('moved')];
    queue.schedule(
      new Deadline(() => {
        queue.cancel(cancelled);
        queue.schedule(moved, 1000);
      }, undefined),
      100,
    );
    queue.schedule(cancelled, 101);
    queue.schedule(moved, 101);
    vi.advanceTimersByTime(500);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual(['moved']);
  });

  test('after one that throws still fire, and the error is reported', () => {
    const errors: unknown[] = [];
    const { queue, fired, deadline } = queueWithLog({ onError: (error) => errors.push(error) });
    const fail = (): never => {
      throw new Error('no');
    };
    queue.schedule(new Deadline(fail, undefined), 100);
    queue.schedule(deadline('b'), 100);
    vi.advanceTimersByTime(200);
    expect(errors).toEqual([new Error('no')]);
    expect(fired).toEqual(['b']);
  });

  test('are all forgotten when the queue is closed', () => {
    const { queue, fired, deadline } = queueWithLog();
    const a = deadline('a');
    queue.schedule(a, 100);
    queue.schedule(deadline('b'), 200);
    queue.close();
    expect(queue.size).toBe(0);
    expect(a.isScheduled).toBe(false);
    queue.schedule(a, 100);
    expect(queue.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual([]);
  });
});

describe('waiting input', () => {
  /** `afterInput` by hand: `round()` ends the present round. */
  function rounds() {
    const waiting: (() => void)[] = [];
    return {
      afterInput: (fn: () => void) => void waiting.push(fn),
      round(): void {
        for (const fn of waiting.splice(0)) fn();
      },
    };
  }

  test('is read before a deadline is judged, and can move it', () => {
    const { afterInput, round } = rounds();
    const { queue, fired, deadline } = queueWithLog({ afterInput });
    const [silent, alive] = [deadline('silent'), deadline('alive')];
    queue.schedule(silent, 1000);
    queue.schedule(alive, 1000);
    vi.advanceTimersByTime(1020);
    expect(fired).toEqual([]);
    queue.schedule(alive, 1000);
    expect(vi.getTimerCount()).toBe(0);
    round();
    expect(fired).toEqual(['silent']);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1020);
    round();
    expect(fired).toEqual(['silent', 'alive']);
  });

  test('gets two rounds when the process was stopped for more than a second', () => {
    const { afterInput, round } = rounds();
    let stoppedMs = 0;
    const { queue, fired, deadline } = queueWithLog({ afterInput, now: () => performance.now() + stoppedMs });
    queue.schedule(deadline('a'), 1000);
    stoppedMs = 10_000;
    vi.advanceTimersByTime(1000);
    round();
    expect(fired).toEqual([]);
    round();
    expect(fired).toEqual(['a']);
  });

  test('is read again for what becomes due while it is read', () => {
    const { afterInput, round } = rounds();
    const { queue, fired, deadline } = queueWithLog({ afterInput });
    queue.schedule(deadline('a'), 100);
    queue.schedule(deadline('b'), 150);
    vi.advanceTimersByTime(100);
    vi.advanceTimersByTime(100);
    round();
    expect(fired).toEqual(['a']);
    vi.advanceTimersByTime(20);
    expect(fired).toEqual(['a']);
    round();
    expect(fired).toEqual(['a', 'b']);
  });

  test('is not waited for when everything due was moved before', () => {
    const afterInput = vi.fn();
    const { queue, deadline } = queueWithLog({ afterInput });
    const a = deadline('a');
    queue.schedule(a, 1000);
    vi.advanceTimersByTime(900);
    queue.schedule(a, 1000);
    vi.advanceTimersByTime(900);
    expect(afterInput).not.toHaveBeenCalled();
  });

  test('may be waited for when the queue is closed: nothing fires', () => {
    const { afterInput, round } = rounds();
    const { queue, fired, deadline } = queueWithLog({ afterInput });
    queue.schedule(deadline('a'), 100);
    vi.advanceTimersByTime(120);
    queue.close();
    round();
    expect(fired).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the process', () => {
  /** Whether the timers that are set would keep a process from exiting. */
  function isHeld(): boolean {
    return timers.some((timer) => timer.hasRef());
  }
  const timers: NodeJS.Timeout[] = [];

  beforeEach(() => {
    vi.useRealTimers();
    const set = globalThis.setTimeout;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((fn: () => void, ms: number) => {
      const timer = set(fn, ms);
      timers.push(timer);
      return timer;
    }) as typeof setTimeout);
  });

  afterEach(() => {
    vi.restoreAllMocks();
    for (const timer of timers.splice(0)) clearTimeout(timer);
  });

  test('is held by scheduled deadlines and free without them', () => {
    const { queue, deadline } = queueWithLog();
    const [a, b] = [deadline('a'), deadline('b')];
    queue.schedule(a, DAY_MS);
    expect(isHeld()).toBe(true);
    queue.cancel(a);
    expect(isHeld()).toBe(false);
    queue.schedule(b, 2 * DAY_MS);
    expect(isHeld()).toBe(true);
    queue.close();
  });

  test('is never held with `unref`', () => {
    const { queue, deadline } = queueWithLog({ unref: true });
    const a = deadline('a');
    queue.schedule(a, DAY_MS);
    queue.cancel(a);
    queue.schedule(a, 2 * DAY_MS);
    expect(isHeld()).toBe(false);
    queue.close();
  });
});

test('the queue agrees with a naive list of deadlines, whatever is done to it', () => {
  const index = fc.nat(9);
  const delay = fc.oneof(
    fc.constantFrom(0, 100, 1000),
    fc.nat(3000),
    fc.double({ min: 0, max: 500, noNaN: true }),
  );
  const command = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('schedule' as const), index, amount: delay }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('cancel' as const), index, amount: fc.constant(0) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('advance' as const), index, amount: fc.nat(1500) }),
    },
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 100 }), fc.boolean(), (commands, repeats) => {
      const queue = new DeadlineQueue({ afterInput: (fn) => fn() });
      const dueAt = new Map<number, number>();
      let lastDue = 0;
      const schedule = (id: number, delayMs: number): void => {
        const deadline = deadlines[id];
        if (deadline === undefined) return;
        queue.schedule(deadline, delayMs);
        dueAt.set(id, performance.now() + delayMs);
      };
      const onDue = (id: number): void => {
        const due = dueAt.get(id) ?? Number.NaN;
        expect(due).toBeLessThanOrEqual(performance.now());
        // Delays are counted in whole milliseconds.
        expect(Math.ceil(due) + 1).toBeGreaterThanOrEqual(lastDue);
        lastDue = Math.max(lastDue, Math.floor(due));
        dueAt.delete(id);
        if (repeats && id === 0) schedule(id, 300);
      };
      const deadlines = Array.from({ length: 10 }, (_, id) => new Deadline(onDue, id));
      for (const { kind, index: id, amount } of commands) {
        if (kind === 'schedule') {
          schedule(id, amount);
        } else if (kind === 'cancel') {
          const deadline = deadlines[id];
          if (deadline !== undefined) queue.cancel(deadline);
          dueAt.delete(id);
        } else {
          vi.advanceTimersByTime(amount);
          for (const due of dueAt.values()) expect(due).toBeGreaterThan(performance.now() - 20);
        }
        expect(queue.size).toBe(dueAt.size);
      }
      queue.close();
    }),
  );
});
