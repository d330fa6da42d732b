import { loadavg } from 'node:os';
import { short, shown, unitText } from './figure-text.mjs';
import { runOnce } from './run-once.mjs';
import { takesPart } from './scenarios.mjs';
import { mainFigureOf } from './statistics.mjs';

/**
 * How many runs there will be.
 * @param {import('./options.mjs').Options} options
 */
export function countRuns({ scenarios, servers, rounds }) {
  return scenarios.reduce((sum, scenario) => sum + serversOf(scenario, servers).length * rounds, 0);
}

/**
 * Runs a scenario against servers, alternated run by run: what disturbs the machine for a while disturbs all of them. The order of the
 * servers changes from round to round. Shows each run when it is done.
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @param {import('./options.mjs').Options} options
 * @param {{ done: number, of: number, since: number }} total the runs of all scenarios; `done` is kept here
 * @param {(line: string) => void} say
 * @returns {Promise<{ runs: Record<string, object[]>, failures: string[] }>} the figures by server
 */
export async function runScenario(scenario, { servers: allServers, rounds, mode }, total, say) {
  const servers = serversOf(scenario, allServers);
  const runs = Object.fromEntries(servers.map(({ name }) => [name, []]));
  const failures = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const server of rotated(servers, round)) {
      const { figures, failure } = await runOnce(scenario, server, { mode });
      total.done += 1;
      if (figures === undefined)
        failures.push(`${scenario.name}, ${server.name}, round ${round + 1}: ${failure}`);
      else runs[server.name].push(figures);
      const minutesLeft = ((performance.now() - total.since) / total.done / 60_000) * (total.of - total.done);
      say(
        [
          `[${String(total.done).padStart(String(total.of).length)}/${total.of}]`,
          `round ${round + 1}/${rounds}`,
          scenario.name.padEnd(22),
          server.name.padEnd(10),
          figures === undefined ? `NO RESULT: ${failure}` : lineOf(scenario, figures),
          ...(total.done < total.of
            ? [`  ${minutesLeft < 1 ? 'under a minute' : `${Math.round(minutesLeft)} min`} left`]
            : []),
        ].join(' '),
      );
    }
  }
  return { runs, failures };
}

function serversOf(scenario, servers) {
  return servers.filter((server) => takesPart(scenario, server));
}

/** How busy the machine was with other things, at any time. */
export function loadAverage() {
  return loadavg()[0];
}

function rotated(list, by) {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

function lineOf(scenario, figures) {
  const main = mainFigureOf(scenario);
  const parts = [`${short(shown(main, figures[main]))} ${unitText(main, scenario.unit)}`.padEnd(26)];
  if (figures.perSecond !== undefined) parts.push(`${short(figures.perSecond)}/s`.padStart(11));
  if (figures.latencyMs?.p99 !== undefined) parts.push(`p99 ${short(figures.latencyMs.p99)} ms`.padStart(14));
  return parts.join(' ');
}
