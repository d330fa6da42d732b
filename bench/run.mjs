/** `npm run bench`: the benchmark. `npm run bench -- --help` says what it can do. */
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawCharts } from './charts/draw-charts.mjs';
import { documentResult } from './document-result.mjs';
import { describeMachine } from './machine.mjs';
import { HELP, readOptions, UsageError } from './options.mjs';
import { build, installPeers } from './prepare.mjs';
import { profileOnce } from './profile.mjs';
import { latencyTable, table } from './report.mjs';
import { readResult, replaceScenarios, writeResult } from './result-file.mjs';
import { countRuns, loadAverage, runScenario } from './rounds.mjs';
import { parametersOf } from './scenarios.mjs';
import { obstacleOf } from './servers.mjs';
import { summarize } from './statistics.mjs';

const BUILT = fileURLToPath(new URL('../packages/server/dist/index.js', import.meta.url));
/** A core of the machine should be free for each of the two processes; other work shows in the figures. */
const BUSY = 1;

try {
  await main(readOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${error instanceof UsageError ? error.message : error.stack}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

/** @param {import('./options.mjs').Options} options */
async function main(options) {
  if (options.action === 'help') return say(HELP.trimEnd());
  if (options.action === 'charts') {
    const result = readResult(options.from);
    for (const file of [...drawCharts(result), documentResult(result)]) say(relative(process.cwd(), file));
    return;
  }
  if (options.build || !existsSync(BUILT)) build();
  if (options.servers.some((server) => server.needsPeers)) installPeers();
  const servers = options.servers.filter(canRun);
  if (options.action === 'profile') {
    const profiled = options.areServersChosen ? servers : servers.filter(({ name }) => name === 'ours');
    for (const scenario of options.scenarios) {
      for (const server of profiled) say(`${await profileOnce(scenario, server, options.mode)}\n`);
    }
    return;
  }
  await compare({ ...options, servers });
}

async function compare(options) {
  const { scenarios, servers, mode, rounds, into } = options;
  const earlier = into === undefined ? undefined : readResult(into);
  const loadBefore = loadAverage();
  if (loadBefore > BUSY && mode !== 'smoke') {
    say(`The machine is busy (load average ${loadBefore.toFixed(1)}): the figures will be noisy.`);
  }
  const result = {
    madeAt: new Date().toISOString(),
    mode,
    rounds,
    machine: { ...describeMachine(), loadAverageBefore: loadBefore },
    scenarios: [],
    failures: /** @type {string[]} */ ([]),
  };
  const isKept = mode !== 'smoke' || options.out !== undefined;
  let file;
  const total = { done: 0, of: countRuns(options), since: performance.now() };
  for (const scenario of scenarios) {
    const { runs, failures } = await runScenario(scenario, options, total, say);
    const { name, title, unit } = scenario;
    const parameters = parametersOf(scenario, mode);
    result.scenarios.push({ name, title, unit, parameters, servers: summarize(runs), runs });
    result.failures.push(...failures);
    // Written each time: what was measured is not lost when the next run does not end.
    if (isKept)
      file = writeResult(
        earlier === undefined ? result : replaceScenarios(earlier, result),
        options.out ?? into,
      );
  }
  say(`\n${table(result, scenarios, servers)}\n\n${latencyTable(result, scenarios, servers)}`);
  say(
    `\nMedian (min–max) of ${rounds} rounds.${file === undefined ? '' : ` Written to ${relative(process.cwd(), file)}`}`,
  );
  for (const failure of result.failures) say(`NO RESULT: ${failure}`);
  if (result.failures.length > 0) process.exitCode = 1;
}

function canRun(server) {
  const obstacle = obstacleOf(server);
  if (obstacle !== undefined) say(`${server.title} is left out: ${obstacle}.`);
  return obstacle === undefined;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
