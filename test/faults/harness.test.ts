import { readdirSync } from 'node:fs';
import { DeliveryChecker, faultsOf } from '@socketcluster-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CheckedLoad } from './checked-load.js';
import { pass, startFaultServer } from './fault-server.js';
import { randomFrom } from './random.js';
import { setupPath } from './setup-path.js';

function loadOn(port: number) {
  const checker = new DeliveryChecker();
  const load = new CheckedLoad({ checker, port, random: randomFrom(1), publishEveryMs: 50 });
  onTestFinished(() => load.leave());
  return { checker, load };
}

/** There is no row 16. */
const ROWS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 22, 23, 24];

test('every row of the fault matrix is there', () => {
  const files = readdirSync(new URL('./rows/', import.meta.url)).filter((file) => file.endsWith('.test.ts'));
  const numbers = new Set(files.map((file) => Number.parseInt(file, 10)));
  expect(ROWS.filter((row) => !numbers.has(row))).toEqual([]);
});

describe('what the fault matrix is measured with', () => {
  test('notices a server that loses one message in a hundred', async () => {
    const server = await startFaultServer({ setup: setupPath('forgetful') });
    const { checker, load } = loadOn(server.port);
    await load.start();
    await pass(500);
    await load.stop(500);
    const { lost, delivered, ...others } = checker.verdict();
    expect(lost).toBeGreaterThan(delivered / 200);
    expect(faultsOf({ lost: 0, delivered, ...others, examples: [] })).toEqual([]);
  });

  test('notices a server that waits for a reader of its log', async () => {
    const server = await startFaultServer({ setup: setupPath('chatty'), stderr: 'unread' });
    const { checker, load } = loadOn(server.port);
    const started = load.start();
    void started.catch(() => {});
    await pass(2000);
    const since = performance.now();
    await expect(load.served(since, 2000)).rejects.toThrow('to be served again');
    expect(checker.verdict().acknowledged).toBeGreaterThan(0);
  });

  test('gives the same chance for the same seed', () => {
    const [one, other, third] = [randomFrom(7), randomFrom(7), randomFrom(8)];
    const numbers = (random: () => number): number[] => Array.from({ length: 100 }, random);
    const first = numbers(one);
    expect(numbers(other)).toEqual(first);
    expect(numbers(third)).not.toEqual(first);
    expect(first.every((number) => number >= 0 && number < 1)).toBe(true);
  });
});
