/** The measurements: each run has fresh nodes and a load generator of its own, and no figures when a message was lost, doubled or changed. */
import { fileURLToPath } from 'node:url';
import { generateLoad, ServerProcess } from '../processes.mjs';
import { failureOf } from '../run-once.mjs';
import { countBytes } from './byte-counter.mjs';
import { nodeCommand } from './setups.mjs';

const RUN_TIMEOUT_MS = 60_000;
const POOL = fileURLToPath(new URL('./pool.mjs', import.meta.url));
const NOBODY = { pids: [], flag: undefined };

/** @typedef {import('./setups.mjs').Setup} Setup */
/** @typedef {import('./setups.mjs').Connecting} Connecting */

/**
 * From one node to another, or on one node alone.
 * @param {Setup} setup
 * @param {Connecting | undefined} connecting
 * @param {object} load parameters of `bench/load/scenarios/relay.mjs`
 */
export function measureRelay(setup, connecting, load) {
  const { pids, flag } = connecting ?? NOBODY;
  const flags = connecting === undefined ? [undefined] : [flag, flag];
  return withNodes(setup, flags, async (nodes) => {
    const [from, to = from] = nodes;
    const processes = { publishing: [from.pid], receiving: to === from ? [] : [to.pid], engine: pids };
    const routes = [{ from: from.port, to: to.port }];
    return runLoad(setup, { ...load, routes, processes }, (question) => from.process.ask(question));
  });
}

/**
 * How many bytes the engine sends to a node for each message that its clients get: on each node a publisher, whose rooms have their
 * subscribers on the next node.
 * @param {Setup} setup
 * @param {Connecting} connecting
 * @param {{ nodes: number, load: object }} what
 */
export async function measureBytes(setup, connecting, { nodes: count, load }) {
  const counters = await Promise.all(Array.from({ length: count }, () => countBytes(connecting.port)));
  const received = () => counters.reduce((sum, counter) => sum + counter.received(), 0);
  try {
    const flags = counters.map(({ port }) => connecting.flagAt(port));
    return await withNodes(setup, flags, async (nodes) => {
      let before = 0;
      let bytes = 0;
      const ask = async (question) => {
        if (question === 'begin') before = received();
        else bytes = received() - before;
        return nodes[0].process.ask(question);
      };
      const routes = nodes.map((node, index) => ({ from: node.port, to: nodes[(index + 1) % count].port }));
      const { figures, failure } = await runLoad(setup, { ...load, routes, processes: {} }, ask);
      return figures === undefined
        ? { failure }
        : { figures: { operations: figures.operations, bytesPerMessage: bytes / figures.operations } };
    });
  } finally {
    for (const counter of counters) counter.end();
  }
}

/**
 * How many calls so many workers of `serve()` answer.
 * @param {number} workers
 * @param {object} load parameters of `bench/load/scenarios/rpc.mjs`
 */
export async function measureWorkers(workers, load) {
  const pool = new ServerProcess([process.execPath, ['--expose-gc', POOL, `--workers=${workers}`]], {
    isFree: true,
  });
  try {
    const port = await pool.listening();
    const order = { kind: 'rpc', parameters: load, dialect: 'socket-cluster', port, pid: pool.pid };
    const { figures, failure } = await judged(order, (question) => pool.ask(question));
    if (figures === undefined) return { failure };
    // The other figures are those of the supervisor alone.
    const { operations, perSecond, latencyMs } = figures;
    return { figures: { operations, perSecond, latencyMs } };
  } catch (error) {
    return { failure: error.message };
  } finally {
    await pool.end();
  }
}

/** Starts a node for each flag, and ends them when `measure` is done. */
async function withNodes(setup, flags, measure) {
  const processes = flags.map((flag) => new ServerProcess(nodeCommand(setup, flag)));
  try {
    const nodes = await Promise.all(
      processes.map(async (process) => ({ process, pid: process.pid, port: await process.listening() })),
    );
    const { figures, failure } = await measure(nodes);
    if (failure === undefined) return { figures };
    return { failure: [failure, ...processes.map(({ errors }) => errors)].join('\n').trim() };
  } catch (error) {
    return { failure: error.message };
  } finally {
    await Promise.all(processes.map((process) => process.end()));
  }
}

function runLoad({ dialect }, parameters, ask) {
  const [{ from }] = parameters.routes;
  return judged({ kind: 'relay', parameters, dialect, port: from, pid: 0 }, ask);
}

async function judged(order, ask) {
  const report = await generateLoad(order, ask, RUN_TIMEOUT_MS);
  const failure = failureOf(report);
  return failure === undefined ? { figures: report.figures } : { failure };
}
