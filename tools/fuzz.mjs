/**
 * `npm run fuzz`: any bytes that a client may send, against a real server in memory, from frames to packets to answers.
 *
 *     npm run fuzz -- --seconds 600 --seed 7    for so long (60), from this seed (one of the clock)
 *     npm run fuzz -- --replay fuzz-7.json      a failing input again
 *
 * Tells how many inputs it ran per second. An input that breaks a rule is made smaller, shown, and saved as `fuzz-SEED.json`.
 */
import { parseArgs } from 'node:util';
import { loadFromSources } from '@socketcluster-ts/testkit/load-from-sources';
import { root } from './check.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    replay: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed);
if (!(seconds > 0) || !Number.isInteger(seed)) {
  console.error(
    `--seconds has to be a number above 0, and --seed a whole number - Got ${values.seconds} and ${values.seed}`,
  );
  process.exit(2);
}
const { fuzzing } = await loadFromSources({ fuzzing: `${root}/test/fuzz/fuzz.ts` });
const isFine =
  values.replay === undefined
    ? await fuzzing.fuzzForTime({ seconds, seed, saveTo: `fuzz-${seed}.json` })
    : await fuzzing.replay(values.replay);
process.exit(isFine ? 0 : 1);
