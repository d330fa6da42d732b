import { InvalidDataError } from '../errors.js';
import type { AGRequest } from '../request.js';
import type { Checked } from './check-data.js';
import type { ContractChecks } from './contract-checks.js';

/**
 * Why data of ours must not be sent. The peer, who transforms it, gets it as it is.
 *
 * A schema that takes its time is too late to hold it back: what it finds is reported.
 */
export function outgoingError(
  checked: Checked | Promise<Checked>,
  report: (error: unknown) => void,
): Error | undefined {
  if (!(checked instanceof Promise)) return checked.error;
  void checked.then(({ error }) => {
    if (error !== undefined) report(error);
  });
  return undefined;
}

/** Has the result of a call checked when it is given. A wrong one is reported, and the caller is told no more than that. */
export function checkResultOf(
  request: AGRequest,
  contract: ContractChecks,
  report: (error: unknown) => void,
): void {
  const { end, procedure } = request;
  request.end = (data, options) => {
    const error = request.sent ? undefined : outgoingError(contract.checkResult(procedure, data), report);
    if (error === undefined) {
      end(data, options);
      return;
    }
    report(error);
    const message = `The result of the procedure ${procedure} is not what the contract says`;
    request.error(new InvalidDataError(message, `procedures.${procedure}.result`, []), options);
  };
}
