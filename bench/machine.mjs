import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { isPinned } from './processes.mjs';
import { commandOf, servers } from './servers.mjs';

const GIB = 1024 ** 3;

/** What the figures were measured on. */
export function describeMachine() {
  const [bun] = commandOf(
    servers.find(({ name }) => name === 'bun'),
    [],
  );
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / GIB),
    kernel: `${process.platform} ${release()}`,
    node: process.version,
    bun: existsSync(bun) ? execFileSync(bun, ['--version'], { encoding: 'utf8' }).trim() : null,
    isPinned,
  };
}
