import { DeliveryChecker, faultsOf } from '@socketcluster-ts/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SimulatedCarrier, type Step } from './simulated-carrier.js';

const PROPER = [
  'want',
  'subscribe',
  'interrupt',
  'gap',
  'leave',
  'publish',
  'publish',
  'publish',
  'acknowledge',
  'acknowledge',
  'refuse',
  'publishAndBreak',
  'deliver',
  'deliver',
  'deliver',
] as const;
const IMPROPER = ['lose', 'duplicate', 'swap', 'forge', 'misroute', 'contradict'] as const;

function history(names: readonly Step[0][]): fc.Arbitrary<Step[]> {
  const index = fc.nat({ max: 5 });
  return fc.array(fc.tuple(fc.constantFrom(...names), index, index), { minLength: 20, maxLength: 120 });
}

function carry(steps: readonly Step[]) {
  const checker = new DeliveryChecker();
  const carrier = new SimulatedCarrier(checker);
  for (const [name, who, where] of steps) carrier.steps[name](who, where);
  return { checker, carrier };
}

describe('of any history, a checker', () => {
  test('says that all is well when each message came once, in order, to all who were there', () => {
    fc.assert(
      fc.property(history(PROPER), (steps) => {
        const { checker, carrier } = carry(steps);
        carrier.finish();
        expect(checker.isFinished).toBe(true);
        expect(faultsOf(checker.verdict())).toEqual([]);
        expect(checker.verdict()).toMatchObject(carrier.expected());
      }),
      { numRuns: 300 },
    );
  });

  test('finds exactly what went wrong, also while messages are under way', () => {
    fc.assert(
      fc.property(history([...PROPER, ...IMPROPER]), fc.boolean(), (steps, finishes) => {
        const { checker, carrier } = carry(steps);
        if (finishes) carrier.finish();
        expect(checker.verdict()).toMatchObject(carrier.expected());
      }),
      { numRuns: 500 },
    );
  });

  test('says the same when it forgets what is over as when it keeps all', () => {
    let time = 0;
    fc.assert(
      fc.property(history(PROPER), (steps) => {
        const checker = new DeliveryChecker(() => time);
        const carrier = new SimulatedCarrier(checker);
        for (const [name, who, where] of steps) {
          time += 1;
          carrier.steps[name](who, where);
          if (carrier.isIdle && checker.isFinished) checker.settle(0);
        }
        carrier.finish();
        const before = checker.verdict();
        time += 1;
        checker.settle(0);
        expect(checker.verdict()).toEqual(before);
        expect(before).toMatchObject(carrier.expected());
      }),
      { numRuns: 300 },
    );
  });
});

/** One publisher and one subscriber of 'news', which has the first of two messages. */
function begun() {
  const checker = new DeliveryChecker();
  checker.subscribe('Ann', 'news');
  const first = checker.send('Bob', 'news');
  const second = checker.send('Bob', 'news');
  checker.acknowledge(first);
  checker.deliver('Ann', 'news', first);
  return { checker, first, second };
}

test('all are served by all once everybody has something of each who publishes to the channel', () => {
  let time = 0;
  const checker = new DeliveryChecker(() => time);
  checker.subscribe('Ann', 'news');
  const publish = (publisher: string): void => {
    const stamp = checker.send(publisher, 'news');
    checker.acknowledge(stamp);
    checker.deliver('Ann', 'news', stamp);
  };
  publish('Bob');
  publish('Eve');
  time = 10;
  publish('Bob');
  checker.acknowledge(checker.send('Eve', 'news'));
  expect(checker.isServedSince(10)).toBe(true);
  expect(checker.isServedByAllSince(10)).toBe(false);
  publish('Eve');
  expect(checker.isServedByAllSince(10)).toBe(true);
  checker.retire('Eve');
  time = 20;
  publish('Bob');
  expect(checker.isServedByAllSince(20)).toBe(true);
});

