import { type AGRequest, type Checked, InvalidDataError, isReservedEvent } from '@socketcluster-ts/core';
import type { SocketFace, SocketHost } from './socket-context.js';

/**
 * Why a message of ours must not be sent. The peer, who transforms it, gets it as it is.
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

/** As {@link outgoingError}, for an event or a call; those of the protocol are not part of a contract. */
export function outgoingMessageError(
  server: SocketHost,
  { kind, name, data }: { kind: 'event' | 'argument'; name: string; data: unknown },
  report: (error: unknown) => void,
): Error | undefined {
  const { contract } = server;
  if (contract === undefined || !server.checkOutgoing || isReservedEvent(name)) return undefined;
  const checked = kind === 'event' ? contract.checkEvent(name, data) : contract.checkArgument(name, data);
  return outgoingError(checked, report);
}

/**
 * Has the result of a call checked when it is given. A wrong one is an error event here, and the caller is told no more
 * than that.
 */
export function checkResultOf(
  request: AGRequest,
  { server, socket }: { server: SocketHost; socket: SocketFace },
): void {
  const { contract } = server;
  if (contract === undefined || !server.checkOutgoing) return;
  const { end, procedure } = request;
  request.end = (data, options) => {
    const error = request.sent
      ? undefined
      : outgoingError(contract.checkResult(procedure, data), (late) => socket.emitError(late));
    if (error === undefined) {
      end(data, options);
      return;
    }
    socket.emitError(error);
    const message = `The result of the procedure ${procedure} is not what the contract says`;
    request.error(new InvalidDataError(message, `procedures.${procedure}.result`, []), options);
  };
}
