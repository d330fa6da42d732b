import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lineChart } from '../charts/line-chart.mjs';
import { themes } from '../charts/themes.mjs';
import { mebibytes } from './judge.mjs';

const DOCUMENT = fileURLToPath(new URL('../../docs/faults.md', import.meta.url));
const CHARTS = fileURLToPath(new URL('../../docs/charts/', import.meta.url));
const BEGIN = '<!-- soak: written by `npm run soak` -->';
const END = '<!-- end of soak -->';
const MIB = 1024 * 1024;
const PICTURE = `<picture>
  <source media="(prefers-color-scheme: dark)" srcset="charts/soak-dark.svg">
  <img src="charts/soak-light.svg" alt="Heap, resident memory, clients, deadlines, deliveries and event-loop delay of a server over the time of a soak run">
</picture>`;

/**
 * Draws the chart of a soak run and writes its figures into docs/faults.md.
 * @param {object} result as in a result file
 * @returns {string[]} the files
 * @throws {Error} when the document has no place for it
 */
export function documentSoak(result) {
  const document = readFileSync(DOCUMENT, 'utf8');
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`docs/faults.md has no place for the soak run: ${BEGIN}`);
  mkdirSync(CHARTS, { recursive: true });
  const files = Object.entries(themes).map(([name, theme]) => {
    const file = join(CHARTS, `soak-${name}.svg`);
    writeFileSync(file, lineChart(chartOf(result), theme));
    return file;
  });
  const { madeAt, machine } = result;
  const text = [
    BEGIN,
    '',
    `${madeAt.slice(0, 10)}, ${machine.processor}, ${machine.cores} cores, Node ${machine.node.slice(1)}.`,
    '',
    PICTURE,
    '',
    summaryOf(result),
    '',
    END,
  ].join('\n');
  writeFileSync(DOCUMENT, document.slice(0, begin) + text + document.slice(end + END.length));
  return [...files, DOCUMENT];
}

/** The figures of a run as a table. */
export function summaryOf(result) {
  const { minutes, before, after, final, verdict, samples } = result;
  const { heap, resident, leftBytes, problems } = verdict;
  const { verdict: found } = final;
  const last = samples.at(-1);
  const perSecond = (count) => Math.round(count / (minutes * 60)).toLocaleString('en');
  const mean = (of) => samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const rows = [
    [
      'lasted',
      `${minutes} minutes; ${problems.length === 0 ? 'no problem was found' : `${problems.length} PROBLEMS`}`,
    ],
    ['heap after a collection', `${mebibytes(heap.meanBytes)} on average`],
    [
      'its slope after the warm-up',
      `${mebibytes(heap.bytesPerHour)} ± ${mebibytes(heap.errorBytesPerHour)} per hour (standard error), from ${heap.minutes.toFixed(0)} minutes`,
    ],
    [
      'resident memory',
      `${mebibytes(resident.meanBytes)} on average, ${mebibytes(resident.bytesPerHour)} ± ${mebibytes(resident.errorBytesPerHour)} per hour`,
    ],
    ['after everybody has left', `${mebibytes(leftBytes)} more heap than before the first connection`],
    [
      'handles',
      `${before.descriptors} file descriptors before, ${after.descriptors} after; ${before.deadlines} and ${after.deadlines} deadlines, ${before.clients} and ${after.clients} sockets`,
    ],
    [
      'published',
      `${found.sent.toLocaleString('en')} messages (${perSecond(found.sent)}/s), ${found.acknowledged.toLocaleString('en')} acknowledged, ${found.refused.toLocaleString('en')} refused by the middleware, ${found.unknown.toLocaleString('en')} unknown`,
    ],
    ['delivered', `${found.delivered.toLocaleString('en')} (${perSecond(found.delivered)}/s)`],
    [
      'verdict of the checker',
      `${found.lost} lost, ${found.duplicates} doubled, ${found.reordered} reordered, ${found.foreign + found.contradicted + found.late} wrong`,
    ],
    [
      'churn',
      `${final.visits.toLocaleString('en')} visitors, ${final.logins.toLocaleString('en')} logins, ${final.stuckConnections} connections of a reader that never reads; ${last?.load.cutOff} connections of others cut off`,
    ],
    [
      'calls',
      `${final.callsAnswered.toLocaleString('en')} of clients answered; ${last?.server.answered.toLocaleString('en')} of ${last?.server.calls.toLocaleString('en')} of the server`,
    ],
    [
      'event loop',
      `${mean(({ server }) => server.loopDelayP99Ms).toFixed(1)} ms between two turns of a timer of 10 ms, in 99 of 100 cases, on average; ${(mean(({ server }) => server.busy) * 100).toFixed(0)} % of a core used`,
    ],
  ];
  return [['', ''], ['---', '---'], ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function chartOf({ minutes, samples, madeAt, machine, verdict }) {
  const points = (of) => samples.map((sample) => ({ x: sample.minute, y: of(sample) }));
  const rate = samples.map(({ minute, load }, index) => {
    const earlier = samples[index - 1];
    const seconds = (minute - (earlier?.minute ?? 0)) * 60;
    return { x: minute, y: (load.verdict.delivered - (earlier?.load.verdict.delivered ?? 0)) / seconds };
  });
  const slope = `${mebibytes(verdict.heap.bytesPerHour)} ± ${mebibytes(verdict.heap.errorBytesPerHour)} per hour`;
  return {
    title: `${minutes} minutes under mixed load`,
    subtitle: `Slope of the heap after the warm-up: ${slope}. All axes begin at zero.`,
    footer: `Minutes on the horizontal axes. ${madeAt.slice(0, 10)}, ${machine.processor}, Node ${machine.node.slice(1)}.`,
    columns: 2,
    panels: [
      {
        title: 'Heap',
        unit: 'MiB after a collection',
        points: points(({ server }) => server.heapBytes / MIB),
      },
      { title: 'Resident memory', unit: 'MiB', points: points(({ server }) => server.residentBytes / MIB) },
      {
        title: 'Connected clients',
        unit: 'sockets of the server',
        points: points(({ server }) => server.clients),
      },
      {
        title: 'Deadlines',
        unit: 'things that will be due',
        points: points(({ server }) => server.deadlines),
      },
      { title: 'Deliveries', unit: 'per second', points: rate },
      {
        title: 'Delay of the event loop',
        unit: 'ms between two turns of a timer of 10 ms, 99 of 100 are not longer',
        points: points(({ server }) => server.loopDelayP99Ms),
      },
    ],
  };
}
