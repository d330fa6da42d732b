/** What every check of this folder uses: where the repository is, running a program, reading its files, and how a check ends. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root folder of the repository, without a slash at its end. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

/** The environment in which the programs of the root's `node_modules` are found first, and colour is for terminals. */
export const environment = {
  ...process.env,
  ...(process.stdout.isTTY && process.env['NO_COLOR'] === undefined
    ? { FORCE_COLOR: '1' }
    : { NO_COLOR: '1' }),
  PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
};

/**
 * Runs a program to its end and gives `{ ok, output }`: stdout and stderr together. Does not throw when the program fails; throws when it
 * cannot be started or takes longer than five minutes.
 */
export function run(command, args, { cwd = root, env = environment } = {}) {
  const shell = process.platform === 'win32';
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env,
    shell,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: 300_000,
  });
  if (error !== undefined) throw new Error(`${command} ${args.join(' ')}: ${error.message}`);
  return { ok: status === 0, output: `${stdout}${stderr}` };
}

/**
 * The files below `folder` (relative to the root) whose path satisfies `wanted`, as sorted paths relative to the root, with `/`. What lies in a
 * `node_modules` or `dist` further below is left out.
 */
export function filesUnder(folder, wanted) {
  const top = join(root, folder);
  if (!existsSync(top)) return [];
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      relative(root, join(entry.parentPath ?? entry.path, entry.name))
        .split(sep)
        .join('/'),
    )
    .filter((path) => !/\/(?:node_modules|dist)\//.test(path.slice(folder.length)) && wanted(path))
    .toSorted();
}

/** The folders directly under `packages/`, by name. */
export function packageFolders() {
  return readdirSync(join(root, 'packages'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, 'packages', entry.name, 'package.json')))
    .map((entry) => entry.name)
    .toSorted();
}

/** The packages that are published: `[{ folder, manifest }]`. */
export function publicPackages() {
  return packageFolders()
    .map((name) => {
      const folder = `packages/${name}`;
      return { folder, manifest: JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) };
    })
    .filter(({ manifest }) => manifest.private !== true);
}

/** Ends a check: prints the problems and makes the process fail, or prints what was found in order. */
export function finish(problems, summary) {
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) {
    console.error(`${problems.length} problem${problems.length === 1 ? '' : 's'}`);
    process.exitCode = 1;
  } else {
    console.log(summary);
  }
}
