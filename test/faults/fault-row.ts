import { appendFileSync } from 'node:fs';
import { DeliveryChecker, type DeliveryVerdict, faultsOf } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { CheckedLoad, type LoadOptions } from './checked-load.js';
import { randomFrom, seedFrom } from './random.js';

/** A row of the fault matrix. */
export interface FaultRow {
  /** Its number; rows that are shown in several ways have letters behind it. */
  readonly row: string;
  readonly fault: string;
  /** What is done. */
  readonly inject: string;
  /** What must hold. */
  readonly holds: string;
  /** How long something may take; absent where nobody may notice anything. */
  readonly limit?: { readonly of: 'recovery' | 'notice' | 'exit' | 'cut' | 'latency'; readonly ms: number };
}

/** One run of a row, as it is written to the report. */
export interface FaultRunReport extends FaultRow {
  readonly seed: number;
  readonly passed: boolean;
  readonly failure: string | undefined;
  /** How long that took which has the limit. */
  readonly tookMs: number | undefined;
  readonly verdict: DeliveryVerdict;
}

/** How many times its limit something may take before a test gives up on it. */
const PATIENCE = 4;
const LEAST_PATIENCE_MS = 20_000;
const ARRIVE_DEADLINE_MS = 15_000;
const TEST_TIMEOUT_MS = 120_000;

const TIMES = Number(process.env['FAULT_TIMES'] ?? 1);
const GIVEN_SEED = process.env['FAULT_SEED'];
const REPORT = process.env['FAULT_REPORT'];

/** Owns one run: its chance, its checker and its loads. */
export class FaultRun {
  readonly checker: DeliveryChecker = new DeliveryChecker();
  readonly random: () => number;
  tookMs: number | undefined;
  readonly #loads: CheckedLoad[] = [];
  readonly #row: FaultRow;

  constructor(row: FaultRow, seed: number) {
    this.#row = row;
    this.random = randomFrom(seed);
  }

  /** A number between two others, by chance. */
  between(least: number, most: number): number {
    return least + (most - least) * this.random();
  }

  /** Starts clients that publish and call; resolves once all were served. */
  async load(options: Omit<LoadOptions, 'checker' | 'random'>): Promise<CheckedLoad> {
    const load = new CheckedLoad({ ...options, checker: this.checker, random: this.random });
    this.#loads.push(load);
    await load.start();
    return load;
  }

  /** Resolves once everybody was served with what was sent since the end of the fault. */
  async heals(since: number): Promise<void> {
    for (const load of this.#loads) {
      const ms = await load.served(since, this.patienceMs);
      if (this.#row.limit?.of === 'recovery') this.took(ms);
    }
  }

  /** Notes how long that took which has the limit; the longest counts. */
  took(ms: number): void {
    this.tookMs = Math.max(this.tookMs ?? 0, ms);
  }

  /** How long to wait for what has a limit: a busy machine is no fault. */
  get patienceMs(): number {
    return Math.max(LEAST_PATIENCE_MS, PATIENCE * (this.#row.limit?.ms ?? 0));
  }

  /** Lets all arrive that is under way, and gives the verdict: no fault of delivery, no wrong answer. */
  async end(): Promise<DeliveryVerdict> {
    await Promise.all(this.#loads.map((load) => load.stop(ARRIVE_DEADLINE_MS)));
    const verdict = this.checker.verdict();
    expect(faultsOf(verdict)).toEqual([]);
    expect(this.#loads.flatMap(({ faults }) => faults)).toEqual([]);
    expect(verdict.acknowledged).toBeGreaterThan(0);
    return verdict;
  }

  leave(): void {
    for (const load of this.#loads) load.leave();
  }
}

/**
 * Declares a row of the matrix as tests: one, or as many as `FAULT_TIMES` says, each with its own seed, which its name
 * shows. `FAULT_SEED` gives the seed of a run that is to be repeated.
 */
export function faultRow(row: FaultRow, act: (run: FaultRun) => Promise<void>): void {
  describe(`row ${row.row}: ${row.fault}`, () => {
    for (let time = 0; time < TIMES; time += 1) {
      const seed = GIVEN_SEED === undefined ? seedFrom(`${Math.random()}`) : Number(GIVEN_SEED) + time;
      test(`${row.inject}: ${row.holds} (FAULT_SEED=${seed})`, { timeout: TEST_TIMEOUT_MS }, async () => {
        const run = new FaultRun(row, seed);
        let failure: string | undefined;
        try {
          await act(run);
          await run.end();
        } catch (error) {
          failure = String(error);
          throw error;
        } finally {
          run.leave();
          const verdict = run.checker.verdict();
          write({ ...row, seed, passed: failure === undefined, failure, tookMs: run.tookMs, verdict });
        }
      });
    }
  });
}

function write(report: FaultRunReport): void {
  if (REPORT !== undefined) appendFileSync(REPORT, `${JSON.stringify(report)}\n`);
}
