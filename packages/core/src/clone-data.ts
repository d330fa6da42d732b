import { setField } from './set-field.js';

/**
 * A deep copy of arrays and plain objects; everything else (dates, buffers, instances of classes) is shared with
 * the original. Cycles stay cycles.
 */
export function cloneData<T>(value: T, seen: Map<object, object> = new Map()): T {
  if (typeof value !== 'object' || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known as T;
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    seen.set(value, copy);
    for (const item of value) copy.push(cloneData(item, seen));
    return copy as T;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const copy = Object.create(prototype) as Record<string, unknown>;
  seen.set(value, copy);
  for (const [key, item] of Object.entries(value)) {
    setField(copy, key, cloneData(item as unknown, seen));
  }
  return copy as T;
}
