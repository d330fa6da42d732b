import { mkdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RESULTS } from './result-file.mjs';
import { runOnce } from './run-once.mjs';
import { parametersOf } from './scenarios.mjs';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const SHOWN = 30;

/**
 * Runs a server once and says where its time, or its memory, goes.
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @param {import('./servers.mjs').ServerKind} server
 * @param {'full' | 'quick' | 'smoke'} mode
 * @returns {Promise<string>} the file and its heaviest functions, as text
 * @throws {Error} when the run gave no result
 */
export async function profileOnce(scenario, server, mode) {
  const isHeap = scenario.kind === 'idle';
  const folder = join(RESULTS, 'profiles');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${scenario.name}-${server.name}.${isHeap ? 'heap' : 'cpu'}profile`);
  const { failure, figures } = await runOnce(scenario, server, { mode, flags: [`--profile=${file}`] });
  if (figures === undefined) throw new Error(`${scenario.name}, ${server.name}: ${failure}`);
  const profile = JSON.parse(readFileSync(file, 'utf8'));
  const lines = isHeap
    ? heaviest(
        sizes(profile.head),
        (bytes) => `${Math.round(bytes / figures.operations)} bytes per ${scenario.unit}`,
      )
    : heaviest(
        times(profile),
        (micros, share) =>
          `${(share * 100).toFixed(1).padStart(5)} %  ${(micros / figures.operations).toFixed(3)} µs per ${scenario.unit}`,
      );
  const title = `${scenario.name}, ${server.name} (${JSON.stringify(parametersOf(scenario, mode))})`;
  return [title, `written to ${relative(process.cwd(), file)}`, ...lines].join('\n');
}

/** The time of each function without what it calls, in microseconds. */
function times({ nodes, samples, timeDeltas }) {
  const functions = new Map(nodes.map(({ id, callFrame }) => [id, labelOf(callFrame)]));
  const sums = new Map();
  for (const [index, id] of samples.entries()) {
    const label = functions.get(id);
    if (label !== '(idle)') sums.set(label, (sums.get(label) ?? 0) + timeDeltas[index]);
  }
  return sums;
}

/** The memory that each function has allocated and that is still in use, in bytes. */
function sizes(head) {
  const sums = new Map();
  const nodes = [head];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    const label = labelOf(node.callFrame);
    sums.set(label, (sums.get(label) ?? 0) + node.selfSize);
    nodes.push(...node.children);
  }
  return sums;
}

function heaviest(sums, text) {
  const total = Array.from(sums.values()).reduce((sum, value) => sum + value, 0);
  return Array.from(sums)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, SHOWN)
    .map(([label, value]) => `  ${text(value, value / total)}  ${label}`);
}

function labelOf({ functionName, url, lineNumber }) {
  const place = url.startsWith('file://') ? relative(ROOT, fileURLToPath(url)) : url;
  return `${functionName || '(anonymous)'}${place === '' ? '' : ` ${place}:${lineNumber + 1}`}`;
}
