import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from './options.mjs';
import { scenarios as allScenarios } from './scenarios.mjs';

/** Where results go. */
export const RESULTS = fileURLToPath(new URL('./results/', import.meta.url));

/**
 * Writes a result.
 * @param {{ mode: string, madeAt: string }} result
 * @param {string} [name] without .json
 * @returns {string} the file
 */
export function writeResult(
  result,
  name = `${result.mode}-${result.madeAt.slice(0, 19).replaceAll(':', '-')}`,
) {
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `${name}.json`);
  writeFileSync(file, `${JSON.stringify(result, rounded, 1)}\n`);
  return file;
}

/**
 * Reads a result: the one of that name, or the newest of a full run.
 * @param {string} [name] without .json
 * @throws {UsageError} when there is none
 */
export function readResult(name) {
  if (name !== undefined) {
    const file = join(RESULTS, `${name}.json`);
    if (!existsSync(file)) throw new UsageError(`There is no result "${name}" in bench/results/.`);
    return JSON.parse(readFileSync(file, 'utf8'));
  }
  const files = readdirSync(RESULTS)
    .filter((file) => file.endsWith('.json'))
    .map((file) => join(RESULTS, file))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const file of files) {
    const result = JSON.parse(readFileSync(file, 'utf8'));
    if (result.mode === 'full') return result;
  }
  throw new UsageError('There is no full result yet in bench/results/. Run `npm run bench` first.');
}

/**
 * An earlier result, with the scenarios of a later one in the place of its own; these say when they were measured, and how often.
 * @param {{ scenarios: { name: string }[], failures: string[] }} earlier
 * @param {{ madeAt: string, rounds: number, scenarios: { name: string }[], failures: string[] }} later
 */
export function replaceScenarios(earlier, later) {
  const { madeAt, rounds } = later;
  const replaced = later.scenarios.map((scenario) => ({ ...scenario, madeAt, rounds }));
  const isNew = (name) => replaced.some((scenario) => scenario.name === name);
  return {
    ...earlier,
    scenarios: allScenarios
      .map(({ name }) => [...replaced, ...earlier.scenarios].find((scenario) => scenario.name === name))
      .filter((scenario) => scenario !== undefined),
    failures: [...earlier.failures.filter((failure) => !isNew(failure.split(',', 1)[0])), ...later.failures],
  };
}

/** Five digits are more than any figure deserves. */
function rounded(_key, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
