import {
  type AbortData,
  AGRequest,
  type AuthTokenExpiredError,
  BrokerError,
  type ChannelPayload,
  type Checked,
  CLOSE_CODES,
  type ContractChecks,
  checkResultOf,
  type EventPacket,
  exceedsDepth,
  InvalidActionError,
  type Packet,
  parseChannelPayload,
  ResourceLimitError,
  responsePacket,
  verdictInTime,
} from '@socketcluster-ts/core';
import type { AGExchange } from '../exchange/exchange.js';
import { type ActionType, AGAction } from '../middleware/action.js';
import { authenticate } from './authenticate.js';
import type { Connection } from './connection.js';
import { echoName } from './echo-name.js';
import { failCall } from './fail-call.js';
import { handshake } from './handshake.js';
import { InboundQuestion, whenDone } from './inbound-question.js';
import { nameError } from './name-limit.js';

/** What a packet waits for before its effect is complete. */
export type Pending = Promise<void> | InboundQuestion;

/**
 * Has one packet take effect: the one gate through which everything a client sends has to go.
 *
 * Gives something to wait for only when that must be; the next packet of the connection comes after it.
 */
export function routePacket(
  connection: Connection,
  packet: Packet,
  frame: string | Buffer,
): Pending | undefined {
  if (packet.kind === 'event') return routeEvent(connection, packet);
  if (isTooEarly(connection)) return undefined;
  if (packet.kind === 'response') connection.outbound.settle(packet);
  else connection.socket.emit('raw', { message: frame });
  return undefined;
}

/** Closes a connection that sent something before its handshake, where that is not allowed. */
export function isTooEarly(connection: Connection): boolean {
  if (connection.state !== 'connecting' || !connection.server.strictHandshake) return false;
  connection.closeWith(CLOSE_CODES.MESSAGE_BEFORE_HANDSHAKE);
  return true;
}

function routeEvent(connection: Connection, packet: EventPacket): Pending | undefined {
  const { event } = packet;
  if (event === '#handshake') return openConnection(connection, packet);
  if (isTooEarly(connection)) return undefined;
  switch (event) {
    case '#authenticate':
      return showToken(connection, packet);
    case '#removeAuthToken':
      connection.auth.deauthenticateSelf();
      connection.socket.writeReceiver(event, packet.data);
      return undefined;
    default:
  }
  const expired = connection.expireTokenIfDue();
  switch (event) {
    case '#publish':
      return publish(connection, packet, expired);
    case '#subscribe':
      return subscribe(connection, packet, expired);
    case '#unsubscribe':
      return unsubscribe(connection, packet);
    case '#abort':
      if (connection.extensions?.includes('abort') === true) return abort(connection, packet);
      break;
    default:
  }
  const wrongName = nameError('event', event, connection.server.limits.maxNameBytes);
  if (wrongName !== undefined) return refuse(connection, packet.cid, wrongName);
  return connection.server.contract === undefined
    ? dispatch(connection, packet, expired)
    : checkAndDispatch(connection, connection.server.contract, packet, expired);
}

/** The client does not want the answer of a call any more. */
function abort(connection: Connection, { cid, data }: EventPacket): undefined {
  const given = data as Partial<AbortData> | null | undefined;
  const aborted: unknown = typeof given === 'object' && given !== null ? given.cid : undefined;
  if (typeof aborted === 'number') {
    // Who knows that it was given up need not answer any more.
    connection.pendingCalls = Math.max(connection.pendingCalls - connection.signals.abort(aborted), 0);
    if (cid !== undefined) connection.outbound.sendObject(responsePacket(cid));
    return undefined;
  }
  return refuse(connection, cid, new InvalidActionError('Abort request was malformatted'));
}

/** Goes on with data that fits the contract, as its schema made it; other data is refused. */
function goOnChecked(
  connection: Connection,
  packet: EventPacket,
  checked: Checked | Promise<Checked>,
  goOn: (data: unknown) => Pending | undefined,
): Pending | undefined {
  const { cid } = packet;
  if (!(checked instanceof Promise)) {
    return checked.error === undefined ? goOn(checked.value) : refuse(connection, cid, checked.error);
  }
  const { deadlines: scheduler, ackTimeout: timeoutMs } = connection.server;
  return verdictInTime(checked, echoName(packet.event), { scheduler, timeoutMs }).then((verdict) =>
    verdict.error === undefined ? whenDone(goOn(verdict.value)) : refuse(connection, cid, verdict.error),
  );
}

/** An event of the application, checked by the contract first. */
function checkAndDispatch(
  connection: Connection,
  contract: ContractChecks,
  packet: EventPacket,
  expired: AuthTokenExpiredError | undefined,
): Pending | undefined {
  const { event, cid } = packet;
  const checked =
    cid === undefined ? contract.checkEvent(event, packet.data) : contract.checkArgument(event, packet.data);
  return goOnChecked(connection, packet, checked, (data) =>
    dispatch(connection, { ...packet, data, hasData: data !== undefined }, expired),
  );
}

