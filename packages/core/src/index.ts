/**
 * What both ends of a SocketCluster connection agree on: packets and their codec, errors and how they cross the wire,
 * calls and their answers, batches, channels. Server and client are built on it; an application meets its names
 * through them.
 *
 * ```ts
 * import { jsonCodec, parsePacket } from '@socketcluster-ts/core';
 *
 * const packet = parsePacket(jsonCodec.decode('{"event":"greet","data":"Ann","cid":1}'));
 * if (packet.kind === 'event') console.log(packet.event, packet.data);
 * ```
 *
 * @module
 */
export { TimeoutError } from '@socketcluster-ts/streams';
export { type AuthToken, isTokenExpired } from './auth-token.js';
export { Batcher, type BatchTimers } from './batcher.js';
export { type CallSignal, CallSignals } from './call-signals.js';
export { CallTable, type PendingCall } from './call-table.js';
export {
  AGChannel,
  type ChannelClient,
  type ChannelConsumerMethods,
  type ChannelEvents,
  type ChannelOptions,
  type ChannelState,
} from './channel.js';
export { addChannelMethods, type ChannelMethods, type ChannelStreamsOwner } from './channel-methods.js';
export { ChannelStreams } from './channel-streams.js';
export { cloneData } from './clone-data.js';
export type { Checked } from './contract/check-data.js';
export { checkResultOf, outgoingError } from './contract/check-outgoing.js';
export { Contract, defineContract } from './contract/contract.js';
export type { ContractChecks } from './contract/contract-checks.js';
export type {
  ChannelDefinition,
  ContractDefinition,
  ProcedureDefinition,
} from './contract/contract-definition.js';
export { type ClientContract, ContractGuard, type GuardedClient } from './contract/contract-guard.js';
export type {
  AnyContract,
  CallTypes,
  ChannelArguments,
  ChannelInput,
  ChannelMessage,
  ChannelParameters,
  ChannelTypes,
  Claims,
  ContractTypes,
  DataArguments,
  NamePattern,
  ParameterArguments,
  ParameterName,
  ParsedChannel,
  SubscriptionInput,
  TemplateOf,
  TypesOf,
  TypesOfName,
  Untyped,
  WhenUntyped,
} from './contract/contract-types.js';
export { type Schema, type SchemaTypes, type TypesOfSchema, type } from './contract/schema.js';
export { type Verdict, verdictInTime } from './contract/verdict-in-time.js';
export { Deadline, type DeadlineScheduler } from './deadline.js';
export { DeadlineQueue, type DeadlineQueueOptions } from './deadline-queue.js';
export { type Delivery, markDelivery } from './delivery.js';
export { decycle, dehydrateError, hydrateError } from './error-transfer.js';
export {
  AbortError,
  AuthError,
  AuthTokenError,
  AuthTokenExpiredError,
  AuthTokenInvalidError,
  AuthTokenNotBeforeError,
  BadConnectionError,
  BrokerError,
  type DataIssue,
  HTTPServerError,
  InvalidActionError,
  InvalidArgumentsError,
  InvalidDataError,
  InvalidMessageError,
  InvalidOptionsError,
  ProcessExitError,
  ResourceLimitError,
  ServerProtocolError,
  SilentMiddlewareBlockedError,
  SocketProtocolError,
  UnknownError,
  UnknownNameError,
} from './errors.js';
export { invalidOption, showGiven } from './invalid-option.js';
export { ProcedureStream } from './procedure-stream.js';
export { bytesToBase64 } from './protocol/base64.js';
export {
  CLOSE_CODES,
  closeReason,
  errorStatuses,
  ignoreStatuses,
  isIgnoredStatus,
  sanitizeClose,
} from './protocol/close-codes.js';
export { type CodecEngine, jsonCodec, type TextCodecEngine } from './protocol/codec.js';
export { exceedsDepth } from './protocol/depth.js';
export { agreeOnExtensions, type Extension } from './protocol/extensions.js';
export {
  type ChannelPayload,
  type EventPacket,
  errorPacket,
  eventPacket,
  type Packet,
  parseChannelPayload,
  parsePacket,
  type RawPacket,
  type ResponsePacket,
  responsePacket,
  type WireEvent,
  type WireResponse,
} from './protocol/packet.js';
export {
  type AbortData,
  type AuthenticateStatus,
  type HandshakeData,
  type HandshakeStatus,
  isReservedEvent,
  type KickOutData,
  type PublishData,
  RESERVED_EVENTS,
  type ReservedEvent,
  type ReservedEventData,
  type SetAuthTokenData,
  type SubscribeData,
} from './protocol/reserved-events.js';
export { AGRequest, type EndRequest, type FailRequest, type RequestTarget } from './request.js';
export { RpcHost, type RpcMethods } from './rpc-host.js';
export { spawn } from './spawn.js';
