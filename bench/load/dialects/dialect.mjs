/** The protocols that the servers speak, each a module with the same functions. */
import * as plain from './plain.mjs';
import * as socketCluster from './socket-cluster.mjs';
import * as socketIo from './socket-io.mjs';

/**
 * What a message of a server means to a client.
 * @typedef {{ kind: 'ping', pong: string }
 *   | { kind: 'open', reply: (token: string | null) => string }
 *   | { kind: 'welcome', isAuthenticated: boolean | undefined }
 *   | { kind: 'delivery', channel: string, data: unknown }
 *   | { kind: 'answer', id: number, data: unknown }
 *   | { kind: 'refusal', why: string }
 *   | { kind: 'unknown' }} Meaning
 */

/** @typedef {typeof plain} Dialect */

/** @type {Record<string, Dialect>} */
export const dialects = { plain, 'socket-cluster': socketCluster, 'socket-io': socketIo };
