import { expect, test } from 'vitest';
import { spawn } from '../src/index.js';

test('`spawn()` starts the task before it returns', () => {
  let started = false;
  spawn(
    () => {
      started = true;
    },
    () => {},
  );
  expect(started).toBe(true);
});

test('`spawn()` reports a task that throws', () => {
  const errors: unknown[] = [];
  spawn(
    () => {
      throw new Error('now');
    },
    (error) => errors.push(error),
  );
  expect(errors).toEqual([new Error('now')]);
});

test('`spawn()` reports a task that rejects', async () => {
  const error = await new Promise((resolve) => {
    spawn(() => Promise.reject(new Error('later')), resolve);
  });
  expect(error).toEqual(new Error('later'));
});