function malformed(connection: Connection, what: string): undefined {
  connection.socket.emitError(new InvalidActionError(`${what} request was malformatted`));
  connection.closeWith(CLOSE_CODES.HANDSHAKE_REJECTED);
  return undefined;
}

function openConnection(connection: Connection, packet: EventPacket): Promise<void> | undefined {
  const { cid } = packet;
  if (cid === undefined) return malformed(connection, 'Handshake');
  if (connection.state !== 'connecting') {
    const error = new InvalidActionError('The handshake of this socket has already been completed');
    connection.socket.emitError(error);
    failCall(connection, cid, error);
    return undefined;
  }
  return handshake(connection, packet, cid).then(() =>
    writeReserved(connection, packet, packet.data, packet.data),
  );
}

function showToken(connection: Connection, packet: EventPacket): Promise<void> | undefined {
  const { cid } = packet;
  if (cid === undefined) return malformed(connection, 'Authenticate');
  return authenticate(connection, packet.data, cid).then(() =>
    writeReserved(connection, packet, packet.data, packet.data),
  );
}

/** An event of the application. */
function dispatch(
  connection: Connection,
  packet: EventPacket,
  expired: AuthTokenExpiredError | undefined,
): Pending | undefined {
  const { event, cid, data } = packet;
  if (cid !== undefined && !connection.admitsCall()) {
    const message = `More than ${connection.server.limits.maxPendingCalls} calls of the socket are without an answer`;
    return refuse(connection, cid, new ResourceLimitError(message));
  }
  if (connection.server.middlewareFunctions.inbound === undefined) return write(connection, packet, data);
  const type = cid === undefined ? AGAction.TRANSMIT : AGAction.INVOKE;
  const action = inboundAction(connection, type, packet, expired);
  if (cid === undefined) action.receiver = event;
  else action.procedure = event;
  return new InboundQuestion(connection, packet, write).ask(action);
}

function write(connection: Connection, packet: EventPacket, data: unknown): undefined {
  const { socket } = connection;
  if (packet.cid === undefined) socket.writeReceiver(packet.event, data);
  else if (socket.hasProcedure(packet.event)) {
    const request = socket.createRequest(socket, packet.cid, packet.event, data);
    const { checkOutgoing, contract } = connection.server;
    if (checkOutgoing && contract !== undefined)
      checkResultOf(request, contract, (error) => socket.emitError(error));
    // What another class makes says nothing of its answer, so it cannot be counted.
    if (request instanceof AGRequest && !request.sent) connection.pendingCalls += 1;
    socket.writeProcedure(packet.event, request);
  }
  return undefined;
}

/** A reserved event, for who watches these. A request has its answer already; a receiver gets the bare data. */
function writeReserved(
  connection: Connection,
  { event, cid }: EventPacket,
  data: unknown,
  bare: unknown,
): void {
  const { socket } = connection;
  if (cid === undefined) socket.writeReceiver(event, bare);
  else if (socket.hasProcedure(event)) {
    const request = socket.createRequest(socket, cid, event, data);
    request.sent = true;
    socket.writeProcedure(event, request);
  }
}

/** Field by field: an object of fields, copied into the action, costs more than the action. */
function inboundAction(
  connection: Connection,
  type: ActionType,
  payload: { readonly data: unknown; readonly hasData: boolean },
  expired: AuthTokenExpiredError | undefined,
): AGAction {
  const action = new AGAction(type);
  action.socket = connection.socket;
  if (payload.hasData) action.data = payload.data;
  if (expired !== undefined) action.authTokenExpiredError = expired;
  return action;
}

/** Refuses a packet: an error event, and an error answer if one is wanted. */
function refuse(connection: Connection, cid: number | undefined, error: unknown): undefined {
  connection.socket.emitError(error);
  failCall(connection, cid, error);
  return undefined;
}

function publish(
  connection: Connection,
  packet: EventPacket,
  expired: AuthTokenExpiredError | undefined,
): Pending | undefined {
  const { cid } = packet;
  const { server } = connection;
  if (!server.allowClientPublish) {
    return refuse(connection, cid, new InvalidActionError('Client publish feature is disabled'));
  }
  const payload = parseChannelPayload(packet.data);
  if (payload === undefined) {
    return refuse(connection, cid, new InvalidActionError('Publish channel name was malformatted'));
  }
  const { maxDepth, maxNameBytes } = server.limits;
  const wrongName = nameError('channel', payload.channel, maxNameBytes);
  if (wrongName !== undefined) return refuse(connection, cid, wrongName);
  if (exceedsDepth(payload.data, maxDepth)) {
    const message = `The published data is nested deeper than ${maxDepth} levels`;
    return refuse(connection, cid, new ResourceLimitError(message));
  }
  const { contract } = server;
  if (contract === undefined) return publishPayload(connection, packet, payload, expired);
  const checked = contract.checkMessage(payload.channel, payload.data);
  return goOnChecked(connection, packet, checked, (data) =>
    publishPayload(connection, packet, { ...payload, data, hasData: data !== undefined }, expired),
  );
}

