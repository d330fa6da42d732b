/**
 * `npm run faults`: the fault matrix, each row as often as told, each run with a seed of its own.
 *
 *     npm run faults                      every row once; writes the table of docs/faults.md
 *     npm run faults -- --times 20        every row twenty times
 *     npm run faults -- --rows 1,6        only these; writes nothing, or with --write only their lines
 *     npm run faults -- --seed 7          the first run of each row with this seed, the next with 8, …
 *     npm run faults -- --workers 1       how many rows at the same time (default 2)
 *
 * Prints a table: what was injected, what the delivery checker says of all runs, and how long that took which has a limit. It fails when a
 * run failed, or took longer than its limit (by more than the 0.1 s to which that is measured).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { environment, root, run } from './check.mjs';

const ROWS = 'test/faults/rows';
const DOCUMENT = join(root, 'docs/faults.md');
const BEGIN = '<!-- matrix: written by `npm run faults -- --times N` -->';
const END = '<!-- end of matrix -->';

/** A state is asked for every 50 ms, and the answer takes a moment. */
const MEASURED_TO_MS = 100;

class UsageError extends Error {}

function readOptions() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        times: { type: 'string', default: '1' },
        rows: { type: 'string' },
        seed: { type: 'string' },
        workers: { type: 'string', default: '2' },
        write: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  for (const name of ['times', 'workers', 'seed']) {
    const given = values[name];
    if (given !== undefined && !/^[1-9]\d*$/.test(given))
      throw new UsageError(`--${name} is a whole number from 1, not "${given}"`);
  }
  const files = readdirSync(join(root, ROWS)).filter((file) => file.endsWith('.test.ts'));
  const numbers = values.rows?.split(',').map((row) => Number.parseInt(row, 10));
  const chosen =
    numbers === undefined ? files : files.filter((file) => numbers.includes(Number.parseInt(file, 10)));
  if (
    numbers !== undefined &&
    new Set(chosen.map((file) => Number.parseInt(file, 10))).size < new Set(numbers).size
  )
    throw new UsageError(
      `--rows has a row that is not among ${files.map((file) => Number.parseInt(file, 10)).join(', ')}`,
    );
  return { ...values, files: chosen, isAll: numbers === undefined };
}

