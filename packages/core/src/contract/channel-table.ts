import { InvalidArgumentsError } from '../errors.js';
import { ChannelTemplate, type GivenParameters } from './channel-template.js';
import type { ChannelDefinition } from './contract-definition.js';
import { isSchema, type Schema } from './schema.js';

/** A channel of a contract, and the parameters in its name. */
export interface FoundChannel {
  readonly template: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly definition: ChannelDefinition;
}

interface Row {
  readonly template: ChannelTemplate;
  readonly definition: ChannelDefinition;
}

/** Owns the channels of one contract. A name belongs to one template at most. */
export class ChannelTable {
  readonly #byTemplate = new Map<string, Row>();
  /** The templates that have parameters, by the number of their segments. */
  readonly #byDepth = new Map<number, Row[]>();
  #maxDepth = 0;

  /** @throws {InvalidArgumentsError} for what is no template, and for two that fit the same name */
  constructor(entries: readonly (readonly [string, Schema | ChannelDefinition])[]) {
    for (const [text, entry] of entries) {
      const template = new ChannelTemplate(text);
      for (const row of this.#byTemplate.values()) {
        if (!row.template.overlaps(template)) continue;
        throw new InvalidArgumentsError(
          `The channels ${JSON.stringify(row.template.text)} and ${JSON.stringify(text)} fit the same names: a name must tell which channel it is`,
        );
      }
      const row = { template, definition: isSchema(entry) ? { message: entry } : entry };
      this.#byTemplate.set(text, row);
      this.#maxDepth = Math.max(this.#maxDepth, template.depth);
      if (template.parameters.length === 0) continue;
      const ofDepth = this.#byDepth.get(template.depth);
      if (ofDepth === undefined) this.#byDepth.set(template.depth, [row]);
      else ofDepth.push(row);
    }
  }

  /**
   * The name of a template with these parameters.
   * @throws {InvalidArgumentsError} for an unknown template, and for wrong parameters
   */
  build(template: string, parameters: GivenParameters | undefined): string {
    const row = this.#byTemplate.get(template);
    if (row !== undefined) return row.template.build(parameters);
    throw new InvalidArgumentsError(
      `The contract has no channel ${JSON.stringify(template)}; its channels: ${[...this.#byTemplate.keys()].join(', ')}`,
    );
  }

  /** Whether there is such a template. */
  hasTemplate(text: string): boolean {
    return this.#byTemplate.has(text);
  }

  /** The channel with that name; any text may be asked for. */
  find(name: string): FoundChannel | undefined {
    const exact = this.#byTemplate.get(name);
    if (exact !== undefined && exact.template.parameters.length === 0) {
      return { template: name, parameters: {}, definition: exact.definition };
    }
    // Names come from the wire: one with a million slashes is not cut into a million pieces.
    const segments = name.split('/', this.#maxDepth + 1);
    for (const { template, definition } of this.#byDepth.get(segments.length) ?? []) {
      const parameters = template.match(segments);
      if (parameters !== undefined) return { template: template.text, parameters, definition };
    }
    return undefined;
  }
}
