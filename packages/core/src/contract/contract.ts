import { InvalidArgumentsError, type UnknownNameError } from '../errors.js';
import { showGiven } from '../invalid-option.js';
import { ChannelTable } from './channel-table.js';
import type { GivenParameters } from './channel-template.js';
import { type Checked, checkData, unknownName } from './check-data.js';
import type { ChannelDefinition, ContractDefinition, ProcedureDefinition } from './contract-definition.js';
import { type ClientContract, ContractGuard, type GuardedClient } from './contract-guard.js';
import type {
  AnyContract,
  NamePattern,
  ParameterArguments,
  ParsedChannel,
  TypesOf,
} from './contract-types.js';
import { isSchema, type Schema } from './schema.js';

/** The claims that the library sets and checks itself. */
const OWN_CLAIMS = ['exp', 'iat', 'nbf'] as const;

/**
 * Owns what two ends agreed on: the names of their procedures, events and channels, and what data each of them takes.
 *
 * Made by `defineContract()`. Its type is the type argument of servers, sockets and clients; the object itself is
 * what they check data with, where it is given as option `contract`. The `check…` methods give the data to go on with,
 * as the schema transformed it, or an error; they never throw and never reject, and give a promise only where a schema
 * does. Data of an entry that declares no schema for it has to be missing or `null`.
 */
