/**
 * Is what the tests need beyond npm packages on this machine? Node.js 20.19 or newer, Chromium, and the servers that users put before and
 * behind theirs: HAProxy, nginx, Redis and NATS. Each program is looked for in `PATH` and where Debian installs it; a variable such as
 * `CHROMIUM` or `REDIS_SERVER` names another one. The tests start programs of their own on free ports and end them; no service is used.
 *
 * What is missing is installed where that can be done unasked (`apt-get`, as root or through `sudo` without a password); otherwise the
 * check fails and names the exact command.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const INSTALL_TIMEOUT_MS = 300_000;

/** `variable` names another program; `version` are the arguments that make it print its version and end. */
const PROGRAMS = [
  { name: 'chromium', package: 'chromium', variable: 'CHROMIUM', version: ['--version'] },
  { name: 'haproxy', package: 'haproxy', variable: 'HAPROXY', version: ['-v'] },
  { name: 'nginx', package: 'nginx-light', variable: 'NGINX', version: ['-v'] },
  { name: 'redis-server', package: 'redis-server', variable: 'REDIS_SERVER', version: ['--version'] },
  { name: 'redis-cli', package: 'redis-tools', variable: 'REDIS_CLI', version: ['--version'] },
  { name: 'nats-server', package: 'nats-server', variable: 'NATS_SERVER', version: ['--version'] },
  { name: 'ip', package: 'iproute2', variable: 'IP', version: ['-V'] },
];

/** Debian keeps servers where the `PATH` of a user does not lead. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/sbin', '/sbin'];

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

/** The path of a program, or `undefined`. */
function find({ name, variable }) {
  const named = process.env[variable];
  if (named !== undefined)
    return isThere(named) ? named : fail(`${variable} names ${named}, which is not there.`);
  return FOLDERS.map((folder) => join(folder, name)).find(isThere);
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
    // At this run level Debian's packages start no service.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : `exit code ${status}`;
}

/** Installs what is missing, without starting any service. */
function install(missing) {
  const packages = missing.map((program) => program.package);
  const names = missing.map(({ name }) => name).join(', ');
  const update = ['apt-get', 'update'];
  const add = ['apt-get', 'install', '-y', '--no-install-recommends', ...packages];
  const prefix = process.getuid?.() === 0 ? '' : 'sudo ';
  const variables = missing.map(({ name, variable }) => `${variable}=/path/to/${name}`).join(' ');
  const byHand =
    process.platform === 'linux'
      ? `Install with:\n\n  ${prefix}${update.join(' ')} && ${prefix}${add.join(' ')}\n\nor name others: ${variables} npm test`
      : `Install ${names} and name them: ${variables} npm test`;
  if (!isThere('/usr/bin/apt-get')) fail(`Missing: ${names}, and there is no apt-get here. ${byHand}`);
  const reason = privileged(update) ?? privileged(add);
  if (reason !== undefined) fail(`Missing: ${names}, and they could not be installed (${reason}). ${byHand}`);
}

/** The first line a program prints of its version. */
function versionOf(program, path) {
  const { status, stdout, stderr, error } = spawnSync(path, program.version, {
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status !== 0) fail(`${path} does not start: ${error?.message ?? stderr}`);
  return (stdout || stderr).split('\n')[0].trim();
}

checkNode();
const missing = PROGRAMS.filter((program) => find(program) === undefined);
if (missing.length > 0) install(missing);
const versions = PROGRAMS.map((program) => {
  const path = find(program);
  if (path === undefined) fail(`${program.package} was installed, yet there is no ${program.name}.`);
  return versionOf(program, path);
});
console.log([`Node.js ${process.versions.node}`, ...versions].join('\n'));
