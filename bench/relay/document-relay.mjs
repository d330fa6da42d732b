import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { short } from '../figure-text.mjs';
import { markdown } from '../report.mjs';
import { NODE_COUNTS, WORKER_COUNTS } from './loads.mjs';
import { relayCost } from './relay-cost.mjs';
import { setups } from './setups.mjs';

const DOCUMENT = fileURLToPath(new URL('../../docs/scaling.md', import.meta.url));
const BEGIN = '<!-- relay: written by `npm run bench:relay` -->';
const END = '<!-- end of relay -->';
/** A load average before the benchmark that shows in its figures. */
const BUSY = 1;

/**
 * Writes the tables of a result into docs/scaling.md, in place of those that are there.
 * @param {object} result as in bench/results/relay.json
 * @returns {string} the file
 * @throws {Error} when the document has no place for them
 */
export function documentRelay({ summary, machine, madeAt, rounds, loads }) {
  const document = readFileSync(DOCUMENT, 'utf8');
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`docs/scaling.md has no place for results: ${BEGIN}`);
  const text = [
    BEGIN,
    '',
    `${madeAt.slice(0, 10)}, ${machine.processor}, ${machine.cores} cores, Node ${machine.node.slice(1)}. Medians of ${rounds} rounds. Processor time is in ` +
      'microseconds per message; what the relay adds is both nodes less one alone, which takes and delivers the message, too.' +
      (machine.loadAverageBefore > BUSY
        ? ' The machine was busy with other things: latencies above all are noisy.'
        : ''),
    '',
    `One message at a time, ${short(loads.rate.perSecond)} a second:`,
    '',
    relayTable(summary, 'rate'),
    '',
    `Under load, ${loads.burst.outstanding} messages in flight:`,
    '',
    relayTable(summary, 'burst'),
    '',
    'Bytes from the engine to a node for each message that the clients of the node get, in rooms that are on two nodes:',
    '',
    bytesTable(summary),
    '',
    `Calls per second that workers of \`serve()\` answer, on ${machine.cores} cores with the load generator, the handler taking some 30 µs: ` +
      `${WORKER_COUNTS.map((workers) => `${short(summary.workers[workers].perSecond.median)} with ${workers}`).join(', ')}.`,
    '',
    '<picture>',
    '  <source media="(prefers-color-scheme: dark)" srcset="charts/relay-dark.svg">',
    '  <img src="charts/relay-light.svg" alt="Processor time, latency and bytes of a message from one node to another, through each engine">',
    '</picture>',
    '',
    END,
  ].join('\n');
  writeFileSync(DOCUMENT, document.slice(0, begin) + text + document.slice(end + END.length));
  return DOCUMENT;
}

function relayTable(summary, load) {
  const header = [
    'through',
    'publishing node',
    'receiving node',
    'engine',
    'relay adds',
    'p50 ms',
    'added',
    'p99 ms',
    'added',
    'messages/s',
  ];
  const rows = setups.flatMap((setup) => {
    const found = summary.relay[`${setup.name} ${load}`];
    if (found === undefined) return [];
    const cost = relayCost(summary, setup, load);
    const figure = (path) => short(found[path].median);
    const ofOthers = (path) => (cost === undefined ? '' : figure(path));
    const base = summary.relay[`${setup.alone} ${load}`];
    const added = (path) => (base === undefined ? '' : short(found[path].median - base[path].median));
    return [
      [
        setup.title,
        figure('cpuMicros.publishing'),
        ofOthers('cpuMicros.receiving'),
        ofOthers('cpuMicros.engine'),
        cost === undefined ? '' : short(cost.median),
        figure('latencyMs.p50'),
        added('latencyMs.p50'),
        figure('latencyMs.p99'),
        added('latencyMs.p99'),
        figure('perSecond'),
      ],
    ];
  });
  return markdown([header, ...rows]);
}

function bytesTable(summary) {
  const rows = setups
    .filter(({ hasBytes }) => hasBytes)
    .map(({ name, title }) => [
      title,
      ...NODE_COUNTS.map((nodes) => short(summary.bytes[`${name} ${nodes}`].bytesPerMessage.median)),
    ]);
  return markdown([['through', ...NODE_COUNTS.map((nodes) => `${nodes} nodes`)], ...rows]);
}
