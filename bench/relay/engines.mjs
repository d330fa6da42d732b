/** The messaging engines of the benchmark: processes of its own, on free ports, with a folder that goes with them. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '@socketcluster-ts/testkit/free-port';

const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin'];
const START_TIMEOUT_MS = 20_000;
const CLUSTER_SIZE = 3;
const LOOK_EVERY_MS = 20;

/**
 * An engine that runs: where it listens, and which processes it is.
 * @typedef {{ ports: number[], pids: number[], end: () => Promise<void> }} Engine
 */

/** Starts a Redis that keeps nothing. @param {string[]} [more] arguments @returns {Promise<Engine>} */
export function startRedis(more = []) {
  const usual = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  return start('redis-server', (port, folder) => [...usual, '--port', `${port}`, '--dir', folder, ...more]);
}

/** Starts a Redis Cluster of three servers. @returns {Promise<Engine>} */
export async function startRedisCluster() {
  const servers = [];
  const end = async () => {
    for (const server of servers) await server.end();
  };
  try {
    for (let count = 0; count < CLUSTER_SIZE; count += 1) {
      const busPort = `${await freePort()}`;
      servers.push(await startRedis(['--cluster-enabled', 'yes', '--cluster-port', busPort]));
    }
    const ports = servers.flatMap((server) => server.ports);
    await createCluster(ports);
    return { ports, pids: servers.flatMap(({ pids }) => pids), end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Starts a NATS server. @returns {Promise<Engine>} */
export function startNats() {
  return start('nats-server', (port) => ['--addr', '127.0.0.1', '--port', `${port}`]);
}

async function createCluster(ports) {
  const run = promisify(execFile);
  const cli = programPath('redis-cli');
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  await run(cli, ['--cluster', 'create', ...addresses, '--cluster-yes'], { timeout: START_TIMEOUT_MS });
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const infos = await Promise.all(ports.map((port) => run(cli, ['-p', `${port}`, 'cluster', 'info'])));
    if (infos.every(({ stdout }) => isWhole(stdout))) return;
    if (performance.now() > giveUpAt) throw new Error('The Redis Cluster did not become whole.');
    await sleep(LOOK_EVERY_MS);
  }
}

function isWhole(info) {
  return info.includes('cluster_state:ok') && info.includes(`cluster_size:${CLUSTER_SIZE}`);
}

async function start(name, argumentsFor) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'bench-engine-'));
  const child = spawn(programPath(name), argumentsFor(port, folder), { stdio: 'ignore' });
  const clear = () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  // No engine is left behind, however the benchmark ends.
  process.once('exit', clear);
  const end = async () => {
    process.off('exit', clear);
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    clear();
  };
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  while (!(await isListening(port))) {
    if (child.exitCode !== null || performance.now() > giveUpAt) {
      await end();
      throw new Error(`${name} did not start.`);
    }
    await sleep(LOOK_EVERY_MS);
  }
  return { ports: [port], pids: [child.pid], end };
}

function programPath(name) {
  const named = process.env[name.toUpperCase().replaceAll('-', '_')];
  const found = named ?? FOLDERS.map((folder) => join(folder, name)).find(isExecutable);
  if (found === undefined) {
    throw new Error(`${name} is needed: node tools/check-environment.mjs installs it`);
  }
  return found;
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isListening(port) {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}