describe('a message that is acknowledged and does not arrive', () => {
  test('is lost when the subscription stands', () => {
    const { checker, second } = begun();
    checker.acknowledge(second);
    expect(checker.isFinished).toBe(false);
    expect(faultsOf(checker.verdict())).toEqual(['1 lost', "Ann never got message 2 of Bob in 'news'"]);
  });

  test('was cut off when the connection ended first', () => {
    const { checker, second } = begun();
    checker.acknowledge(second);
    checker.interrupt('Ann');
    expect(checker.isFinished).toBe(true);
    expect(checker.verdict()).toMatchObject({ lost: 0, cutOff: 1 });
  });

  test('is lost when the connection ended, but a later one had come before', () => {
    const { checker, second } = begun();
    checker.acknowledge(second);
    checker.deliver('Ann', 'news', checker.send('Bob', 'news'));
    checker.interrupt('Ann');
    expect(checker.verdict()).toMatchObject({ lost: 1, cutOff: 0 });
  });

  test('was missed when it was sent between two subscriptions', () => {
    const { checker, second } = begun();
    checker.interrupt('Ann');
    checker.acknowledge(second);
    const third = checker.send('Bob', 'news');
    checker.subscribe('Ann', 'news');
    checker.acknowledge(third);
    expect(checker.verdict()).toMatchObject({ lost: 0, cutOff: 1, missedAway: 1 });
  });

  test('is in a gap when the subscriber was told of one after the sending, and lost when before', () => {
    const { checker, second } = begun();
    checker.gap('Ann', 'sports');
    checker.gap('Zoe', 'news');
    checker.acknowledge(second);
    expect(checker.verdict()).toMatchObject({ lost: 1, missedInGap: 0 });
    checker.gap('Ann', 'news');
    expect(checker.isFinished).toBe(true);
    checker.acknowledge(checker.send('Bob', 'news'));
    expect(checker.verdict()).toMatchObject({ lost: 1, missedInGap: 1 });
  });

  test('is well when it was read a moment after the end of the connection was seen', () => {
    const { checker, second } = begun();
    checker.acknowledge(second);
    checker.interrupt('Ann');
    checker.deliver('Ann', 'news', second);
    expect(checker.verdict()).toMatchObject({ lost: 0, cutOff: 0, missedAway: 0 });
  });

  test('is no fault when the subscriber has given the channel up', () => {
    const { checker, second } = begun();
    checker.acknowledge(second);
    checker.unsubscribe('Ann', 'news');
    expect(checker.verdict()).toMatchObject({ lost: 0, cutOff: 0, missedAway: 0 });
  });
});

describe('a checker', () => {
  test('calls it late when something arrives that was judged', () => {
    const { checker, second } = begun();
    checker.acknowledge(second);
    checker.settle(-1);
    checker.deliver('Ann', 'news', second);
    expect(checker.verdict()).toMatchObject({ sent: 2, lost: 1, late: 1 });
  });

  test('takes a message that comes before its subscription was confirmed, but none that was not asked for', () => {
    const checker = new DeliveryChecker();
    checker.want('Ann', 'news');
    const stamp = checker.send('Bob', 'news');
    checker.deliver('Ann', 'news', stamp);
    checker.subscribe('Ann', 'news');
    checker.deliver('Eve', 'news', stamp);
    checker.acknowledge(stamp);
    expect(checker.verdict()).toMatchObject({ lost: 0, missedAway: 0, foreign: 1 });
  });

  test('keeps a publish that has not ended, however old', () => {
    const { checker, second } = begun();
    checker.settle(-1);
    checker.acknowledge(second);
    checker.deliver('Ann', 'news', second);
    expect(faultsOf(checker.verdict())).toEqual([]);
  });

  test('forgets who has left, once all of theirs was judged', () => {
    let time = 0;
    const checker = new DeliveryChecker(() => time);
    checker.subscribe('Ann', 'news');
    const stamp = checker.send('Bob', 'news');
    checker.deliver('Ann', 'news', stamp);
    checker.acknowledge(stamp);
    checker.retire('Bob');
    checker.unsubscribe('Ann', 'news');
    time = 10;
    checker.settle(5);
    expect(faultsOf(checker.verdict())).toEqual([]);
    checker.deliver('Ann', 'news', stamp);
    expect(checker.verdict().examples[0]).toContain('which nobody sent');
    checker.deliver('Ann', 'news', checker.send('Eve', 'news'));
    expect(checker.verdict().examples[1]).toContain('which it never wanted');
  });

  test('says that all are served again once everybody has something that was sent since', () => {
    let time = 0;
    const checker = new DeliveryChecker(() => time);
    checker.subscribe('Ann', 'news');
    checker.subscribe('Eve', 'news');
    const old = checker.send('Bob', 'news');
    time = 10;
    checker.acknowledge(old);
    for (const name of ['Ann', 'Eve']) checker.deliver(name, 'news', old);
    expect(checker.isServedSince(0)).toBe(true);
    expect(checker.isServedSince(10)).toBe(false);
    const fresh = checker.send('Bob', 'news');
    for (const name of ['Ann', 'Eve']) checker.deliver(name, 'news', fresh);
    expect(checker.isServedSince(10)).toBe(false);
    checker.acknowledge(fresh);
    expect(checker.isServedSince(10)).toBe(true);
    time = 20;
    const another = checker.send('Bob', 'news');
    checker.acknowledge(another);
    checker.deliver('Ann', 'news', another);
    expect(checker.isServedSince(20)).toBe(false);
    checker.unsubscribe('Eve', 'news');
    expect(checker.isServedSince(20)).toBe(true);
  });

  test('refuses to be told of an end that cannot be', () => {
    const { checker, first } = begun();
    expect(() => checker.acknowledge(first)).toThrow('ended twice');
    expect(() => checker.fail({ publisher: 'Bob', number: 9 }, 'unknown')).toThrow('no message 9');
  });

  test('tells those who wait, or says in time what it waited for', async () => {
    const { checker, second } = begun();
    const finished = checker.until(() => checker.isFinished, 'the end');
    checker.acknowledge(second);
    checker.deliver('Ann', 'news', second);
    await finished;
    checker.send('Bob', 'news');
    await expect(checker.until(() => checker.isFinished, 'the end', 5)).rejects.toThrow('the end');
  });
});
