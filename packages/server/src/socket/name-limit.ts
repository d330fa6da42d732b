import { InvalidActionError, ResourceLimitError } from '@socketcluster-ts/core';

/** The most bytes that one unit of UTF-16 takes in UTF-8. */
const MOST_BYTES_PER_UNIT = 3;

/**
 * Why a client may not use this name, or `undefined` if it may: names are short and well-formed Unicode, so that every
 * broker, log and other client takes them for the same. `maxBytes` is `Infinity` for no limit of either kind.
 */
export function nameError(what: string, name: string, maxBytes: number): Error | undefined {
  if (maxBytes === Infinity) return undefined;
  if (name.length * MOST_BYTES_PER_UNIT > maxBytes && Buffer.byteLength(name) > maxBytes) {
    return new ResourceLimitError(`The name of the ${what} is longer than ${maxBytes} bytes`);
  }
  return name.isWellFormed()
    ? undefined
    : new InvalidActionError(`The name of the ${what} is not well-formed Unicode`);
}
