/**
 * How the benchmark talks to a server process, the same in all of them: a line on standard input is a question, a line of JSON on
 * standard output its answer. The process ends when its standard input does, so none survives the benchmark.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { wants } from './application.mjs';

/** A collection frees what only finalizers held; the next one frees what they let go. */
const COLLECTIONS = 3;
const BETWEEN_COLLECTIONS_MS = 60;

/**
 * Tells the benchmark that the server is listening, and answers its questions from now on: `begin` and `end` of a measurement, and
 * `collect` for a forced garbage collection.
 * @param {number} port
 */
export function serveControl(port) {
  // Bun's own figure is not comparable, so it has none.
  const delay = process.versions.bun === undefined ? monitorEventLoopDelay({ resolution: 10 }) : undefined;
  delay?.enable();
  const answers = {
    collect: async () => {
      for (let round = 0; round < COLLECTIONS; round += 1) {
        if (globalThis.Bun === undefined) globalThis.gc();
        else globalThis.Bun.gc(true);
        await sleep(BETWEEN_COLLECTIONS_MS);
      }
      return null;
    },
    begin: async () => {
      if (wants.profile !== undefined) await (await import('./profile.mjs')).begin(wants.profile);
      delay?.reset();
      return null;
    },
    end: async () => {
      const loopDelayP99Ms = delay === undefined ? null : delay.percentile(99) / 1e6;
      if (wants.profile !== undefined) await (await import('./profile.mjs')).end(wants.profile);
      return { loopDelayP99Ms };
    },
  };
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    void (async () => say({ answer: await answers[line]() }))();
  });
  lines.on('close', () => process.exit(0));
  say({ port });
}

function say(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
