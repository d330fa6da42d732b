import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type DataIssue, InvalidDataError, UnknownNameError } from '../errors.js';
import { isChecking, type Schema } from './schema.js';

/** Data to go on with, or why it is wrong. */
export type Checked =
  | { readonly error?: undefined; readonly value: unknown }
  | { readonly error: InvalidDataError | UnknownNameError; readonly value?: undefined };

const MAX_ISSUES = 10;
const MAX_TEXT = 200;
const MAX_NAME = 64;

/**
 * Data as a schema lets it through; without one it has to be missing or `null`.
 *
 * Never throws and never rejects: a schema that fails is an error about the data, whose `cause` stays in the process.
 */
export function checkData(
  entry: string,
  schema: Schema | undefined,
  data: unknown,
): Checked | Promise<Checked> {
  if (schema === undefined) {
    if (data === undefined || data === null) return { value: undefined };
    return invalid(entry, [{ path: '', message: 'the contract allows no data here' }], 1);
  }
  if (!isChecking(schema)) return { value: data };
  try {
    const result = schema['~standard'].validate(data);
    if (!isThenable(result)) return judge(entry, result);
    return Promise.resolve(result).then(
      (settled) => judge(entry, settled),
      (cause: unknown) => failed(entry, cause),
    );
  } catch (cause) {
    return failed(entry, cause);
  }
}

function isThenable(value: unknown): value is PromiseLike<StandardSchemaV1.Result<unknown>> {
  return typeof (value as { then?: unknown } | null)?.then === 'function';
}

function judge(entry: string, result: StandardSchemaV1.Result<unknown>): Checked {
  try {
    if (result.issues === undefined) return { value: result.value };
    return invalid(entry, result.issues.slice(0, MAX_ISSUES).map(toIssue), result.issues.length);
  } catch (cause) {
    return failed(entry, cause);
  }
}

function failed(entry: string, cause: unknown): Checked {
  return invalid(entry, [{ path: '', message: 'the data could not be checked' }], 1, { cause });
}

function invalid(entry: string, issues: DataIssue[], count: number, options?: ErrorOptions): Checked {
  const [first] = issues;
  const at = first?.path ? ` at ${first.path}` : '';
  const more = count > 1 ? ` (and ${count - 1} more)` : '';
  const message = `Invalid data for ${entry}${at}: ${first?.message ?? 'it was refused'}${more}`;
  return { error: new InvalidDataError(message, entry, issues, options) };
}

/** The refusal of a name. */
export function unknownName(kind: 'procedure' | 'event' | 'channel', name: string): UnknownNameError {
  // The name is the peer's, and may be of any length.
  const shown = JSON.stringify(name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME)}…`);
  return new UnknownNameError(`The contract has no ${kind} ${shown}`, kind);
}

function toIssue({ path = [], message }: StandardSchemaV1.Issue): DataIssue {
  let text = '';
  for (const step of path) {
    const key = typeof step === 'object' ? step.key : step;
    text += text === '' ? String(key) : `.${String(key)}`;
    // The keys are the peer's, and so is how many there are.
    if (text.length > MAX_TEXT) break;
  }
  return { path: cut(text), message: cut(message) };
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
}
