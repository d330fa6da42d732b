import { InvalidActionError } from '../errors.js';
import type { GivenParameters } from './channel-template.js';
import type { ContractChecks } from './contract.js';

/**
 * The name of a channel that was asked for by its name, or by its template and the parameters.
 *
 * A name is given back as it is, known to the contract or not: who uses it is told.
 * @throws {InvalidActionError} for parameters without a contract; {InvalidArgumentsError} for an unknown template or
 *   wrong parameters, and for a template that lacks them
 */
export function resolveChannelName(
  contract: ContractChecks | undefined,
  name: string,
  parameters?: unknown,
): string {
  if (parameters === undefined) {
    if (contract?.isTemplate(name) === true) return contract.buildName(name);
    return name;
  }
  if (contract !== undefined) return contract.buildName(name, parameters as GivenParameters);
  throw new InvalidActionError(
    `The channel ${JSON.stringify(name)} was asked for with parameters, which needs the contract as an option`,
  );
}