export class Contract<D extends ContractDefinition = ContractDefinition>
  implements AnyContract, ClientContract
{
  /** Exists for the compiler only. */
  declare readonly types: TypesOf<D>;
  /** What was given to `defineContract()`. */
  readonly definition: D;
  readonly #procedures: ReadonlyMap<string, ProcedureDefinition>;
  readonly #events: ReadonlyMap<string, Schema>;
  readonly #channels: ChannelTable;

  /** @throws {InvalidArgumentsError} that names what was given and what is allowed */
  constructor(definition: D) {
    checkKeys('The definition of a contract', definition, ['procedures', 'events', 'channels', 'token']);
    this.definition = definition;
    const { procedures, events, channels, token } = definition as ContractDefinition;
    this.#procedures = new Map(entriesOf('procedures', procedures, checkProcedure));
    this.#events = new Map(entriesOf('events', events, checkSchema));
    this.#channels = new ChannelTable(entriesOf('channels', channels, checkChannel));
    if (token !== undefined) checkSchema('token', token);
  }

  /**
   * The name of a channel: the template with its parameters.
   *
   * @example
   * ```ts
   * import { defineContract, type } from '@socketcluster-ts/core';
   *
   * const contract = defineContract({ channels: { 'room/:id': type<string>() } });
   * console.log(contract.channel('room/:id', { id: 'a/b' })); // room/a%2Fb
   * ```
   * @throws {InvalidArgumentsError} for an unknown template, and for a parameter that is missing, empty or unknown
   */
  channel<Template extends keyof TypesOf<D>['channels'] & string>(
    template: Template,
    ...parameters: ParameterArguments<Template>
  ): NamePattern<Template> {
    return this.#channels.build(template, parameters[0]) as NamePattern<Template>;
  }

  /** The template and the parameters of a name; `undefined` when no channel of the contract has that name. */
  parse(channelName: string): ParsedChannel<Contract<D>> | undefined {
    const found = this.#channels.find(channelName);
    if (found === undefined) return undefined;
    const { template, parameters } = found;
    return { template, parameters } as ParsedChannel<Contract<D>>;
  }

  channelName(name: string, parameters?: unknown): string {
    if (parameters === undefined && !this.#channels.hasTemplate(name)) return name;
    return this.#channels.build(name, parameters as GivenParameters | undefined);
  }

  guard(client: GuardedClient): ContractGuard {
    return new ContractGuard(this, client);
  }

  unknownName(kind: 'procedure' | 'event' | 'channel', name: string): UnknownNameError | undefined {
    const isKnown =
      kind === 'channel'
        ? this.#channels.find(name) !== undefined
        : (kind === 'event' ? this.#events : this.#procedures).has(name);
    return isKnown ? undefined : unknownName(kind, name);
  }

  checkArgument(procedure: string, data: unknown): Checked | Promise<Checked> {
    const entry = this.#procedures.get(procedure);
    if (entry === undefined) return { error: unknownName('procedure', procedure) };
    return checkData(`procedures.${procedure}.argument`, entry.argument, data);
  }

  checkResult(procedure: string, data: unknown): Checked | Promise<Checked> {
    const entry = this.#procedures.get(procedure);
    if (entry === undefined) return { error: unknownName('procedure', procedure) };
    return checkData(`procedures.${procedure}.result`, entry.result, data);
  }

  checkEvent(event: string, data: unknown): Checked | Promise<Checked> {
    const schema = this.#events.get(event);
    if (schema === undefined) return { error: unknownName('event', event) };
    return checkData(`events.${event}`, schema, data);
  }

  checkMessage(channelName: string, data: unknown): Checked | Promise<Checked> {
    const found = this.#channels.find(channelName);
    if (found === undefined) return { error: unknownName('channel', channelName) };
    return checkData(`channels.${found.template}`, found.definition.message, data);
  }

  checkSubscription(channelName: string, data: unknown): Checked | Promise<Checked> {
    const found = this.#channels.find(channelName);
    if (found === undefined) return { error: unknownName('channel', channelName) };
    const { subscribe } = found.definition;
    if (subscribe === undefined) return { value: data };
    return checkData(`channels.${found.template}.subscribe`, subscribe, data);
  }

  checkToken(claims: object): Checked | Promise<Checked> {
    const { token } = this.definition as ContractDefinition;
    if (token === undefined) return { value: claims };
    const shown: Record<string, unknown> = { ...claims };
    const own: Record<string, unknown> = {};
    for (const claim of OWN_CLAIMS) {
      if (!Object.hasOwn(shown, claim)) continue;
      own[claim] = shown[claim];
      delete shown[claim];
    }
    const checked = checkData('token', token, shown);
    const complete = (result: Checked): Checked =>
      result.error === undefined ? { value: { ...(result.value as object), ...own } } : result;
    return checked instanceof Promise ? checked.then(complete) : complete(checked);
  }
}

/**
 * Says what two ends agree on: their procedures, events and channels, and the claims of the token.
 *
 * Each entry is a type ({@link type}), or a validator of a library that follows Standard Schema, which makes an end that
 * is given the contract as an option check what comes in.
 *
 * @example
 * ```ts
 * import { defineContract, type } from '@socketcluster-ts/core';
 *
 * export const contract = defineContract({
 *   procedures: { add: { argument: type<[number, number]>(), result: type<number>() } },
 *   events: { typing: type<{ room: string }>() },
 *   channels: { 'room/:id': type<{ text: string }>() },
 *   token: type<{ user: string }>(),
 * });
 * ```
 * @throws {InvalidArgumentsError} that names what was given and what is allowed
 */
export function defineContract<const D extends ContractDefinition>(definition: D): Contract<D> {
  return new Contract(definition);
}

type CheckEntry = (path: string, entry: unknown) => void;

/** The entries of a section, each checked; names of the protocol are refused. */
function entriesOf<E>(
  section: string,
  given: Readonly<Record<string, E>> | undefined,
  check: CheckEntry,
): [string, E][] {
  if (given === undefined) return [];
  checkPlain(section, given, 'an object with an entry for each name');
  return Object.entries(given).map(([name, entry]) => {
    if (name.startsWith('#') && section !== 'channels') {
      throw invalid(section, 'names that do not begin with #, which are those of the protocol', name);
    }
    check(`${section}.${name}`, entry);
    return [name, entry];
  });
}

function checkSchema(path: string, schema: unknown): void {
  if (!isSchema(schema)) throw invalid(path, 'type<…>() or a Standard Schema', schema);
}

function checkProcedure(path: string, entry: unknown): void {
  if (isSchema(entry)) {
    throw new InvalidArgumentsError(
      `${path} must be an object with the keys argument and result, both optional - Got a schema: is it the argument?`,
    );
  }
  checkKeys(path, entry, ['argument', 'result']);
  const { argument, result } = entry as ProcedureDefinition;
  if (argument !== undefined) checkSchema(`${path}.argument`, argument);
  if (result !== undefined) checkSchema(`${path}.result`, result);
}

function checkChannel(path: string, entry: unknown): void {
  if (isSchema(entry)) return;
  checkPlain(path, entry, 'type<…>(), a Standard Schema, or an object with the keys message and subscribe');
  checkKeys(path, entry, ['message', 'subscribe']);
  const { message, subscribe } = entry as ChannelDefinition;
  checkSchema(`${path}.message`, message);
  if (subscribe !== undefined) checkSchema(`${path}.subscribe`, subscribe);
}

function checkKeys(path: string, value: unknown, allowed: readonly string[]): void {
  const keys = `an object with the keys ${allowed.join(', ')}`;
  checkPlain(path, value, keys);
  const unknown = Object.keys(value as object).find((key) => !allowed.includes(key));
  if (unknown !== undefined) throw invalid(path, keys, unknown);
}

function checkPlain(path: string, value: unknown, allowed: string): void {
  if (typeof value !== 'object' || value === null || isSchema(value)) throw invalid(path, allowed, value);
  const prototype: unknown = Object.getPrototypeOf(value);
  // Names hidden in a prototype, such as by a literal with the key __proto__, would be in the types and nowhere else.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw invalid(path, `${allowed}, without a prototype of its own`, value);
  }
}

function invalid(path: string, allowed: string, given: unknown): InvalidArgumentsError {
  return new InvalidArgumentsError(
    `${path} must be ${allowed} - Got ${isSchema(given) ? 'a schema' : showGiven(given)}`,
  );
}
