import { setField } from './set-field.js';

/** Far deeper than any error that is meant for a reader; what lies below it is cut, so that no error is too deep to send. */
const MAX_DEPTH = 100;

/** Objects that JSON, or another codec, knows how to write by itself. */
const KEPT_TAGS = /^\[object (?:Date|RegExp|String|Number|Boolean)\]$/;

/** Fields that never leave the process, even if somebody made them enumerable: they tell how the program is built. */
const LOCAL_FIELDS = ['stack', 'cause'];

/**
 * What is sent of an error.
 *
 * - An object becomes a plain object of its `message` and its own enumerable fields, decycled (see {@link decycle}).
 *   The `name` is among them when it is such a field, and also when the class gives one other than `'Error'`; `stack`
 *   and `cause` never are. A field whose getter throws is left out.
 * - A function becomes the text `[function NAME]`; a symbol or a BigInt becomes its text.
 * - Anything else stays as it is: `undefined` and `null` reach the peer as success.
 *
 * Never throws, and what it gives can be encoded as JSON.
 */
export function dehydrateError(error: unknown): unknown {
  const name = readField(error, 'name');
  if (typeof error === 'function') return `[function ${typeof name === 'string' ? name : 'anonymous'}]`;
  if (typeof error === 'symbol') return String(error);
  if (typeof error !== 'object' || error === null) return decycle(error);
  const keys = publicKeys(error);
  // differs: upstream sends only an own name, so a TypeError arrives as a plain Error.
  if (typeof name === 'string' && name !== 'Error') keys.unshift('name');
  return copyFields(error, new Set(['message', ...keys]), '$', 0, new Map());
}

/**
 * The error that the peer meant, from what {@link dehydrateError} sent.
 *
 * `null` and `undefined` give `null`: no error. An object gives an `Error` with its `message` (`Invalid error message
 * format` if that is not a string), its `name` if that is a string, and each other field that an `Error` does not
 * already have, so a peer cannot replace `stack`, `toString` or the prototype. Anything else is given back as it is.
 * Never throws.
 */
export function hydrateError(value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'object') return value;
  const message = readField(value, 'message');
  const error = new Error(typeof message === 'string' ? message : 'Invalid error message format');
  for (const key of ownEnumerableKeys(value)) {
    const field = readField(value, key);
    if (key === 'name' ? typeof field === 'string' : !(key in error)) setField(error, key, field);
  }
  return error;
}

/**
 * A deep copy without cycles: an object that was met before becomes `{$ref: path}`, with paths such as
 * `$["self"]["arr"][0]` from the root `$`.
 *
 * compat: that holds for every repeated object, also where there is no cycle. Own enumerable fields only; dates,
 * regular expressions and boxed primitives are kept; functions, symbols and getters that throw are left out; a BigInt
 * becomes its text. What is nested more than 100 levels deep becomes the text `[too deep]`. Never throws.
 */
export function decycle(value: unknown): unknown {
  return copyOf(value, '$', 0, new Map());
}

function copyOf(value: unknown, path: string, depth: number, visited: Map<object, string>): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  try {
    const tag = Object.prototype.toString.call(value);
    if (KEPT_TAGS.test(tag)) return value;
    if (tag === '[object BigInt]') return String(value);
    const metAt = visited.get(value);
    if (metAt !== undefined) return { $ref: metAt };
    if (depth === MAX_DEPTH) return '[too deep]';
    visited.set(value, path);
    if (!Array.isArray(value)) {
      const keys = value instanceof Error ? publicKeys(value) : ownEnumerableKeys(value);
      return copyFields(value, keys, path, depth, visited);
    }
    return Array.from(value, (_, index) =>
      copyOf(readField(value, index), `${path}[${index}]`, depth + 1, visited),
    );
  } catch {
    return undefined;
  }
}

// oxlint-disable-next-line max-params -- it is a part of copyOf()
function copyFields(
  source: object,
  keys: Iterable<string>,
  path: string,
  depth: number,
  visited: Map<object, string>,
): object {
  const copy = {};
  for (const key of keys) {
    const field = copyOf(readField(source, key), `${path}[${JSON.stringify(key)}]`, depth + 1, visited);
    if (field !== undefined) setField(copy, key, field);
  }
  return copy;
}

/** An error may be any object, a proxy included: reading it must not be able to throw. */
function readField(object: unknown, key: string | number): unknown {
  try {
    return (object as Record<string | number, unknown>)[key];
  } catch {
    return undefined;
  }
}

function publicKeys(error: object): string[] {
  return ownEnumerableKeys(error).filter((key) => !LOCAL_FIELDS.includes(key));
}

function ownEnumerableKeys(object: object): string[] {
  try {
    return Object.keys(object);
  } catch {
    return [];
  }
}