function publishPayload(
  connection: Connection,
  packet: EventPacket,
  payload: ChannelPayload,
  expired: AuthTokenExpiredError | undefined,
): Pending | undefined {
  const { channel, data } = payload;
  if (connection.server.middlewareFunctions.inbound === undefined)
    return publishData(connection, packet, data, channel);
  const action = inboundAction(connection, AGAction.PUBLISH_IN, payload, expired);
  action.channel = channel;
  return new InboundQuestion(connection, packet, publishData, channel).ask(action);
}

function publishData(
  connection: Connection,
  packet: EventPacket,
  data: unknown,
  channel: string,
): Promise<void> | undefined {
  const { exchange } = connection.server;
  let pending: ReturnType<AGExchange['publishNow']>;
  try {
    pending =
      exchange.publishNow === undefined
        ? exchange.invokePublish(channel, data)
        : exchange.publishNow(channel, data);
  } catch (error) {
    return refuse(connection, packet.cid, error);
  }
  if (pending === undefined) {
    published(connection, packet, channel, data);
    return undefined;
  }
  if (pending instanceof Promise) {
    return pending.then(
      () => published(connection, packet, channel, data),
      (error: unknown) => refuse(connection, packet.cid, error),
    );
  }
  // Its place in the order is settled: what the client sends next need not wait until others have accepted it.
  pending.accepted.then(
    () => whileOpen(connection, () => published(connection, packet, channel, data)),
    (error: unknown) => whileOpen(connection, () => refuse(connection, packet.cid, error)),
  );
  return undefined;
}

/** Does what comes after a packet is over; what it throws is reported. A client that is gone waits for nothing. */
function whileOpen(connection: Connection, task: () => void): void {
  if (connection.state !== 'open') return;
  try {
    task();
  } catch (error) {
    connection.socket.emitError(error);
  }
}

function published(connection: Connection, packet: EventPacket, channel: string, data: unknown): void {
  // compat: the publisher's own copy of the message is on its way before this acknowledgement.
  if (packet.cid !== undefined) connection.socket.sendObject(responsePacket(packet.cid));
  writeReserved(connection, packet, data === undefined ? { channel } : { channel, data }, data);
}

function subscribe(
  connection: Connection,
  packet: EventPacket,
  expired: AuthTokenExpiredError | undefined,
): Pending | undefined {
  const payload = parseChannelPayload(packet.data);
  if (payload === undefined) {
    const error = new InvalidActionError('Subscribe channel name was malformatted');
    return refuse(connection, packet.cid, error);
  }
  const { contract, limits } = connection.server;
  const wrongName = nameError('channel', payload.channel, limits.maxNameBytes);
  if (wrongName !== undefined) return refuse(connection, packet.cid, wrongName);
  if (contract === undefined) return subscribePayload(connection, packet, payload, expired);
  const checked = contract.checkSubscription(payload.channel, payload.data);
  return goOnChecked(connection, packet, checked, (data) =>
    subscribePayload(connection, packet, { ...payload, data, hasData: data !== undefined }, expired),
  );
}

function subscribePayload(
  connection: Connection,
  packet: EventPacket,
  payload: ChannelPayload,
  expired: AuthTokenExpiredError | undefined,
): Pending | undefined {
  const { channel } = payload;
  if (connection.server.middlewareFunctions.inbound === undefined)
    return join(connection, packet, payload.data, channel);
  const action = inboundAction(connection, AGAction.SUBSCRIBE, payload, expired);
  action.channel = channel;
  return new InboundQuestion(connection, packet, join, channel).ask(action);
}

async function join(
  connection: Connection,
  packet: EventPacket,
  data: unknown,
  channel: string,
): Promise<void> {
  const { cid } = packet;
  const { channel: _, ...options } = packet.data as Record<string, unknown>;
  const subscriptionOptions = { ...options, data };
  // compat: without a cid the middleware is asked and nothing is subscribed.
  if (cid !== undefined) {
    try {
      if (connection.state !== 'open') {
        throw new InvalidActionError(
          'Cannot subscribe socket to a channel before it has completed the handshake',
        );
      }
      await connection.subscriptions.subscribe(channel, subscriptionOptions);
    } catch (error) {
      return refuse(connection, cid, error);
    }
    if ((connection.state as string) === 'closed') return undefined;
    connection.socket.sendObject(responsePacket(cid));
  }
  writeReserved(connection, packet, { channel, ...subscriptionOptions }, data);
  return undefined;
}

async function unsubscribe(connection: Connection, packet: EventPacket): Promise<void> {
  const { cid, data: channel } = packet;
  if (typeof channel !== 'string') {
    return refuse(connection, cid, new InvalidActionError('Unsubscribe channel name was malformatted'));
  }
  try {
    await connection.subscriptions.unsubscribe(channel);
    connection.outbound.forget(channel);
  } catch (error) {
    const text = `Failed to unsubscribe socket from the ${echoName(channel)} channel - ${String(error)}`;
    return refuse(connection, cid, new BrokerError(text, { cause: error }));
  }
  if (cid !== undefined) connection.socket.sendObject(responsePacket(cid));
  writeReserved(connection, packet, channel, channel);
  return undefined;
}
