import { onTestFinished } from 'vitest';

/** Runs `dispose` when the current test is over, passed or failed; the last one registered runs first. */
export function afterTest(dispose: () => unknown): void {
  onTestFinished(async () => {
    await dispose();
  });
}
