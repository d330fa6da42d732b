import { InvalidArgumentsError } from '@socketcluster-ts/core';

/** What whoever gave something else than a string for a name is told. */
export function wrongName(given: unknown): InvalidArgumentsError {
  return new InvalidArgumentsError(`A name must be a string - Got ${given === null ? 'null' : typeof given}`);
}

/** @throws {InvalidArgumentsError} when the name of a channel or event is no string */
export function checkName(name: unknown): void {
  if (typeof name !== 'string') throw wrongName(name);
}
