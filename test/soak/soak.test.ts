import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../bench/soak/run.mjs', import.meta.url));
const TIMEOUT_MS = 90_000;

/** Runs a soak run to its end. */
async function soak(...commandLine: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [PROGRAM, '--no-build', '--no-document', ...commandLine], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill());
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}

describe('a soak run', { timeout: TIMEOUT_MS }, () => {
  test('finds nothing lost and nothing left behind', async () => {
    const { code, output } = await soak('--minutes', '0.15');
    expect(output).toContain('0 lost, 0 doubled, 0 reordered, 0 wrong');
    expect(output).toContain('no problem was found');
    expect(code).toBe(0);
  });

  test('finds a leak', async () => {
    const { code, output } = await soak('--minutes', '0.15', '--leak');
    expect(output).toContain('PROBLEM: the heap grew by');
    expect(code).toBe(1);
  });

  test('says what it was given wrong', async () => {
    const { code, output } = await soak('--minutes', 'long');
    expect(output).toContain('--minutes is a number up to 1440, not "long"');
    expect(code).toBe(2);
  });
});
