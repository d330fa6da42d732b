import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DueLists, DueNode } from '../src/due-lists.js';

test('a node moves to the end of its list when it is added again', () => {
  const lists = new DueLists();
  const [one, two] = [new DueNode(), new DueNode()];
  lists.add(one, 10, 10);
  lists.add(two, 10, 11);
  lists.add(one, 10, 12);
  expect(lists.takeDue(100)).toBe(two);
  expect(lists.takeDue(100)).toBe(one);
  expect(lists.takeDue(100)).toBeUndefined();
});

test('a node that was taken or removed keeps no hold on the others', () => {
  const lists = new DueLists();
  const nodes = [1, 2, 3].map(() => new DueNode());
  for (const node of nodes) lists.add(node, 5, 5);
  lists.takeDue(5);
  for (const node of nodes) lists.remove(node);
  for (const node of nodes) expect(node).toEqual(Object.assign(new DueNode(), { dueAt: 5 }));
});

test('delays that are used once leave nothing behind, however many there were', () => {
  const lists = new DueLists();
  const node = new DueNode();
  for (let delayMs = 0; delayMs < 1000; delayMs++) {
    lists.add(node, delayMs, delayMs);
    if (delayMs % 3 === 0) lists.remove(node);
    if (delayMs % 3 === 1) lists.takeDue(delayMs);
  }
  expect(lists.listCount).toBeLessThan(20);
});

test('a delay that is in use again is not forgotten as one that is not', () => {
  const lists = new DueLists();
  const [kept, passing] = [new DueNode(), new DueNode()];
  lists.add(kept, 0, 0);
  lists.remove(kept);
  lists.add(kept, 0, 0);
  for (let delayMs = 1; delayMs < 100; delayMs++) {
    lists.add(passing, delayMs, delayMs);
    lists.remove(passing);
  }
  const { listCount } = lists;
  lists.add(passing, 0, 0);
  expect(lists.listCount).toBe(listCount);
});

test('the order holds when a delay in the middle is no longer in use', () => {
  const lists = new DueLists();
  const nodes = new Map([6, 3, 5, 4, 0, 2, 1].map((due) => [due, new DueNode()]));
  for (const [due, node] of nodes) lists.add(node, due, due);
  lists.remove(nodes.get(6) ?? new DueNode());
  const taken = Array.from({ length: 6 }, () => lists.takeDue(10)?.dueAt);
  expect(taken).toEqual([0, 1, 2, 3, 4, 5]);
});

test('removing a node that stands in no list changes nothing', () => {
  const lists = new DueLists();
  lists.add(new DueNode(), 1, 1);
  lists.remove(new DueNode());
  expect(lists.size).toBe(1);
});

test('a clock that goes back does not break the order of a list', () => {
  const lists = new DueLists();
  const [one, two] = [new DueNode(), new DueNode()];
  lists.add(one, 10, 100);
  lists.add(two, 10, 50);
  expect(lists.earliest()).toBe(100);
  expect(lists.takeDue(100)).toBe(one);
  expect(lists.takeDue(100)).toBe(two);
});

test('the lists give what a plain sorted set would give', () => {
  const index = fc.nat(59);
  const command = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.constant('add' as const), index, fc.nat(200)) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('remove' as const), index, fc.constant(0)) },
    { weight: 3, arbitrary: fc.tuple(fc.constant('advance' as const), fc.constant(0), fc.nat(30)) },
  );
  fc.assert(
    fc.property(
      fc.array(fc.nat(200), { maxLength: 60 }),
      fc.array(command, { maxLength: 200 }),
      (initial, commands) => {
        const lists = new DueLists();
        const nodes = Array.from({ length: 60 }, () => new DueNode());
        const due = new Map<DueNode, number>();
        const delays = new Map<DueNode, number>();
        let now = 0;
        const start = initial.map((delayMs, at) => ['add', at, delayMs] as const);
        for (const [kind, at, amount] of [...start, ...commands]) {
          const node = nodes[at] ?? new DueNode();
          if (kind === 'add') {
            lists.add(node, amount, now + amount);
            due.set(node, now + amount);
            delays.set(node, amount);
          } else if (kind === 'remove') {
            lists.remove(node);
            due.delete(node);
            delays.delete(node);
          } else {
            now += amount;
            for (let first = lists.takeDue(now); first !== undefined; first = lists.takeDue(now)) {
              expect(due.get(first)).toBe(Math.min(...due.values()));
              expect(first.dueAt).toBeLessThanOrEqual(now);
              due.delete(first);
              delays.delete(first);
            }
          }
          expect(lists.size).toBe(due.size);
          expect(lists.listCount).toBeGreaterThanOrEqual(new Set(delays.values()).size);
          expect(lists.listCount).toBeLessThan(new Set(delays.values()).size + 20);
          expect(lists.earliest()).toBe(Math.min(Infinity, ...due.values()));
        }
      },
    ),
  );
});
