/** Figures as people read them. */

/** Three digits that count, or all before the point. @param {number} value */
export function short(value) {
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/**
 * The main figure of a scenario in the unit it is shown in: microseconds, or kilobytes.
 * @param {string} figure
 * @param {number} value
 */
export function shown(figure, value) {
  return figure === 'memoryBytes' ? value / 1024 : value;
}

/** @param {string} figure @param {string} unit what it is per */
export function unitText(figure, unit) {
  return figure === 'memoryBytes' ? `KB per ${unit}` : `µs per ${unit}`;
}
