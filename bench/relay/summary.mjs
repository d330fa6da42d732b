/** @typedef {{ median: number, min: number, max: number }} Spread */

/**
 * Sums up the runs of all measurements.
 * @param {Record<string, Record<string, object[]>>} runs the figures of each run, by kind and name
 * @returns {Record<string, Record<string, Record<string, Spread>>>} by kind, name and path of the figure
 */
export function summarizeRuns(runs) {
  return mapped(runs, (byName) =>
    mapped(byName, (figures) => {
      const flat = figures.map((each) => Object.fromEntries(leaves(each)));
      return mapped(flat[0], (_, path) => spread(flat.map((each) => each[path])));
    }),
  );
}

function mapped(record, change) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));
}

/** Every number in a record of records, with its path. */
function leaves(record, before = '') {
  return Object.entries(record).flatMap(([name, value]) => {
    if (typeof value === 'number') return [[`${before}${name}`, value]];
    return typeof value === 'object' && value !== null ? leaves(value, `${before}${name}.`) : [];
  });
}

function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}
