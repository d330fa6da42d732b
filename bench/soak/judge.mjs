/** What a soak run says: figures over time become a verdict. */

const MIB = 1024 * 1024;
/** What is made and compiled lazily in the beginning is no leak. */
const WARM_UP = 0.2;
/** Less than this over the whole measured time is not called growth; a short run is warm-up for the most part. */
const LEAST_GROWTH_BYTES = MIB / 2;
const LEAST_GROWTH_IN_SHORT_BYTES = 3 * MIB;

/** A run that is shorter has little to say about growth. */
export const SHORT_MINUTES = 5;
/** How far a slope must be from zero, in its own errors, to be believed: one in forty is further away by chance. */
const BELIEVED = 2;
/** How much more than before the heap may hold after everybody has left: what was compiled and made on first use. */
const MOST_LEFT_BYTES = 6 * MIB;

/**
 * The straight line through points by least squares.
 * @param {{ x: number, y: number }[]} points
 * @returns {{ slope: number, error: number, mean: number }} `error` is the standard error of the slope
 */
export function regression(points) {
  const count = points.length;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / count;
  const mean = points.reduce((sum, { y }) => sum + y, 0) / count;
  const spreadX = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - mean), 0) / spreadX;
  const residuals = points.reduce((sum, { x, y }) => sum + (y - mean - slope * (x - meanX)) ** 2, 0);
  const error = Math.sqrt(residuals / Math.max(1, count - 2) / spreadX);
  return { slope, error, mean };
}

/**
 * Judges a run.
 * @param {{ minutes: number, before: object, samples: { minute: number, server: object, load: object }[], after: object, final: object, endings: string[] }} run
 *   `before` and `after` are samples of the server without any client, `final` is the last sample of the load, `endings` what ended that
 *   should not have
 * @returns {{ heap: object, problems: string[] }}
 */
export function judge({ minutes, before, samples, after, final, endings }) {
  const measured = samples.filter(({ minute }) => minute >= minutes * WARM_UP);
  const heap = growth(measured, 'heapBytes');
  const resident = growth(measured, 'residentBytes');
  const problems = [...endings, ...final.faults];
  if (measured.length < 3) problems.push(`only ${measured.length} samples after the warm-up`);
  const leastGrowth = minutes < SHORT_MINUTES ? LEAST_GROWTH_IN_SHORT_BYTES : LEAST_GROWTH_BYTES;
  if (heap.bytes > leastGrowth && heap.bytes > BELIEVED * heap.errorBytes)
    problems.push(
      `the heap grew by ${mebibytes(heap.bytes)} ± ${mebibytes(heap.errorBytes)} in ${heap.minutes.toFixed(1)} minutes`,
    );
  const left = after.heapBytes - before.heapBytes;
  if (left > MOST_LEFT_BYTES) problems.push(`${mebibytes(left)} of heap are left after everybody has gone`);
  for (const name of ['clients', 'pendingClients', 'deadlines', 'subscriptions', 'descriptors']) {
    if (after[name] !== before[name]) problems.push(`${name}: ${before[name]} before, ${after[name]} after`);
  }
  const names = new Set([...Object.keys(before.resources), ...Object.keys(after.resources)]);
  for (const name of names) {
    const [was, is] = [before.resources[name] ?? 0, after.resources[name] ?? 0];
    if (was !== is) problems.push(`${name}: ${was} before, ${is} after`);
  }
  const { verdict } = final;
  if (verdict.pending > 0) problems.push(`${verdict.pending} publishes never ended`);
  if (verdict.delivered === 0) problems.push('nothing was delivered');
  return { heap, resident, leftBytes: left, problems };
}

function growth(samples, figure) {
  const points = samples.map(({ minute, server }) => ({ x: minute, y: server[figure] }));
  const minutes = (points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0);
  const { slope, error, mean } = regression(points);
  return {
    meanBytes: mean,
    bytesPerHour: slope * 60,
    errorBytesPerHour: error * 60,
    bytes: slope * minutes,
    errorBytes: error * minutes,
    minutes,
  };
}

/** @param {number} bytes */
export function mebibytes(bytes) {
  return `${(bytes / MIB).toFixed(2)} MiB`;
}
