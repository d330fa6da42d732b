import { InvalidOptionsError } from './errors.js';

/** Longer texts are cut: a message is no place for what may be a whole document. */
const LONGEST_TEXT = 64;
const LONGEST_KEYS = 96;

/**
 * The error for an option that is not what it may be: it names the option, what is allowed and what was given, where `shown`
 * says that better than a few words about it.
 */
export function invalidOption(
  option: string,
  allowed: string,
  given: unknown,
  shown: string = showGiven(given),
): InvalidOptionsError {
  return new InvalidOptionsError(`The ${option} option must be ${allowed} - Got ${shown}`);
}

/** What was given, in a few words, and without what an object holds: that may be a secret. */
export function showGiven(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value).slice(0, LONGEST_TEXT);
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return `an object with the keys ${Object.keys(value).join(', ') || '(none)'}`.slice(0, LONGEST_KEYS);
}
