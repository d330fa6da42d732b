import { jsonCodec as plainCodec, type TextCodecEngine } from '@socketcluster-ts/core';

/**
 * The JSON codec as servers use it by default. It gives what that of clients gives, in less than half the time.
 *
 * Binary data becomes `{"base64": true, "data": "…"}`, and is not turned back.
 * @throws {TypeError} `encode()`, for a value with a cycle or a BigInt
 */
export const jsonCodec: TextCodecEngine = Object.freeze({
  encode: (value: unknown) =>
    encodeAnswer(value) ?? (mayNeedReplacer(value) ? plainCodec.encode(value) : JSON.stringify(value)),
  decode: (message: unknown) => plainCodec.decode(message),
});

const ANSWER_KEYS = ['rid', 'data'];

/** A text that stands in JSON as it is: printable ASCII without quotes and backslashes. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/;

/**
 * The bulk of what a busy server answers, `{rid}` and `{rid, data}` with a text, a number or a boolean: `JSON.stringify()` is
 * slow to start with an object, and takes twice as long with a text as the look whether anything has to be escaped in it.
 * `undefined` for everything else.
 */
function encodeAnswer(value: unknown): string | undefined {
  const answer = value as {
    readonly rid?: unknown;
    readonly data?: unknown;
    readonly toJSON?: unknown;
  } | null;
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { rid, data } = answer;
  if (typeof rid !== 'number' || !Number.isSafeInteger(rid) || answer.toJSON !== undefined) return undefined;
  if (Object.getPrototypeOf(answer) !== Object.prototype) return undefined;
  let place = 0;
  for (const key in answer) {
    if (key !== ANSWER_KEYS[place]) return undefined;
    place += 1;
  }
  if (place === 1) return `{"rid":${rid}}`;
  if (place !== 2 || (typeof data !== 'string' && typeof data !== 'number' && typeof data !== 'boolean')) {
    return undefined;
  }
  const isPlain = typeof data === 'string' && PLAIN_TEXT.test(data);
  return `{"rid":${rid},"data":${isPlain ? `"${data}"` : JSON.stringify(data)}}`;
}

/**
 * A replacer makes `JSON.stringify()` more than twice as slow, and nearly no packet needs one: looking for binary data
 * first costs a tenth. What the look itself cannot get through, a cycle or a getter that throws, is left for
 * `JSON.stringify()` to fail on in its own words.
 */
function mayNeedReplacer(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  try {
    return holdsBinary(value);
  } catch {
    return true;
  }
}

function holdsBinary(value: object): boolean {
  if (Array.isArray(value)) {
    for (const child of value)
      if (typeof child === 'object' && child !== null && holdsBinary(child)) return true;
    return false;
  }
  const { type, toJSON } = value as { type?: unknown; toJSON?: unknown };
  if (type === 'Buffer') return true;
  // Only of a date is it known that it prints as a text; any other toJSON() may give binary data.
  if (typeof toJSON === 'function') return toJSON !== Date.prototype.toJSON;
  if (value instanceof ArrayBuffer) return true;
  for (const key in value) {
    const child = (value as Record<string, unknown>)[key];
    if (typeof child === 'object' && child !== null && holdsBinary(child)) return true;
  }
  return false;
}
