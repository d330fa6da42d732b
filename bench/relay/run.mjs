/**
 * `npm run bench:relay`: what it costs that a message reaches another node. `npm run bench:relay -- --help` says what it can do.
 */
import { relative } from 'node:path';
import { describeMachine } from '../machine.mjs';
import { UsageError } from '../options.mjs';
import { build, installPeers } from '../prepare.mjs';
import { readResult, writeResult } from '../result-file.mjs';
import { loadAverage } from '../rounds.mjs';
import { documentRelay } from './document-relay.mjs';
import { drawRelay } from './draw-relay.mjs';
import { LOADS, NODE_COUNTS, WORKER_COUNTS } from './loads.mjs';
import { measureBytes, measureRelay, measureWorkers } from './measure.mjs';
import { HELP, readOptions } from './options.mjs';
import { summarizeRuns } from './summary.mjs';

const RESULT = 'relay';

// So that what was started ends, too.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

try {
  await main(readOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${error instanceof UsageError ? error.message : error.stack}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

async function main(options) {
  if (options.help) return say(HELP.trimEnd());
  if (options.charts) return publish(readResult(RESULT));
  if (!options['no-build']) build();
  if (options.setups.some(({ needsPeers }) => needsPeers)) installPeers();
  const machine = { ...describeMachine(), loadAverageBefore: loadAverage() };
  const runs = { relay: {}, bytes: {}, workers: {} };
  const failures = [];
  const keep = (kind, name, { figures, failure }) => {
    say(
      `${kind} ${name}: ${failure === undefined ? JSON.stringify(figures, rounded) : `NO RESULT: ${failure}`}`,
    );
    if (failure !== undefined) failures.push(`${kind} ${name}: ${failure}`);
    else (runs[kind][name] ??= []).push(figures);
  };
  const engines = new Map();
  try {
    for (const { name, connect } of options.setups)
      if (connect !== undefined) engines.set(name, await connect());
    await measureAll(options, engines, keep);
  } finally {
    for (const engine of engines.values()) await engine.end();
  }
  const { rounds } = options;
  const result = {
    madeAt: new Date().toISOString(),
    rounds,
    machine,
    loads: LOADS.full,
    summary: summarizeRuns(runs),
    runs,
    failures,
  };
  if (failures.length > 0) process.exitCode = 1;
  if (options.isComplete && failures.length === 0) {
    say(relative(process.cwd(), writeResult(result, RESULT)));
    publish(result);
  }
}

/** Alternated run by run: what disturbs the machine for a while disturbs all of them. */
async function measureAll({ setups: chosen, rounds, loads, hasWorkers }, engines, keep) {
  for (let round = 0; round < rounds; round += 1) {
    for (const load of ['rate', 'burst']) {
      for (const setup of chosen) {
        const measured = await measureRelay(setup, engines.get(setup.name), loads[load]);
        keep('relay', `${setup.name} ${load}`, measured);
      }
    }
    for (const nodes of NODE_COUNTS) {
      for (const setup of chosen.filter(({ hasBytes }) => hasBytes)) {
        const measured = await measureBytes(setup, engines.get(setup.name), { nodes, load: loads.rooms });
        keep('bytes', `${setup.name} ${nodes}`, measured);
      }
    }
    if (!hasWorkers) continue;
    for (const workers of WORKER_COUNTS)
      keep('workers', `${workers}`, await measureWorkers(workers, loads.calls));
  }
}

function publish(result) {
  for (const file of [...drawRelay(result), documentRelay(result)]) say(relative(process.cwd(), file));
}

/** Five digits are more than any figure deserves. */
function rounded(_key, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
