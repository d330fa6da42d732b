/** The ways in which two nodes are connected, each beside one node alone of the same kind. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from '../processes.mjs';
import { startNats, startRedis, startRedisCluster } from './engines.mjs';

const OURS = path('./node.mjs');
const SOCKET_IO = path('../peers/socket-io-redis.mjs');
const FAULTY = path('../servers/faulty.mjs');

/**
 * What connects the nodes of one run: which processes it is, and with which flag a node finds it; `flagAt` finds it at another port.
 * @typedef {{ pids: number[], flag: string, flagAt?: (port: number) => string, port?: number, end: () => Promise<void> }} Connecting
 */

/**
 * @typedef {object} Setup
 * @property {string} name
 * @property {string} title for people
 * @property {string} dialect what the nodes speak with clients
 * @property {string} program a node
 * @property {string} [alone] the setup with which it is compared; absent for one node alone
 * @property {string[]} [flags] for the program
 * @property {boolean} [isHidden] runs only when it is asked for
 * @property {boolean} [needsPeers] whether `bench/peers` must be installed
 * @property {boolean} [hasBytes] whether the bytes to a node are counted, which takes an engine at one port
 * @property {() => Promise<Connecting>} [connect]
 */

/** @type {Setup[]} */
export const setups = [
  ours('alone', 'one node'),
  ours('hub', 'hub of one machine', { connect: startHub }),
  ours('redis', 'Redis', { connect: () => redis((url) => linkFlag({ kind: 'redis', url })), hasBytes: true }),
  ours('redis-cluster', 'Redis Cluster of three', {
    connect: async () => {
      const engine = await startRedisCluster();
      return { ...engine, flag: linkFlag({ kind: 'redis-cluster', ports: engine.ports }) };
    },
  }),
  ours('nats', 'NATS', {
    connect: async () => {
      const { ports, pids, end } = await startNats();
      return { pids, port: ports[0], flagAt: natsFlag, flag: natsFlag(ports[0]), end };
    },
    hasBytes: true,
  }),
  socketIo('socket.io-alone', 'socket.io, one node'),
  socketIo('socket.io-redis', 'socket.io, Redis adapter', {
    alone: 'socket.io-alone',
    connect: () => redis((url) => `--redis=${url}`),
    hasBytes: true,
  }),
  ...['lose', 'duplicate', 'reorder', 'corrupt'].map((fault) => ({
    name: `faulty-${fault}`,
    title: `a node that will ${fault}`,
    dialect: 'plain',
    program: FAULTY,
    flags: [`--fault=${fault}`],
    isHidden: true,
  })),
];

/**
 * The command line of a node.
 * @param {Setup} setup
 * @param {string | undefined} flag with which it finds the others
 * @returns {[string, string[]]}
 */
export function nodeCommand({ program, flags = [] }, flag) {
  return [process.execPath, ['--expose-gc', program, ...flags, ...(flag === undefined ? [] : [flag])]];
}

function ours(name, title, more) {
  const alone = more === undefined ? {} : { alone: 'alone' };
  return { name, title, dialect: 'socket-cluster', program: OURS, ...alone, ...more };
}

function socketIo(name, title, more) {
  return { name, title, dialect: 'socket-io', program: SOCKET_IO, needsPeers: true, ...more };
}

function natsFlag(port) {
  return linkFlag({ kind: 'nats', port });
}

function linkFlag(link) {
  return `--link=${JSON.stringify(link)}`;
}

async function redis(flagFor) {
  const { ports, pids, end } = await startRedis();
  const flagAt = (port) => flagFor(`redis://127.0.0.1:${port}`);
  return { pids, port: ports[0], flagAt, flag: flagAt(ports[0]), end };
}

async function startHub() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-hub-'));
  const socket = join(folder, 'hub');
  const hub = new ServerProcess([process.execPath, ['--expose-gc', path('./hub.mjs'), `--path=${socket}`]]);
  const end = async () => {
    await hub.end();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await hub.listening();
  } catch (error) {
    await end();
    throw error;
  }
  return { pids: [hub.pid], flag: linkFlag({ kind: 'hub', path: socket }), end };
}

function path(relative) {
  return fileURLToPath(new URL(relative, import.meta.url));
}
