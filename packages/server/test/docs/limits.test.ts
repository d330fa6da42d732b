import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { attach } from '@socketcluster-ts/server';
import { afterTest } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const PRESETS = ['default', 'public', 'v20'] as const;
type Preset = (typeof PRESETS)[number];

const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1000, KiB: 1024, MiB: 1024 * 1024 };

/** The rows of all tables of the page, by option: what stands in each preset. */
function documented(): Map<string, Record<Preset, string>> {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/limits.md'), 'utf8');
  const rows = new Map<string, Record<Preset, string>>();
  for (const line of page.split('\n')) {
    const [, , option, byDefault, inPublic, inV20] = line.split('|').map((cell) => cell.trim());
    const name = /^`(?:limits\.)?(\w+)`$/.exec(option ?? '')?.[1];
    if (name === undefined || inV20 === undefined) continue;
    expect(rows.has(name), `${name} stands in the table twice`).toBe(false);
    rows.set(name, { default: byDefault ?? '', public: inPublic ?? '', v20: inV20 });
  }
  return rows;
}

/** The numbers that a cell of the table says; `off` is Infinity. */
function numbers(cell: string): number[] {
  if (cell === 'a quarter of the heap') return [Math.floor(getHeapStatistics().heap_size_limit / 4)];
  const found = cell.matchAll(/off|([\d.,]*\d)(?: (KiB|MiB|s)(?!\w))?/g);
  return Array.from(found, ([text, digits, unit]) =>
    text === 'off' ? Infinity : Number(digits?.replaceAll(',', '')) * (UNITS[unit ?? ''] ?? NaN),
  );
}

/** All numbers in a limit. */
function leaves(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  if (value === null || value === false || value === undefined) return [Infinity];
  return typeof value === 'object' ? Object.values(value).flatMap(leaves) : [];
}

function limitsOf(preset: Preset): Record<string, unknown> {
  const server = attach(createServer(), { limits: preset, authKey: 'k'.repeat(32) });
  afterTest(() => server.close());
  const { maxPayload, socketChannelLimit, handshakeTimeout } = server;
  return { ...server.limits, maxPayload, socketChannelLimit, handshakeTimeout };
}

describe('docs/limits.md', () => {
  test('has every limit in a table', () => {
    const names = Object.keys(attach(createServer()).limits).filter((name) => name !== 'preset');
    expect(names.filter((name) => !documented().has(name))).toEqual([]);
  });

  test.for(PRESETS)('says what the limits are in the preset %s', (preset) => {
    const limits = limitsOf(preset);
    let compared = 0;
    for (const [name, cells] of documented()) {
      if (!Object.hasOwn(limits, name)) continue;
      const inForce = leaves(limits[name]);
      if (inForce.length === 0) continue;
      const missing = inForce.filter((value) => !numbers(cells[preset]).includes(value));
      expect(missing, `${name} in the preset ${preset}: the table says ${cells[preset]}`).toEqual([]);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(10);
  });

  test('compares: another number is found', () => {
    expect(numbers('1 MiB, or 256 KiB for 10 s')).toEqual([1024 * 1024, 256 * 1024, 10_000]);
    expect(numbers('10,000')).toEqual([10_000]);
    expect(numbers('off')).toEqual([Infinity]);
    expect(leaves({ a: 1, b: { c: null } })).toEqual([1, Infinity]);
  });
});
