import { loadavg } from 'node:os';
import { short, shown, unitText } from './figure-text.mjs';
import { runOnce } from './run-once.mjs';
import { takesPart } from './scenarios.mjs';
import { mainFigureOf } from './statistics.mjs';

/**
 * Runs scenarios against servers, alternated run by run: what disturbs the machine for a while disturbs all of them. The order of the
 * servers changes from round to round. Shows each run when it is done.
 * @param {import('./options.mjs').Options} options
 * @param {(line: string) => void} say
 * @returns {Promise<{ runs: Map<string, Record<string, object[]>>, failures: string[] }>} the figures by scenario and server
 */
export async function runRounds({ scenarios, servers: allServers, rounds, mode }, say) {
  const serversOf = (scenario) => allServers.filter((server) => takesPart(scenario, server));
  const total = scenarios.reduce((sum, scenario) => sum + serversOf(scenario).length * rounds, 0);
  const startedAt = performance.now();
  /** @type {Map<string, Record<string, object[]>>} */
  const runs = new Map();
  const failures = [];
  let done = 0;
  for (const scenario of scenarios) {
    const servers = serversOf(scenario);
    const figuresOf = Object.fromEntries(servers.map(({ name }) => [name, []]));
    runs.set(scenario.name, figuresOf);
    for (let round = 0; round < rounds; round += 1) {
      for (const server of rotated(servers, round)) {
        const { figures, failure } = await runOnce(scenario, server, { mode });
        done += 1;
        if (figures === undefined)
          failures.push(`${scenario.name}, ${server.name}, round ${round + 1}: ${failure}`);
        else figuresOf[server.name].push(figures);
        const minutesLeft = ((performance.now() - startedAt) / done / 60_000) * (total - done);
        say(
          [
            `[${String(done).padStart(String(total).length)}/${total}]`,
            `round ${round + 1}/${rounds}`,
            scenario.name.padEnd(22),
            server.name.padEnd(10),
            figures === undefined ? `NO RESULT: ${failure}` : lineOf(scenario, figures),
            ...(done < total
              ? [`  ${minutesLeft < 1 ? 'under a minute' : `${Math.round(minutesLeft)} min`} left`]
              : []),
          ].join(' '),
        );
      }
    }
  }
  return { runs, failures };
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