/** Runs the rows and gives the reports of all runs. */
function inject({ times, seed, workers, files }) {
  const folder = mkdtempSync(join(tmpdir(), 'faults-'));
  try {
    const report = join(folder, 'report.jsonl');
    const { status } = spawnSync(
      'vitest',
      ['run', '--project', 'faults', `--maxWorkers=${workers}`, ...files.map((file) => `${ROWS}/${file}`)],
      {
        cwd: root,
        stdio: 'inherit',
        env: {
          ...environment,
          FAULT_TIMES: times,
          FAULT_REPORT: report,
          ...(seed === undefined ? undefined : { FAULT_SEED: seed }),
        },
      },
    );
    if (!existsSync(report)) throw new Error('No row was run to its end.');
    const reports = readFileSync(report, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    return { reports, ok: status === 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All runs of a row as one line of the table. */
function lineOf(reports) {
  const [{ row, fault, inject: injected, holds, limit }] = reports;
  const sum = (name) => reports.reduce((total, { verdict }) => total + verdict[name], 0);
  const took = reports
    .map(({ tookMs }) => tookMs)
    .filter((ms) => ms !== undefined)
    .toSorted((a, b) => a - b);
  const failed = reports.filter(({ passed }) => !passed).length;
  const counts = ['lost', 'duplicates', 'reordered']
    .map((name) => `${sum(name)} ${name === 'duplicates' ? 'doubled' : name}`)
    .join(', ');
  const messages = `of ${sum('acknowledged').toLocaleString('en')} acknowledged, ${sum('delivered').toLocaleString('en')} delivered`;
  const failures = sum('refused') + sum('unknown');
  const longestGap = Math.max(...reports.map(({ verdict }) => verdict.longestGapMs));
  const signalled = [
    failures > 0 ? `, ${failures} failed with an error` : '',
    longestGap > 0
      ? `, ${sum('missedInGap')} missed in a gap that was told after ${seconds(longestGap)} at most`
      : '',
  ].join('');
  const isLate = limit !== undefined && (took.at(-1) ?? Infinity) > limit.ms + MEASURED_TO_MS;
  return {
    cells: [
      row,
      fault,
      injected,
      holds,
      failed === 0 ? `${reports.length}` : `${reports.length}, ${failed} FAILED`,
      `${counts} ${messages}; ${sum('cutOff')} cut off under way, ${sum('missedAway')} missed while away${signalled}`,
      limit === undefined ? '–' : `${limit.of} within ${limit.ms / 1000} s`,
      limit === undefined ? '–' : seconds(took[Math.floor((took.length - 1) / 2)]),
      limit === undefined ? '–' : `${seconds(took.at(-1))}${isLate ? ' LATE' : ''}`,
    ],
    failed,
    isLate,
  };
}

function byRow(a, b) {
  return a.localeCompare(b, 'en', { numeric: true });
}

function cellsOf(line) {
  return line.slice(2, -2).split(' | ');
}

function seconds(ms) {
  return ms === undefined ? 'not seen' : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

function tableOf(lines) {
  const head = [
    'row',
    'fault',
    'injected',
    'must hold',
    'runs',
    'verdict of the checker',
    'limit',
    'median',
    'longest',
  ];
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Writes the table; of a run of some rows only their lines, the others stay as they are. */
function writeTable(lines, { times, isAll }) {
  const document = readFileSync(DOCUMENT, 'utf8');
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`docs/faults.md has no place for the matrix: ${BEGIN}`);
  const before = document
    .slice(begin + BEGIN.length, end)
    .trim()
    .split('\n');
  const which = isAll ? '' : `Rows ${lines.map((line) => line.cells[0]).join(', ')}: `;
  const isHeading = (text) => text !== '' && !text.startsWith('|') && !text.startsWith(which);
  const headings = isAll ? [] : before.filter(isHeading);
  const cells = new Map(
    isAll
      ? []
      : before
          .filter((line) => /^\| \d/.test(line))
          .map(cellsOf)
          .map((each) => [each[0], each]),
  );
  for (const line of lines) cells.set(line.cells[0], line.cells);
  const table = tableOf([...cells].toSorted(([a], [b]) => byRow(a, b)).map(([, each]) => each));
  const made = `${which}${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.versions.node}, load average ${loadavg()[1].toFixed(1)}, ${times} × each row.`;
  writeFileSync(
    DOCUMENT,
    `${document.slice(0, begin)}${BEGIN}\n\n${[...headings, made].join('\n\n')}\n\n${table}\n\n${document.slice(end)}`,
  );
}

function main() {
  const options = readOptions();
  const build = run('npm', ['run', '--silent', 'build']);
  if (!build.ok) throw new Error(build.output);
  const { reports, ok } = inject(options);
  const rows = groupByRow(reports);
  const lines = [...rows].toSorted(([a], [b]) => byRow(a, b)).map(([, each]) => lineOf(each));
  const table = tableOf(lines.map(({ cells }) => cells));
  console.log(`\n${table}\n`);
  for (const { row, passed, failure, seed } of reports)
    if (!passed) console.log(`row ${row} failed with FAULT_SEED=${seed}: ${failure}`);
  // A limit that was missed belongs into the document; a run that failed has nothing to say about times.
  if (ok && (options.isAll || options.write)) {
    writeTable(lines, options);
    console.log('Written to docs/faults.md');
  }
  if (!ok || lines.some(({ failed, isLate }) => failed > 0 || isLate)) process.exitCode = 1;
}

function groupByRow(reports) {
  const rows = new Map();
  for (const report of reports) rows.set(report.row, [...(rows.get(report.row) ?? []), report]);
  return rows;
}

try {
  main();
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
