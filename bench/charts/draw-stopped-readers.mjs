import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { servers } from '../servers.mjs';
import { lineChart } from './line-chart.mjs';
import { themes } from './themes.mjs';

const MIB = 1024 * 1024;

/**
 * Draws what a server holds, and how late messages are for those who read, before and after some have stopped reading; for light and
 * for dark pages. Shown is the run with the median growth.
 * @param {object} result as in a result file
 * @param {string} folder
 * @returns {string[]} the files; none when the result does not have it
 */
export function drawStoppedReaders({ scenarios, machine, madeAt }, folder) {
  const scenario = scenarios.find(({ name }) => name === 'stopped-readers');
  if (scenario === undefined) return [];
  const { subscribers, stopped, beforeMs } = scenario.parameters;
  const runs = servers
    .filter(({ name }) => scenario.runs[name]?.length > 0)
    .map(({ name, title }) => ({ name, title, run: median(scenario.runs[name]) }));
  const linesOf = (figure) =>
    runs.map(({ name, title, run }) => ({
      label: title,
      kind: name === 'ours' ? 'ours' : 'peer',
      points: run.timeline.map((sample) => ({ x: sample.seconds, y: figure(sample) })),
    }));
  const chart = {
    title: `${stopped} clients stop reading, ${subscribers.toLocaleString('en-US')} go on`,
    subtitle: `All read for ${beforeMs / 1000} s. Those that stop are sent 3 MB a second each. Lower is better; across are seconds.`,
    // It may have been measured after the rest.
    footer: `${(scenario.madeAt ?? madeAt).slice(0, 10)}, ${machine.processor}, Node ${machine.node.slice(1)}. All axes begin at zero.`,
    columns: 2,
    panels: [
      {
        title: 'Memory of the server',
        unit: 'MiB resident',
        lines: linesOf(({ residentBytes }) => residentBytes / MIB),
      },
      {
        title: 'How late messages are for those who read',
        unit: 'milliseconds; 99 of 100 are not later',
        lines: linesOf(({ p99Ms }) => p99Ms ?? 0),
      },
    ],
  };
  return Object.entries(themes).map(([theme, colours]) => {
    const file = join(folder, `stopped-readers-${theme}.svg`);
    writeFileSync(file, lineChart(chart, colours));
    return file;
  });
}

function median(runs) {
  return runs.toSorted((a, b) => a.grownBytes - b.grownBytes)[runs.length >> 1];
}
