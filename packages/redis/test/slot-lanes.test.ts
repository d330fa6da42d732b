import { deferred, until } from '@socketcluster-ts/testkit';
import { expect, test } from 'vitest';
import { SlotLanes } from '../src/slot-lanes.js';

/** A cluster whose slot moves once: the owner before has still to answer some messages. */
function startMove(): {
  readonly lanes: SlotLanes;
  readonly executed: number[];
  publish(n: number): Promise<void>;
  /** The owner before refuses what it was given. */
  refuse(): void;
  /** The next owner is found out for another reason. */
  move(): void;
} {
  const executed: number[] = [];
  const refused = deferred();
  let isMoved = false;
  const lanes = new SlotLanes(() => {
    isMoved = true;
    return Promise.resolve();
  });
  return {
    lanes,
    executed,
    publish: (n) =>
      lanes.run(7, async () => {
        if (isMoved) {
          executed.push(n);
          return;
        }
        await refused.promise;
        throw new Error('MOVED 7 127.0.0.1:7001');
      }),
    refuse: () => refused.resolve(),
    move: () => {
      isMoved = true;
    },
  };
}

test('what is published while a slot moves does not overtake what has to be sent again', async () => {
  const { executed, publish, refuse, move } = startMove();
  const early = [publish(0), publish(1), publish(2)];
  refuse();
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  move();
  const late = [publish(3), publish(4)];
  await Promise.all([...early, ...late]);
  expect(executed).toEqual([0, 1, 2, 3, 4]);
});

test('what waits for the next owner is given up when the cluster is gone', async () => {
  const { lanes, executed, publish, refuse } = startMove();
  const waiting = publish(0);
  refuse();
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  lanes.clear(new Error('The cluster is gone'));
  await expect(waiting).rejects.toThrow('The cluster is gone');
  expect(executed).toEqual([]);
  await publish(1).catch(() => {});
  await until(() => executed.length === 1);
  expect(executed).toEqual([1]);
});

test('a slot that nobody takes is an error after some attempts, an error of another kind at once', async () => {
  let attempts = 0;
  const lanes = new SlotLanes(() => Promise.resolve());
  const send = (): Promise<never> => {
    attempts += 1;
    return Promise.reject(new Error('CLUSTERDOWN Hash slot not served'));
  };
  await expect(lanes.run(1, send)).rejects.toThrow('CLUSTERDOWN');
  expect(attempts).toBe(8);
  await expect(lanes.run(1, () => Promise.reject(new Error('ERR no')))).rejects.toThrow('ERR no');
});
