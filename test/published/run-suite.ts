import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { compileFunction } from 'node:vm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

const require = createRequire(import.meta.url);

/** What a suite finds in place of what it asks for. */
export type Replacements = Readonly<Record<string, unknown>>;

/** How a suite is run. */
export interface SuiteOptions {
  /** Where it may listen, in place of a port of its own choice. */
  readonly port?: number;
  /** Tests that do not hold for ours, by their titles: why. */
  readonly leftOut?: Readonly<Record<string, string>>;
}

type Hook = (...titleAndFunction: readonly unknown[]) => void;

/** A hook of mocha takes a title, which those of vitest do not. */
const hook =
  (register: (fn: () => Promise<void>) => void): Hook =>
  (...given) =>
    register(async () => {
      await (given.at(-1) as () => unknown)();
    });

/**
 * Runs the tests that a published package brings along, as it is, with ours in place of what it was written for. They were
 * written for mocha, and wait by time: on a busy machine they may have a second and a third try.
 */
export function runSuite(file: string, replacements: Replacements, options: SuiteOptions = {}): void {
  const { port, leftOut = {} } = options;
  const path = require.resolve(file);
  let text = readFileSync(path, 'utf8');
  if (port !== undefined) text = text.replace(/PORT_NUMBER = \d+/, `PORT_NUMBER = ${port}`);
  const left = new Set(Object.keys(leftOut));
  const it = (title: string, fn: () => unknown): void => {
    const reason = leftOut[title];
    left.delete(title);
    test(title, async ({ skip, task }) => {
      if (reason === undefined) return void (await fn());
      Object.assign(task.meta, { leftOut: `ours: ${reason}` });
      skip(reason);
    });
  };
  const world: Record<string, unknown> = {
    require: (name: string) => replacements[name] ?? require(name),
    describe: (title: string, fn: () => void) => describe(title, fn),
    it,
    before: hook(beforeAll),
    beforeEach: hook(beforeEach),
    after: hook(afterAll),
    afterEach: hook(afterEach),
  };
  describe(file, { retry: 2 }, () => {
    compileFunction(text, Object.keys(world), { filename: path })(...Object.values(world));
    test('every test that is left out is there', () => expect([...left]).toEqual([]));
  });
}
