import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../bench/restarts/run.mjs', import.meta.url));

test('the measurement of restarts runs, and everybody comes back', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, 'storm', '--smoke'], {
    timeout: 50_000,
  });
  const row: unknown = JSON.parse(stdout.slice(stdout.indexOf('{')));
  expect(row).toMatchObject({ label: 'ours', clients: 200, failed: 0 });
});
