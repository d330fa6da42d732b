/** @typedef {import('./summary.mjs').Spread} Spread */

/**
 * Processor time of all nodes for a message, without the engine.
 * @param {Record<string, Spread>} found the figures of a setup
 * @returns {Spread}
 */
export function total(found) {
  const [publishing, receiving] = [found['cpuMicros.publishing'], found['cpuMicros.receiving']];
  const sum = (of) => publishing[of] + receiving[of];
  return { median: sum('median'), min: sum('min'), max: sum('max') };
}

/**
 * What two nodes cost more than one alone, which takes and delivers the message as well; undefined for that one.
 * @param {object} summary
 * @param {import('./setups.mjs').Setup} setup
 * @param {'rate' | 'burst'} load
 * @returns {Spread | undefined}
 */
export function relayCost(summary, { name, alone }, load) {
  const found = summary.relay[`${name} ${load}`];
  const base = summary.relay[`${alone} ${load}`];
  if (found === undefined || base === undefined) return undefined;
  const { median, min, max } = total(found);
  const { median: without } = total(base);
  return { median: median - without, min: min - without, max: max - without };
}
