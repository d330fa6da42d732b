/** What must be there before anything runs: the built packages, and the peers. */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const PEERS = fileURLToPath(new URL('./peers/', import.meta.url));

/** Builds the packages, so that what is measured is what the sources say. */
export function build() {
  perform('npm run build', ROOT, ['npm', 'run', '--silent', 'build']);
}

/** Installs the peers, unless that was done for this very lock file. */
export function installPeers() {
  const installed = `${PEERS}node_modules/.package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(`${PEERS}package-lock.json`).mtimeMs)
    return;
  process.stdout.write('Installing the servers to compare with, into bench/peers/ …\n');
  perform('npm ci', PEERS, ['npm', 'ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

function perform(what, cwd, [program, ...parameters]) {
  // A workspace setting of an outer npm does not concern the inner one.
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('npm_config_')),
  );
  const { status } = spawnSync(program, parameters, {
    cwd,
    env: environment,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`\`${what}\` failed in ${cwd}`);
}
