/**
 * Is what the tests need beyond npm packages on this machine? Node.js 20.19 or newer, and Chromium: `$CHROMIUM`, or `/usr/bin/chromium`.
 * A missing Chromium is installed where that can be done unasked (`apt-get`, as root or through `sudo` without a password); otherwise the
 * check fails and names the exact command.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

const INSTALL_TIMEOUT_MS = 300_000;
const UPDATE = ['apt-get', 'update'];
const INSTALL = ['apt-get', 'install', '-y', '--no-install-recommends', 'chromium'];

const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

function fail(message) {
  console.error(message);
  process.exit(1);
}

function isThere(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(
      `Node.js 20.19 or newer is needed, this is ${process.versions.node}. See https://nodejs.org/en/download`,
    );
  }
}

/** Runs a command with the rights it needs; gives why it failed, or `undefined`. */
function privileged(command) {
  const root = process.getuid?.() === 0;
  const [name, ...args] = root ? command : ['sudo', '-n', ...command];
  console.log(`$ ${[name, ...args].join(' ')}`);
  const { status, error } = spawnSync(name, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: INSTALL_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : `exit code ${status}`;
}

function installChromium() {
  const prefix = process.getuid?.() === 0 ? '' : 'sudo ';
  const byHand =
    process.platform === 'linux'
      ? `Install it with:\n\n  ${prefix}${UPDATE.join(' ')} && ${prefix}${INSTALL.join(' ')}\n\nor name another one: CHROMIUM=/path/to/chromium npm test`
      : 'Install Chromium or Chrome and name it: CHROMIUM=/path/to/chromium npm test';
  if (process.env['CHROMIUM'] !== undefined) fail(`CHROMIUM names ${chromium}, which is not there.`);
  if (!isThere('/usr/bin/apt-get'))
    fail(`Chromium is needed (${chromium}), and there is no apt-get here. ${byHand}`);
  const reason = privileged(UPDATE) ?? privileged(INSTALL);
  if (reason !== undefined) fail(`Chromium is needed and could not be installed (${reason}). ${byHand}`);
  if (!isThere(chromium)) fail(`Chromium was installed, yet ${chromium} is not there. ${byHand}`);
}

function checkChromium() {
  if (!isThere(chromium)) installChromium();
  const { status, stdout, stderr, error } = spawnSync(chromium, ['--version'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status !== 0) fail(`${chromium} does not start: ${error?.message ?? stderr}`);
  return stdout.trim();
}

checkNode();
console.log(`Node.js ${process.versions.node}, ${checkChromium()}`);
