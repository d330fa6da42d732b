/**
 * `npm run soak`: mixed load on a server for as long as told, and whether it ends as it began.
 *
 *     npm run soak -- --minutes 30     (default 30)
 *     npm run soak -- --seed 7         the chance of the load
 *     npm run soak -- --no-build       takes the packages as they were built last
 *     npm run soak -- --no-document    prints the verdict, and writes neither result, chart nor document
 *     npm run soak -- --charts         draws the chart and writes docs/faults.md from bench/results/soak.json; runs nothing
 *     npm run soak -- --leak           a server that leaks, which must be found out
 *
 * The server is a process with middleware on all lines, logins, calls both ways; the load another one: clients of ours and the published ones that
 * stay, visitors that come and go, readers that pause, one that never reads. A delivery checker judges every message. Fails when something was
 * lost, doubled or out of order, when the heap grows, or when something is left after everybody has gone.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.mjs';
import { UsageError } from '../options.mjs';
import { build } from '../prepare.mjs';
import { RESULTS, writeResult } from '../result-file.mjs';
import { documentSoak, summaryOf } from './document-soak.mjs';
import { judge, SHORT_MINUTES } from './judge.mjs';
import { AskedProcess } from './processes.mjs';

const SAMPLES = 180;
const LEAST_SAMPLE_MS = 500;
/** Short visits before anything is measured, unless the run is short itself, and how long they may take. */
const WARMING_VISITS = 4000;
const WARMING_MS = 600_000;
/** Where lines stay, one for so many samples is enough. */
const LINE_EVERY = 10;
/** How long closed connections may take to be gone. */
const LEAVING_MS = 15_000;

try {
  await main(readOptions());
} catch (error) {
  process.stderr.write(`${error instanceof UsageError ? error.message : error.stack}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

function readOptions() {
  let values;
  try {
    ({ values } = parseArgs({
      allowNegative: true,
      options: {
        minutes: { type: 'string', default: '30' },
        seed: { type: 'string', default: '1' },
        build: { type: 'boolean', default: true },
        document: { type: 'boolean', default: true },
        charts: { type: 'boolean', default: false },
        leak: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  if (!(minutes > 0 && minutes <= 24 * 60))
    throw new UsageError(`--minutes is a number up to 1440, not "${values.minutes}"`);
  if (!Number.isInteger(seed)) throw new UsageError(`--seed is a whole number, not "${values.seed}"`);
  return { ...values, minutes, seed };
}

async function main({ charts, minutes, seed, leak, ...options }) {
  if (charts) {
    report(JSON.parse(readFileSync(`${RESULTS}soak.json`, 'utf8')));
    return;
  }
  if (options.build) build();
  const result = {
    madeAt: new Date().toISOString(),
    mode: 'soak',
    machine: describeMachine(),
    minutes,
    seed,
    ...(await soak(minutes, seed, leak)),
  };
  result.verdict = judge(result);
  say(`\n${summaryOf(result)}`);
  for (const problem of result.verdict.problems) say(`PROBLEM: ${problem}`);
  if (result.verdict.problems.length > 0) process.exitCode = 1;
  if (!options.document || leak) return;
  say(`Written to ${relative(process.cwd(), writeResult(result, 'soak'))}`);
  report(result);
}

/** Loads a server and gives the samples of all that time. */
async function soak(minutes, seed, leak) {
  const server = new AskedProcess('./server.mjs', leak ? ['--leak'] : []);
  const load = new AskedProcess('./load-process.mjs');
  try {
    const [{ port }] = await Promise.all([server.next(), load.next()]);
    const sample = async () => (await server.ask({ order: 'sample' })).sample;
    const before = await sample();
    const visits = minutes < SHORT_MINUTES ? 0 : WARMING_VISITS;
    await load.ask({ order: 'begin', port, seed, visits }, WARMING_MS);
    await sample();
    const begun = performance.now();
    const everyMs = Math.max(LEAST_SAMPLE_MS, (minutes * 60_000) / SAMPLES);
    const samples = [];
    for (let due = everyMs; due <= minutes * 60_000; due += everyMs) {
      await sleep(Math.max(0, begun + due - performance.now()));
      const [ofServer, { done: ofLoad }] = await Promise.all([sample(), load.ask({ order: 'sample' })]);
      const minute = (performance.now() - begun) / 60_000;
      samples.push({ minute, server: ofServer, load: withoutFaults(ofLoad) });
      if (process.stdout.isTTY || samples.length % LINE_EVERY === 0)
        progress(minute, minutes, ofServer, ofLoad);
    }
    const { done: final } = await load.ask({ order: 'end' });
    const after = await whenAllHaveLeft(sample, before);
    const endings = [server, load].map((each) => each.unexpectedEnd).filter((end) => end !== undefined);
    return { before, samples, final, after, endings };
  } finally {
    await Promise.all([load.end(), server.end()]);
  }
}

/** The faults are in the last sample, all of them. */
function withoutFaults(sample) {
  return { ...sample, faults: undefined, verdict: { ...sample.verdict, examples: undefined } };
}

/** The first sample in which nothing is left of what was not there before, or the last one in time. */
async function whenAllHaveLeft(sample, before) {
  const until = performance.now() + LEAVING_MS;
  for (;;) {
    const now = await sample();
    const isOver = now.descriptors <= before.descriptors && now.deadlines <= before.deadlines;
    if (isOver || performance.now() > until) return now;
    await sleep(200);
  }
}

function report(result) {
  for (const file of documentSoak(result)) say(relative(process.cwd(), file));
}

function progress(minute, minutes, server, { verdict, faults, clients }) {
  const heap = (server.heapBytes / 1024 / 1024).toFixed(2);
  const text =
    `${minute.toFixed(1)} of ${minutes} min: heap ${heap} MiB, ${clients} clients, ${verdict.delivered} delivered, ` +
    `server ${(server.busy * 100).toFixed(0)} % busy${faults.length > 0 ? `, FAULTS: ${faults.join('; ')}` : ''}`;
  if (process.stdout.isTTY) process.stdout.write(`\r${text}   `);
  else say(text);
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
