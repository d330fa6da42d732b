/**
 * A real application, `examples/chat-classic`, that was written for `socketcluster-server` and is switched to ours
 * by nothing but its dependency. It runs on both, loaded by `require` and by `import`, and must print the same
 * transcript each time.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const example = join(root, 'examples/chat-classic');
/** Installing fetches the few dependencies of ours that the cache of npm lacks. */
const INSTALL_DEADLINE_MS = 240_000;
const RUN_DEADLINE_MS = 60_000;

const packages = ['streams', 'core', 'server'] as const;
type PackageName = (typeof packages)[number];

let directory = '';
let switched = '';

function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

/** Packs our packages and gives the path of each tarball. */
async function packAll(into: string): Promise<Record<PackageName, string>> {
  const tarballs: Partial<Record<PackageName, string>> = {};
  for (const name of packages) {
    const cwd = join(root, 'packages', name);
    if (!existsSync(join(cwd, 'dist/index.js'))) {
      throw new Error(`packages/${name}/dist is missing: build with 'npx tsc -b' before this test`);
    }
    const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', into], {
      cwd,
    });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    tarballs[name] = join(into, filename);
  }
  return tarballs as Record<PackageName, string>;
}

/** Copies the example and installs it with our tarballs; a look-up of our own names in a registry would fail. */
async function installSwitched(into: string, tarballs: Record<PackageName, string>): Promise<void> {
  await cp(example, into, { recursive: true, filter: (source) => !source.includes('node_modules') });
  const manifest = readJson(join(example, 'package.json'));
  const dependencies = {
    ...(manifest['dependencies'] as Record<string, string>),
    'socketcluster-server': `file:${tarballs.server}`,
    '@socketcluster-ts/core': `file:${tarballs.core}`,
    '@socketcluster-ts/streams': `file:${tarballs.streams}`,
  };
  // Without these npm would ask the registry whether our packages' own dependencies are met by the tarballs.
  const overrides = Object.fromEntries(
    ['@socketcluster-ts/core', '@socketcluster-ts/streams'].map((name) => [name, `$${name}`]),
  );
  await writeFile(
    join(into, 'package.json'),
    JSON.stringify({ ...manifest, dependencies, overrides }, null, 2),
  );
  await writeFile(join(into, '.npmrc'), '@socketcluster-ts:registry=http://127.0.0.1:9/\n');
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  await run('npm', ['install', ...flags], { cwd: into, timeout: INSTALL_DEADLINE_MS });
}

async function transcript(cwd: string, entry: 'server.cjs' | 'server.mjs'): Promise<string> {
  const { stdout } = await run(process.execPath, ['transcript.mjs', entry], {
    cwd,
    timeout: RUN_DEADLINE_MS,
  });
  return stdout;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'switched-app-'));
  switched = join(directory, 'app');
  await installSwitched(switched, await packAll(directory));
}, INSTALL_DEADLINE_MS);

afterAll(async () => {
  if (directory !== '') await rm(directory, { recursive: true, force: true });
});

describe('an application written for socketcluster-server', () => {
  test('has ours installed under that name, and nothing of the published server', () => {
    const modules = join(switched, 'node_modules');

    expect(readJson(join(modules, 'socketcluster-server/package.json'))['name']).toBe(
      '@socketcluster-ts/server',
    );
    expect(existsSync(join(modules, 'ag-simple-broker'))).toBe(false);
    expect(existsSync(join(modules, 'socketcluster-server/node_modules'))).toBe(false);
  });

  test('prints the same transcript on both servers, by `require` and by `import`', {
    timeout: 4 * RUN_DEADLINE_MS,
  }, async () => {
    const published = await transcript(example, 'server.cjs');
    expect(published).toMatch(/^done$/m);
    expect(published.split('\n').length).toBeGreaterThan(200);

    expect(await transcript(example, 'server.mjs')).toBe(published);
    expect(await transcript(switched, 'server.cjs')).toBe(published);
    expect(await transcript(switched, 'server.mjs')).toBe(published);
  });
});
