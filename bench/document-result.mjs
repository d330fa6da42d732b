import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { latencyTable, table } from './report.mjs';
import { scenarios } from './scenarios.mjs';
import { servers } from './servers.mjs';

const DOCUMENT = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
const BEGIN = '<!-- results: written by `npm run bench -- --charts` -->';
const END = '<!-- end of results -->';

/**
 * Writes the tables of a result into docs/performance.md, in place of those that are there.
 * @param {object} result as in a result file
 * @returns {string} the file
 * @throws {Error} when the document has no place for them
 */
export function documentResult(result) {
  const document = readFileSync(DOCUMENT, 'utf8');
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`docs/performance.md has no place for results: ${BEGIN}`);
  const { machine, madeAt, rounds } = result;
  const shownServers = servers.filter(({ isHidden }) => isHidden !== true);
  const text = [
    BEGIN,
    '',
    `${madeAt.slice(0, 10)}, ${machine.processor}, ${machine.cores} cores, ${machine.kernel}, Node ${machine.node.slice(1)}, ` +
      `Bun ${machine.bun}. Median (least–most) of ${rounds} alternating rounds.${measuredLater(result)}`,
    '',
    table(result, scenarios, shownServers),
    '',
    'Rates, latencies and the delay of the event loop, medians:',
    '',
    latencyTable(result, scenarios, shownServers),
    '',
    ...stoppedReaders(result),
    END,
  ].join('\n');
  writeFileSync(DOCUMENT, document.slice(0, begin) + text + document.slice(end + END.length));
  return DOCUMENT;
}

/** Which scenarios were measured by themselves, after the rest. */
function measuredLater({ scenarios: results }) {
  const later = results.filter(({ madeAt }) => madeAt !== undefined);
  if (later.length === 0) return '';
  const said = later.map(
    ({ name, madeAt, rounds }) => `\`${name}\` (${madeAt.slice(0, 10)}, ${rounds} rounds)`,
  );
  return ` Measured later, by themselves: ${said.join(', ')}.`;
}

/** The chart of the readers that stopped, if it was drawn. */
function stoppedReaders({ scenarios: results }) {
  if (!results.some(({ name }) => name === 'stopped-readers')) return [];
  return [
    'What readers that stop cost the server, and what the others notice of it:',
    '',
    '<picture>',
    '  <source media="(prefers-color-scheme: dark)" srcset="charts/stopped-readers-dark.svg">',
    '  <img src="charts/stopped-readers-light.svg" alt="Memory of two servers and the latency of messages over time, while ten clients stop reading">',
    '</picture>',
    '',
  ];
}
