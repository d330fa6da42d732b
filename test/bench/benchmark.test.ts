import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

const program = fileURLToPath(new URL('../../bench/run.mjs', import.meta.url));
const TIMEOUT_MS = 120_000;

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the benchmark to its end. */
async function bench(...commandLine: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...commandLine], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill());
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

describe('the benchmark', () => {
  test(
    'runs every scenario against ours, and finds no fault',
    async () => {
      const { code, output } = await bench('--smoke', '--no-build', '--server', 'ours');
      expect(output).not.toContain('NO RESULT');
      expect(output).toContain('Median (min–max) of 1 rounds.');
      expect(code).toBe(0);
    },
    TIMEOUT_MS,
  );

  test.each([
    ['lose', 'lost'],
    ['duplicate', 'duplicated'],
    ['reorder', 'reordered'],
    ['corrupt', 'corrupted'],
  ])(
    'notices a server that will %s one message, whatever the scenario, and gives no figure for it',
    async (fault, kind) => {
      const scenarios = ['fan-out', 'channels', 'rpc', 'slow-readers'];
      const chosen = ['--server', `faulty-${fault}`, '--scenario', scenarios.join(',')];
      const { code, output } = await bench('--smoke', '--no-build', ...chosen);
      for (const scenario of scenarios) {
        expect(output).toContain(`NO RESULT: ${scenario}, faulty-${fault}, round 1: faults: 1 ${kind}`);
      }
      expect(code).toBe(1);
    },
    TIMEOUT_MS,
  );

  test.each([
    [['--sevrer', 'ours'], '--server'],
    [['--server', 'theirs'], 'ours, upstream, socket.io, ws, node-limit, bun'],
    [['--scenario', 'fan-in'], 'fan-out, '],
    [['--rounds', 'many'], 'a whole number'],
    [['--quick', '--smoke'], 'exclude each other'],
    [['--scenario', 'rpc', '--no-build', '--into', 'no-such-result'], 'There is no result "no-such-result"'],
  ])('refuses %j and says what is allowed', async (commandLine, said) => {
    const { code, output } = await bench(...commandLine);
    expect(output).toContain(said);
    expect(code).toBe(2);
  });
});
