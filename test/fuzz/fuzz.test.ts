import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { describeInput, fuzz, load } from './fuzz.js';
import { endServers, runInput } from './run-input.js';

const SEED = 7;
const BLOCKS = 2;
const INPUTS = 1000;
/** A machine may be busy. */
const TIMEOUT_MS = 120_000;

/** Inputs that once broke a rule, named after what went wrong. */
const found = fileURLToPath(new URL('./found/', import.meta.url));

afterAll(endServers);

describe('any bytes of any client', () => {
  test.for(Array.from({ length: BLOCKS }, (_, block) => SEED + block))(
    'are answered as the protocol says, and leave nothing behind (seed %i)',
    { timeout: TIMEOUT_MS },
    async (seed) => {
      const { failure, messages } = await fuzz(seed, INPUTS);
      const shown =
        failure === undefined ? '' : `${String(failure.error)}, sent ${describeInput(failure.input)}`;
      expect(shown).toBe('');
      expect(messages).toBeGreaterThan(INPUTS);
    },
  );

  test.for(existsSync(found) ? readdirSync(found) : [])('do not bring back %s', async (file) => {
    await expect(runInput(load(`${found}${file}`))).resolves.toBeGreaterThan(0);
  });
});
