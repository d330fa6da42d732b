import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { barChart } from '../charts/bar-chart.mjs';
import { themes } from '../charts/themes.mjs';

const CHARTS = fileURLToPath(new URL('../../docs/charts/', import.meta.url));

/**
 * Draws what clients notice of a rolling restart, for light and for dark pages.
 * @param {{ rolling?: { madeAt: string, machine: object, rows: object[] } }} result
 * @returns {string[]} the files
 */
export function drawRestarts({ rolling }) {
  if (rolling === undefined) return [];
  const { rows, machine, madeAt } = rolling;
  const [{ clients, restarts }] = rows;
  const chart = {
    title: 'A rolling restart behind HAProxy, as clients notice it',
    subtitle: `${clients} clients that call ten times a second, ${restarts} servers restarted one after the other. Shorter is better.`,
    footer: `${machine.processor}, ${machine.cores} cores, Node.js ${machine.node}, ${madeAt.slice(0, 10)}`,
    columns: 2,
    panels: [
      panel(
        'Time without a connection',
        'seconds, 99 of 100 are not longer',
        rows,
        ({ awayMs }) => awayMs.p99 / 1000,
      ),
      panel('Calls that were sent and lost', 'calls', rows, ({ callsLost }) => callsLost),
      panel('Connections that begin in one second', 'at the peak', rows, (row) => row.peakConnectsPerSecond),
      panel(
        'From SIGTERM to the end of the process',
        'seconds; ours sends its clients away over five',
        rows,
        ({ exitMs }) => exitMs / 1000,
      ),
    ],
  };
  mkdirSync(CHARTS, { recursive: true });
  return Object.entries(themes).map(([name, theme]) => {
    const file = join(CHARTS, `restarts-${name}.svg`);
    writeFileSync(file, barChart(chart, theme));
    return file;
  });
}

function panel(title, unit, rows, figure) {
  const bars = rows.map((row) => {
    const value = figure(row);
    const text = Number.isInteger(value) ? String(value) : value.toFixed(1);
    const kind = row.label.startsWith('ours') ? 'ours' : 'peer';
    return { label: row.label, value, min: value, max: value, text, kind };
  });
  return { title, unit, bars };
}
