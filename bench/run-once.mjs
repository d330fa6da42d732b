import { generateLoad, ServerProcess } from './processes.mjs';
import { parametersOf } from './scenarios.mjs';
import { commandOf } from './servers.mjs';

const RUN_TIMEOUT_MS = 180_000;

/**
 * Runs one scenario against a fresh server.
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @param {import('./servers.mjs').ServerKind} server
 * @param {{ mode: 'full' | 'quick' | 'smoke', flags?: string[] }} settings
 * @returns {Promise<{ figures?: Record<string, any>, failure?: string }>} figures, or why there are none
 */
export async function runOnce(scenario, server, { mode, flags: moreFlags = [] }) {
  const flags = [...moreFlags];
  if (scenario.procedure) flags.push('--procedure');
  if (scenario.middleware && server.hasMiddleware) flags.push('--middleware');
  const serverProcess = new ServerProcess(commandOf(server, flags));
  try {
    const port = await serverProcess.listening();
    const order = {
      kind: scenario.kind,
      parameters: parametersOf(scenario, mode),
      dialect: server.dialect,
      port,
      pid: serverProcess.pid,
    };
    const report = await generateLoad(order, (question) => serverProcess.ask(question), RUN_TIMEOUT_MS);
    const failure = failureOf(report);
    return failure === undefined
      ? { figures: report.figures }
      : { failure: `${failure}\n${serverProcess.errors}`.trim() };
  } catch (error) {
    return { failure: error.message };
  } finally {
    await serverProcess.end();
  }
}

/** Why a run is no result: one with a fault is none, whatever figures it gave. Undefined when it is one. */
export function failureOf({ failure, faults }) {
  if (faults.total === 0) return failure;
  const counts = Object.entries(faults.counts)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`);
  return [
    `faults: ${counts.join(', ')}`,
    ...faults.descriptions,
    ...(failure === undefined ? [] : [failure]),
  ].join('\n  ');
}
