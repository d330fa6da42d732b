/** Values that are looked at: more tell little about the size, and cost time. */
const MOST_VALUES = 10_000;

/**
 * About how many bytes data takes when it is encoded. For what has not been encoded yet: exact for texts in ASCII and
 * for bytes, a guess for everything else; cycles and huge structures are looked at in part.
 */
export function approximateBytes(data: unknown): number {
  let bytes = 0;
  let left = MOST_VALUES;
  const open: unknown[] = [data];
  while (open.length > 0 && left > 0) {
    left -= 1;
    const value = open.pop();
    if (typeof value === 'string') bytes += value.length + 2;
    else if (typeof value !== 'object' || value === null) bytes += 5;
    else if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) bytes += value.byteLength;
    else if (Array.isArray(value)) open.push(...value.slice(0, left));
    else {
      for (const [key, of] of Object.entries(value).slice(0, left)) {
        bytes += key.length + 4;
        open.push(of);
      }
    }
  }
  return bytes;
}
