import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { short, shown, unitText } from '../figure-text.mjs';
import { servers } from '../servers.mjs';
import { barChart } from './bar-chart.mjs';
import { drawStoppedReaders } from './draw-stopped-readers.mjs';
import { themes } from './themes.mjs';

const CHARTS = fileURLToPath(new URL('../../docs/charts/', import.meta.url));
const LESS_IS_BETTER = 'Shorter is better';

/** @typedef {{ scenario: string, figure: string }} Shown */

/** What each chart shows. @type {{ name: string, title: string, panels: Shown[] }[]} */
const charts = [
  {
    name: 'overview',
    title: 'What it costs to serve',
    panels: [cpu('fan-out'), cpu('rpc'), cpu('connections'), memory('idle')],
  },
  {
    name: 'fan-out',
    title: 'One message to many subscribers',
    panels: ['fan-out', 'fan-out-single', 'fan-out-rate', 'fan-out-100', 'channels', 'large'].map(cpu),
  },
  {
    name: 'calls-and-connections',
    title: 'Calls and connections',
    panels: [
      cpu('rpc'),
      cpu('rpc-single'),
      cpu('connections'),
      cpu('connections-token'),
      cpu('churn'),
      cpu('slow-readers'),
    ],
  },
  {
    name: 'memory',
    title: 'What an idle connection holds',
    panels: ['idle', 'idle-subscribed'].map(memory),
  },
  {
    name: 'middleware',
    title: 'With an inbound and an outbound middleware',
    panels: [
      cpu('fan-out-middleware'),
      cpu('channels-middleware'),
      cpu('rpc-middleware'),
      cpu('connections-middleware'),
    ],
  },
  {
    name: 'latency',
    title: 'How late a message arrives: 99 of 100 are not later',
    panels: [latency('fan-out'), latency('fan-out-rate'), latency('rpc'), latency('slow-readers')],
  },
];

/**
 * Draws the charts of a result into docs/charts/, each for light and for dark pages. A chart is drawn when the result has all of it.
 * @param {object} result as in a result file
 * @returns {string[]} the files
 */
export function drawCharts(result) {
  mkdirSync(CHARTS, { recursive: true });
  /** @type {string[]} */
  const files = [];
  for (const { name, title, panels: wanted } of charts) {
    const panels = wanted.map((each) => panelOf(result, each)).filter((panel) => panel !== undefined);
    if (panels.length !== wanted.length) continue;
    for (const [themeName, theme] of Object.entries(themes)) {
      const file = join(CHARTS, `${name}-${themeName}.svg`);
      const chart = { title, subtitle: subtitleOf(wanted), footer: footerOf(result), columns: 2, panels };
      writeFileSync(file, barChart(chart, theme));
      files.push(file);
    }
  }
  return [...files, ...drawStoppedReaders(result, CHARTS)];
}

function panelOf(result, { scenario: name, figure }) {
  const scenario = result.scenarios.find((each) => each.name === name);
  if (scenario === undefined) return undefined;
  const bars = servers
    .map(({ name: server, title, isPeer }) => ({
      summary: scenario.servers[server]?.[figure],
      server,
      title,
      isPeer,
    }))
    // A server without middlewares has no bar among those with.
    .filter(({ summary, server }) => summary !== undefined && isComparable(name, server))
    .map(({ summary, server, title, isPeer }) => {
      const value = shown(figure, summary.median);
      const kind = server === 'ours' ? 'ours' : isPeer ? 'peer' : 'ruler';
      const spread = { min: shown(figure, summary.min), max: shown(figure, summary.max) };
      return { label: title, value, ...spread, text: short(value), kind };
    });
  const unit = figure.startsWith('latency')
    ? 'milliseconds'
    : `${unitText(figure, scenario.unit)}, ${what(figure)}`;
  // The heading of their chart says it, and there is no room beside the next.
  const title = scenario.title.replace(', both middlewares', '');
  return bars.length === 0 ? undefined : { title, unit, bars };
}

function isComparable(scenario, server) {
  return (
    !scenario.endsWith('-middleware') || servers.find(({ name }) => name === server).hasMiddleware === true
  );
}

function subtitleOf(panels) {
  const figures = new Set(panels.map(({ figure }) => what(figure)));
  return `${LESS_IS_BETTER}: ${[...figures].join(', or ')}. Paler bars are rulers rather than alternatives.`;
}

function what(figure) {
  if (figure === 'memoryBytes') return 'resident memory after a collection';
  return figure === 'cpuMicros' ? 'processor time of the server' : 'time from sending to arrival';
}

function footerOf({ madeAt, rounds, machine }) {
  const made = `${madeAt.slice(0, 10)}, ${machine.processor}, Node ${machine.node.slice(1)}`;
  return `Median of ${rounds} alternating rounds; the thin line is the least and the most. All axes begin at zero. ${made}.`;
}

function cpu(scenario) {
  return { scenario, figure: 'cpuMicros' };
}

function memory(scenario) {
  return { scenario, figure: 'memoryBytes' };
}

function latency(scenario) {
  return { scenario, figure: 'latencyMs.p99' };
}
