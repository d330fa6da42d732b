/** A storm of clients: each connects, is upgraded and completes its handshake. */
import { signToken } from '../../servers/application.mjs';
import { Connection } from '../connection.mjs';
import { Latencies } from '../latencies.mjs';
import { Meter } from '../meter.mjs';
import { inParallel } from '../open-connections.mjs';

/**
 * @typedef {object} Connections
 * @property {number} warmUp how many connect, and leave again, before it counts
 * @property {number} connections how many count
 * @property {number} atOnce how many are on their way at any time
 * @property {boolean} token whether they show a token
 */

const TOKEN_LIFETIME_SECONDS = 3600;

/** @param {import('../run.mjs').Run & { parameters: Connections }} run */
export async function connections(run) {
  const { parameters, faults } = run;
  const token = parameters.token ? signToken(TOKEN_LIFETIME_SECONDS) : null;
  const latencies = new Latencies();
  /** @type {Connection[]} */
  let open = [];
  const connect = async (index) => {
    const connection = new Connection(run, `client ${index}`);
    const begin = performance.now();
    await connection.open(token);
    latencies.record(performance.now() - begin);
    open.push(connection);
  };

  await inParallel(parameters.warmUp, parameters.atOnce, connect);
  await Promise.all(open.map((connection) => connection.close()));
  open = [];
  latencies.reset();
  const meter = new Meter(run);
  await meter.begin();
  await inParallel(parameters.connections, parameters.atOnce, connect);
  const figures = { ...(await meter.end(parameters.connections)), latencyMs: latencies.summary() };
  if (open.length !== parameters.connections) faults.add('lost', 'not every client was welcomed');
  return figures;
}
