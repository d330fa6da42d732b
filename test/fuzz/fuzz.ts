import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { anyInput, type FuzzInput } from './fuzz-input.js';
import { catchEscapes, endServers, runInput } from './run-input.js';

/** Inputs that are made of one seed before the next one is taken. */
const BLOCK = 1000;
/** How long a block takes at most, in ms, with all that is done to make a failing input smaller. */
const LONGEST_MS = 60_000;
const TELL_EVERY_MS = 10_000;

/** How to fuzz. */
export interface FuzzOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Where a failing input is saved. */
  readonly saveTo: string;
}

/** An input that breaks a rule, as small as it could be made. */
export interface Failure {
  readonly input: FuzzInput;
  readonly error: unknown;
}

/** What came of a block of inputs. */
export interface FuzzResult {
  readonly failure: Failure | undefined;
  /** The messages of all inputs. */
  readonly messages: number;
}

/** Runs so many inputs of a seed; gives the first that breaks a rule, in a smaller form. */
export async function fuzz(seed: number, count: number): Promise<FuzzResult> {
  let messages = 0;
  let error: unknown;
  const property = fc.asyncProperty(anyInput, async (input) => {
    try {
      messages += await runInput(input);
    } catch (caught) {
      error = caught;
      throw caught;
    }
  });
  const result = await fc.check(property, { seed, numRuns: count, interruptAfterTimeLimit: LONGEST_MS });
  if (result.counterexample === null) {
    if (result.interrupted) throw new Error(`${count} inputs take longer than ${LONGEST_MS} ms`);
    return { failure: undefined, messages };
  }
  return { failure: { input: result.counterexample[0], error }, messages };
}

/** Fuzzes for a time and tells how it goes; whether all went well. */
export async function fuzzForTime({ seed, seconds, saveTo }: FuzzOptions): Promise<boolean> {
  catchEscapes();
  // Clients that do everything wrong cause many errors, and each would note where it was made.
  Error.stackTraceLimit = 0;
  const begun = performance.now();
  let inputs = 0;
  let messages = 0;
  let toldAt = begun;
  const tell = (): void => {
    const spent = (performance.now() - begun) / 1000;
    const perSecond = `${(inputs / spent).toFixed(0)} per second with ${(messages / spent).toFixed(0)} messages`;
    console.log(`${inputs} inputs in ${spent.toFixed(0)} s, ${perSecond}, seed ${seed}`);
  };
  while (performance.now() - begun < seconds * 1000) {
    const { failure, messages: more } = await fuzz(seed + inputs / BLOCK, BLOCK);
    messages += more;
    if (failure !== undefined) {
      save(failure.input, saveTo);
      console.log(failure.error);
      console.log(describeInput(failure.input));
      console.log(`After ${inputs} inputs. Again: npm run fuzz -- --replay ${saveTo}`);
      return false;
    }
    inputs += BLOCK;
    if (performance.now() - toldAt < TELL_EVERY_MS) continue;
    toldAt = performance.now();
    tell();
  }
  tell();
  await endServers();
  return true;
}

/** Runs a saved input again; whether it went well. */
export async function replay(file: string): Promise<boolean> {
  catchEscapes();
  const input = load(file);
  console.log(describeInput(input));
  try {
    await runInput(input);
    console.log('It breaks no rule.');
    return true;
  } catch (error) {
    console.log(error);
    return false;
  } finally {
    await endServers();
  }
}

/** Reads an input that was saved. */
export function load(file: string): FuzzInput {
  const { reads, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as Omit<FuzzInput, 'reads'> & {
    reads: string[];
  };
  return { ...rest, reads: reads.map((text) => Buffer.from(text, 'base64')) };
}

function save({ reads, ...rest }: FuzzInput, file: string): void {
  const text = { ...rest, reads: reads.map((bytes) => bytes.toString('base64')) };
  writeFileSync(file, `${JSON.stringify(text, null, 2)}\n`);
}

/** Shows an input to people. */
export function describeInput({ server, isSlow, end, reads }: FuzzInput): string {
  const lines = reads.map((bytes) => `  ${bytes.toString('hex').slice(0, 200)}`);
  return [`to the ${isSlow ? 'slow ' : ''}${server} server, and then ${end}:`, ...lines].join('\n');
}
