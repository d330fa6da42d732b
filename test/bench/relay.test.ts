import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../bench/relay/run.mjs', import.meta.url));
const TIMEOUT_MS = 120_000;
const SETUPS = ['alone', 'hub', 'redis', 'redis-cluster', 'nats'];

/** Runs the benchmark to its end. */
async function bench(...commandLine: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...commandLine], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill());
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

/** The bytes to a node for a message, through this engine. */
function bytesTo(output: string, setup: string, nodes: number): number {
  const line = output.split('\n').find((each) => each.startsWith(`bytes ${setup} ${nodes}: `));
  const { bytesPerMessage } = JSON.parse(line?.slice(line.indexOf('{')) ?? '') as { bytesPerMessage: number };
  return bytesPerMessage;
}

describe('the benchmark of the way between nodes', () => {
  test('runs through every engine, and finds no fault', { timeout: TIMEOUT_MS }, async () => {
    const { code, output } = await bench('--smoke', '--no-build');
    expect(output).not.toContain('NO RESULT');
    for (const setup of SETUPS) {
      for (const load of ['rate', 'burst'])
        expect(output).toContain(`relay ${setup} ${load}: {"operations":`);
    }
    for (const workers of [1, 2]) expect(output).toContain(`workers ${workers}: {"operations":`);
    for (const setup of ['redis', 'nats']) {
      // What the nodes tell each other every three seconds may come between.
      expect(bytesTo(output, setup, 2)).toBeGreaterThan(100);
      expect(bytesTo(output, setup, 4)).toBeLessThan(bytesTo(output, setup, 2) * 1.6);
    }
    expect(code).toBe(0);
  });

  test.each([
    ['lose', 'lost'],
    ['duplicate', 'duplicated'],
    ['reorder', 'reordered'],
    ['corrupt', 'corrupted'],
  ])(
    'gives no figure for a node that will %s one message',
    async (fault, kind) => {
      const { code, output } = await bench('--smoke', '--no-build', '--setup', `faulty-${fault}`);
      for (const load of ['rate', 'burst'])
        expect(output).toContain(`relay faulty-${fault} ${load}: NO RESULT: faults: 1 ${kind}`);
      expect(code).toBe(1);
    },
    TIMEOUT_MS,
  );

  test.each([
    [['--setup', 'kafka'], 'There are alone, hub, redis, redis-cluster, nats, socket.io-alone'],
    [['--rounds', 'many'], 'a whole number'],
    [['--sevrer'], '--setup'],
  ])('refuses %j and says what is allowed', async (commandLine, said) => {
    const { code, output } = await bench(...commandLine);
    expect(output).toContain(said);
    expect(code).toBe(2);
  });
});
