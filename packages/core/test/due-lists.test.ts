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

test('an empty list is removed, whether its last node left, moved or was taken', () => {
  const lists = new DueLists();
  const node = new DueNode();
  lists.add(node, 1, 1);
  lists.add(node, 2, 2);
  expect(lists.listCount).toBe(1);
  lists.remove(node);
  expect(lists.listCount).toBe(0);
  lists.add(node, 3, 3);
  lists.takeDue(3);
  expect(lists.listCount).toBe(0);
  expect(node).toEqual(Object.assign(new DueNode(), { dueAt: 3 }));
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
  const index = fc.nat(19);
  const command = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.constant('add' as const), index, fc.nat(30)) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('remove' as const), index, fc.constant(0)) },
    { weight: 3, arbitrary: fc.tuple(fc.constant('advance' as const), fc.constant(0), fc.nat(40)) },
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
      const lists = new DueLists();
      const nodes = Array.from({ length: 20 }, () => new DueNode());
      const due = new Map<DueNode, number>();
      const delays = new Map<DueNode, number>();
      let now = 0;
      for (const [kind, at, amount] of commands) {
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
        expect(lists.listCount).toBe(new Set(delays.values()).size);
        expect(lists.earliest()).toBe(Math.min(Infinity, ...due.values()));
      }
    }),
  );
});
