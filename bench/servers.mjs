/** The servers that are compared. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NODE_FLAGS = ['--expose-gc'];
const BUN = path('./peers/node_modules/@oven/bun-linux-x64/bin/bun');

/**
 * @typedef {object} ServerKind
 * @property {string} name
 * @property {string} title for people
 * @property {string} dialect the protocol it speaks
 * @property {string} program
 * @property {string} [executable] what runs the program; Node by default
 * @property {boolean} needsPeers whether `bench/peers` must be installed
 * @property {boolean} [isPeer] whether ours must be ahead of it everywhere: it runs in Node and is a server to use
 * @property {boolean} [hasMiddleware] whether it has middlewares that can be set
 * @property {boolean} [isHidden] runs only when it is asked for
 * @property {string[]} [flags] for the program
 */

/** @type {ServerKind[]} */
export const servers = [
  {
    name: 'ours',
    title: 'socketcluster-ts',
    dialect: 'socket-cluster',
    program: path('./servers/ours.mjs'),
    needsPeers: false,
    hasMiddleware: true,
  },
  {
    name: 'upstream',
    title: 'socketcluster-server 20',
    dialect: 'socket-cluster',
    program: path('./peers/upstream.mjs'),
    needsPeers: true,
    isPeer: true,
    hasMiddleware: true,
  },
  {
    name: 'socket.io',
    title: 'socket.io 4.8',
    dialect: 'socket-io',
    program: path('./peers/socket-io.mjs'),
    needsPeers: true,
    isPeer: true,
  },
  {
    name: 'ws',
    title: 'plain ws loop',
    dialect: 'plain',
    program: path('./peers/ws-loop.mjs'),
    needsPeers: true,
    isPeer: true,
  },
  {
    name: 'node-limit',
    title: 'the Node limit',
    dialect: 'plain',
    program: path('./servers/node-limit.mjs'),
    needsPeers: false,
  },
  {
    name: 'bun',
    title: 'Bun (uWebSockets)',
    dialect: 'plain',
    program: path('./peers/bun.mjs'),
    executable: BUN,
    needsPeers: true,
  },
  ...['lose', 'duplicate', 'reorder', 'corrupt'].map((fault) => ({
    name: `faulty-${fault}`,
    title: `a server that will ${fault}`,
    dialect: 'plain',
    program: path('./servers/faulty.mjs'),
    needsPeers: false,
    isHidden: true,
    flags: [`--fault=${fault}`],
  })),
];

/**
 * The command line of a server.
 * @param {ServerKind} server
 * @param {string[]} flags for the program
 * @returns {[string, string[]]}
 */
export function commandOf(server, flags) {
  const program = [server.program, ...(server.flags ?? []), ...flags];
  if (server.executable !== undefined) return [server.executable, program];
  return [process.execPath, [...NODE_FLAGS, ...program]];
}

/**
 * Why a server cannot run on this machine; undefined when it can.
 * @param {ServerKind} server
 */
export function obstacleOf(server) {
  if (server.executable !== BUN) return undefined;
  if (!existsSync(BUN)) return 'its package is for Linux on x64 only';
  if (!/\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))) return 'it needs a processor with AVX2';
  return undefined;
}

function path(relative) {
  return fileURLToPath(new URL(relative, import.meta.url));
}
