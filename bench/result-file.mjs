import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

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
 * @throws {Error} when there is none
 */
export function readResult(name) {
  if (name !== undefined) return JSON.parse(readFileSync(join(RESULTS, `${name}.json`), 'utf8'));
  const files = readdirSync(RESULTS)
    .filter((file) => file.endsWith('.json'))
    .map((file) => join(RESULTS, file))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const file of files) {
    const result = JSON.parse(readFileSync(file, 'utf8'));
    if (result.mode === 'full') return result;
  }
  throw new Error('There is no full result yet in bench/results/. Run `npm run bench` first.');
}

/** Five digits are more than any figure deserves. */
function rounded(_key, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
