import { InvalidArgumentsError } from '../errors.js';

/** Parameters as they are put into a name. */
export type GivenParameters = Readonly<Record<string, string | number>>;

/** What cannot stand in a segment as it is: the separator, the sign of an escape, and the sign of a parameter. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['%', '%25'],
  ['/', '%2F'],
  [':', '%3A'],
]);

/**
 * Owns one template of channel names, `'room/:id'` for example, cut at its slashes.
 *
 * A parameter is a whole segment and never empty. In a name its `%` and `/` are written `%25` and `%2F`, and a `:` at
 * its beginning `%3A`; there is no other escape, so one set of parameters has exactly one name.
 */
export class ChannelTemplate {
  readonly text: string;
  /** The parameters in order. */
  readonly parameters: readonly string[];
  readonly #segments: readonly string[];

  /** @throws {InvalidArgumentsError} when the text is no template */
  constructor(text: string) {
    this.text = text;
    this.#segments = text.split('/');
    this.parameters = this.#segments.filter(isParameter).map((segment) => segment.slice(1));
    for (const name of this.parameters) {
      if (/^[A-Za-z_]\w*$/.test(name)) continue;
      throw new InvalidArgumentsError(
        `A parameter of a channel must be a colon and a name of letters, digits and underscores - Got ${JSON.stringify(`:${name}`)} in ${JSON.stringify(text)}`,
      );
    }
    if (new Set(this.parameters).size < this.parameters.length) {
      throw new InvalidArgumentsError(
        `The parameters of a channel must have different names - Got ${JSON.stringify(text)}`,
      );
    }
  }

  /** How many segments names of this template have. */
  get depth(): number {
    return this.#segments.length;
  }

  /**
   * The name with these parameters.
   * @throws {InvalidArgumentsError} when one is missing, empty, no text and no number, or not of the template
   */
  build(given: GivenParameters = {}): string {
    const unknown = Object.keys(given).find((name) => !this.parameters.includes(name));
    if (unknown !== undefined) throw this.#wrong(`has no parameter ${JSON.stringify(unknown)}`);
    return this.#segments
      .map((segment) => (isParameter(segment) ? this.#encode(segment.slice(1), given) : segment))
      .join('/');
  }

  #encode(name: string, given: GivenParameters): string {
    const value: unknown = Object.hasOwn(given, name) ? given[name] : undefined;
    if ((typeof value !== 'string' || value === '') && !Number.isFinite(value)) {
      const shown = typeof value === 'string' ? 'an empty text' : String(value);
      throw this.#wrong(`needs a text or a number as parameter ${JSON.stringify(name)} - Got ${shown}`);
    }
    return encodeSegment(String(value));
  }

  #wrong(what: string): InvalidArgumentsError {
    const allowed = this.parameters.length === 0 ? 'none' : this.parameters.join(', ');
    return new InvalidArgumentsError(
      `The channel ${JSON.stringify(this.text)} ${what}; its parameters: ${allowed}`,
    );
  }

  /** The parameters in a name that was cut at its slashes, or `undefined` when it is not of this template. */
  match(segments: readonly string[]): Record<string, string> | undefined {
    if (segments.length !== this.#segments.length) return undefined;
    const found: [string, string][] = [];
    for (const [index, expected] of this.#segments.entries()) {
      const segment = segments[index] as string;
      if (!isParameter(expected)) {
        if (segment !== expected) return undefined;
        continue;
      }
      const value = decodeSegment(segment);
      if (value === undefined) return undefined;
      found.push([expected.slice(1), value]);
    }
    return Object.fromEntries(found);
  }

  /** Whether some name is of both templates. */
  overlaps(other: ChannelTemplate): boolean {
    return (
      this.depth === other.depth &&
      this.#segments.every((segment, index) => {
        const theirs = other.#segments[index] as string;
        return segment === theirs || canBe(segment, theirs) || canBe(theirs, segment);
      })
    );
  }
}

function isParameter(segment: string): boolean {
  return segment.startsWith(':');
}

/** Whether a parameter can have what stands in the other template at its place. */
function canBe(parameter: string, other: string): boolean {
  return isParameter(parameter) && (isParameter(other) || decodeSegment(other) !== undefined);
}

function encodeSegment(value: string): string {
  return value.replaceAll(/^:|[%/]/g, (sign) => ESCAPES.get(sign) as string);
}

function decodeSegment(segment: string): string | undefined {
  if (segment === '') return undefined;
  if (!segment.includes('%') && !segment.startsWith(':')) return segment;
  const value = segment.replaceAll(/^%3A|%2F|%25/g, (escape) =>
    escape === '%25' ? '%' : escape === '%2F' ? '/' : ':',
  );
  return encodeSegment(value) === segment ? value : undefined;
}
