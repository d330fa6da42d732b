/** Clients that call a procedure: every call is answered once, in order, with the right answer. */
import { REPLY } from '../../servers/application.mjs';
import { Caller } from '../caller.mjs';
import { Latencies } from '../latencies.mjs';
import { Meter } from '../meter.mjs';
import { openConnections } from '../open-connections.mjs';
import { until } from '../until.mjs';

/**
 * @typedef {object} Rpc
 * @property {number} connections
 * @property {number} outstanding calls in flight on each connection
 * @property {number} warmUpMs
 * @property {number} measureMs
 * @property {number} [least] how many calls, if that takes longer
 * @property {number} stallMs without any progress end a run
 */

/** @param {import('../run.mjs').Run & { parameters: Rpc }} run */
export async function rpc(run) {
  const { parameters, faults, dialect } = run;
  const latencies = new Latencies();
  const connections = await openConnections(run, { count: parameters.connections, name: 'caller' });
  const callers = connections.map(
    (connection, index) =>
      new Caller(connection, {
        dialect,
        faults,
        latencies,
        reply: REPLY,
        outstanding: parameters.outstanding,
        name: `caller ${index}`,
      }),
  );
  const answered = () => callers.reduce((sum, caller) => sum + caller.answered, 0);

  const patience = { progress: answered, faults, stallMs: parameters.stallMs };
  const callFor = async (milliseconds) => {
    const end = performance.now() + milliseconds;
    const least = answered() + (parameters.least ?? 0);
    for (const caller of callers) caller.start();
    await until(() => performance.now() >= end && answered() >= least, patience);
    for (const caller of callers) caller.stop();
    return until(() => callers.every((caller) => caller.inFlight === 0), patience);
  };

  const meter = new Meter(run);
  let figures;
  if (await callFor(parameters.warmUpMs)) {
    latencies.reset();
    const before = answered();
    await meter.begin();
    if (await callFor(parameters.measureMs)) {
      const lastAt = Math.max(...callers.map((caller) => caller.lastAt));
      figures = { ...(await meter.end(answered() - before, lastAt)), latencyMs: latencies.summary() };
    }
  }
  for (const caller of callers) caller.finish();
  return figures;
}
