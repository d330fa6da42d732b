import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { barChart } from '../charts/bar-chart.mjs';
import { themes } from '../charts/themes.mjs';
import { short } from '../figure-text.mjs';
import { NODE_COUNTS } from './loads.mjs';
import { relayCost, total } from './relay-cost.mjs';
import { setups } from './setups.mjs';

const CHARTS = fileURLToPath(new URL('../../docs/charts/', import.meta.url));

/**
 * Draws what the way to another node costs, for light and for dark pages.
 * @param {object} result as in bench/results/relay.json
 * @returns {string[]} the files
 */
export function drawRelay({ summary, machine, madeAt, rounds, loads }) {
  const relay = (load, figure) =>
    setups.flatMap((setup) => {
      const found = summary.relay[`${setup.name} ${load}`];
      return found === undefined ? [] : [bar(setup, figure(found))];
    });
  const cost = setups.flatMap((setup) => {
    const spread = relayCost(summary, setup, 'burst');
    return spread === undefined ? [] : [bar(setup, spread)];
  });
  const bytes = NODE_COUNTS.flatMap((nodes) =>
    setups.flatMap((setup) => {
      const found = summary.bytes[`${setup.name} ${nodes}`]?.bytesPerMessage;
      return found === undefined ? [] : [bar(setup, found, `${setup.title}, ${nodes}`)];
    }),
  );
  const chart = {
    title: 'From one node to another',
    subtitle:
      'A message of 100 bytes, published on one node and delivered to one subscriber on another. Shorter is better; pale bars have no way to go.',
    footer: `Median of ${rounds} rounds; the thin line is the least and the most. ${machine.processor}, ${machine.cores} cores, Node ${machine.node.slice(1)}, ${madeAt.slice(0, 10)}`,
    columns: 2,
    panels: [
      {
        title: `Both nodes, ${short(loads.rate.perSecond)} messages/s`,
        unit: 'µs of processor time per message',
        bars: relay('rate', total),
      },
      { title: 'What the relay adds, under load', unit: 'µs of processor time per message', bars: cost },
      {
        title: `Latency, ${short(loads.rate.perSecond)} messages/s`,
        unit: 'milliseconds, 99 of 100 are not longer',
        bars: relay('rate', (found) => found['latencyMs.p99']),
      },
      { title: 'To a node, with 2 and with 4 nodes', unit: 'bytes per message for its clients', bars: bytes },
    ],
  };
  mkdirSync(CHARTS, { recursive: true });
  return Object.entries(themes).map(([name, theme]) => {
    const file = join(CHARTS, `relay-${name}.svg`);
    writeFileSync(file, barChart(chart, theme));
    return file;
  });
}

function bar({ title, alone, needsPeers }, { median, min, max }, label = title) {
  const kind = alone === undefined ? 'ruler' : needsPeers ? 'peer' : 'ours';
  return {
    label,
    value: Math.max(0, median),
    min: Math.max(0, min),
    max: Math.max(0, max),
    text: short(median),
    kind,
  };
}
