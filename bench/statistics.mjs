/** What many runs say together. */

/** The figures that are compared, by their path in the figures of a run. For all but the rates, less is better. */
export const FIGURES = [
  'cpuMicros',
  'memoryBytes',
  'perSecond',
  'latencyMs.p50',
  'latencyMs.p99',
  'latencyMs.p999',
  'loopDelayP99Ms',
  'serverBusy',
  'loadBusy',
  'grownBytes',
];

/** What ours is compared with. */
const REFERENCES = ['upstream', 'node-limit', 'bun'];

/**
 * @typedef {{ median: number, min: number, max: number, to: Record<string, number> }} Summary `to` has the ratios of the medians to
 *   those of other servers in the same run
 */

/**
 * Sums up the runs of one scenario.
 * @param {Record<string, Record<string, any>[]>} runs the figures of all good runs, by server
 * @returns {Record<string, Record<string, Summary>>} by server and figure
 */
export function summarize(runs) {
  const summaries = {};
  for (const [server, figures] of Object.entries(runs)) {
    summaries[server] = {};
    for (const name of FIGURES) {
      const values = figures.map((each) => valueOf(each, name)).filter((value) => typeof value === 'number');
      if (values.length > 0) summaries[server][name] = { ...spread(values), to: {} };
    }
  }
  for (const summary of Object.values(summaries)) {
    for (const [name, { median, to }] of Object.entries(summary)) {
      for (const reference of REFERENCES) {
        const other = summaries[reference]?.[name]?.median;
        if (other > 0) to[reference] = median / other;
      }
    }
  }
  return summaries;
}

/** What a scenario is mainly about. @param {import('./scenarios.mjs').Scenario} scenario */
export function mainFigureOf(scenario) {
  return scenario.kind === 'idle' ? 'memoryBytes' : 'cpuMicros';
}

/**
 * Whether ours reaches the target of a scenario.
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @param {Record<string, Record<string, Summary>>} summaries by server
 * @param {string[]} peers the servers that ours must be ahead of
 * @returns {{ text: string, isMet: boolean } | undefined} undefined when not all that it compares was run
 */
export function targetOf(scenario, summaries, peers) {
  const figure = mainFigureOf(scenario);
  const ours = summaries.ours?.[figure];
  if (ours === undefined) return undefined;
  if (scenario.target === 'ahead') {
    const others = peers
      .map((name) => summaries[name]?.[figure]?.median)
      .filter((value) => value !== undefined);
    if (others.length === 0) return undefined;
    const ratio = ours.median / Math.min(...others);
    return { text: `${ratio.toFixed(2)} x the best peer, < 1 wanted`, isMet: ratio < 1 };
  }
  const { to, atMost } = scenario.target;
  const ratio = ours.to[to];
  if (ratio === undefined) return undefined;
  return { text: `${ratio.toFixed(2)} x ${to}, <= ${atMost} wanted`, isMet: ratio <= atMost };
}

function valueOf(figures, path) {
  return path.split('.').reduce((value, key) => value?.[key], figures);
}

function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}
