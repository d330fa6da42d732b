/** Above this many containers on one level, repeated ones are sorted out before the next level is gathered. */
const WIDE_LEVEL = 1024;

/**
 * Whether a value would be nested deeper than `maxDepth` as JSON: a scalar has depth 0, `{}` and `[]` have 1, `[{}]`
 * has 2. A cycle exceeds every depth. 0 and `Infinity` mean that there is no limit.
 *
 * Takes the value level by level and never recurses, so no input can exhaust the stack, and stops at the first level
 * that is too deep. An object with a `toJSON()` counts as what that gives; binary data and dates count as scalars. A
 * getter or `toJSON()` that throws is left for the codec to report: it ends the search with `false`.
 */
export function exceedsDepth(value: unknown, maxDepth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (maxDepth === 0 || maxDepth === Number.POSITIVE_INFINITY) return false;
  try {
    let level: object[] = [];
    gather(value, level);
    for (let depth = 1; level.length > 0; depth++) {
      if (depth > maxDepth) return true;
      if (level.length > WIDE_LEVEL) level = [...new Set(level)];
      const next: object[] = [];
      for (const container of level) gatherChildren(container, next);
      level = next;
    }
    return false;
  } catch {
    return false;
  }
}

function gatherChildren(container: object, next: object[]): void {
  if (Array.isArray(container)) {
    for (const child of container) if (typeof child === 'object' && child !== null) gather(child, next);
    return;
  }
  for (const key in container) {
    const child = (container as Record<string, unknown>)[key];
    if (typeof child !== 'object' || child === null) continue;
    if (Object.hasOwn(container, key)) gather(child, next);
  }
}

function gather(value: object, level: object[]): void {
  if (Array.isArray(value)) {
    level.push(value);
    return;
  }
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON !== 'function') {
    if (!ArrayBuffer.isView(value)) level.push(value);
    return;
  }
  if (value instanceof Date || ArrayBuffer.isView(value)) return;
  const replacement: unknown = toJSON.call(value, '');
  // What toJSON() gives is taken as it is: JSON does not ask it for a toJSON() of its own.
  if (typeof replacement === 'object' && replacement !== null) level.push(replacement);
}
