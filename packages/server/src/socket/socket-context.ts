import type { IncomingMessage } from 'node:http';
import type {
  AGRequest,
  AnyContract,
  Claims,
  CodecEngine,
  ContractChecks,
  DeadlineQueue,
  Untyped,
} from '@socketcluster-ts/core';
import type { AsyncStreamEmitter } from '@socketcluster-ts/streams';
import type { TurnAway } from '../admission/admission.js';
import type { AuthEngine } from '../auth/auth-engine.js';
import type { Revocations } from '../auth/revocations.js';
import type {
  IsTokenRevoked,
  SignatureKey,
  TokenSignatureOptions,
  TokenVerificationOptions,
  VerificationKey,
} from '../auth/token-options.js';
import type { EngineSocket } from '../engine/engine.js';
import type { BrokerEngine, BrokerExchange } from '../exchange/broker-engine.js';
import type { Subscriber, TransmitOptions } from '../exchange/subscriber.js';
import type { ResolvedLimits } from '../limits/limits.js';
import type { RateLimits } from '../limits/rate-limits.js';
import type { MiddlewareFunctions, MiddlewareStreams } from '../middleware/middleware-streams.js';
import type { OutboundLedger } from './outbound-ledger.js';
import type {
  AuthStateChange,
  CloseEvent,
  OverflowEndEvent,
  OverflowEvent,
  PressureEvent,
  SocketEvents,
  SocketState,
  SubscriptionOptions,
} from './socket-events.js';

/** The events of a socket that its server repeats, with the socket. `S` is the class of the socket, `C` the contract. */
export interface SocketTwinEvents<S, C extends AnyContract = Untyped> {
  /** A socket was created; its `#handshake` has not come yet, so nothing can be sent to it. */
  handshake: { socket: S };
  connection: { socket: S; id: string; pingTimeout: number; isAuthenticated: boolean; authError?: Error };
  connectionAbort: { socket: S } & CloseEvent;
  disconnection: { socket: S } & CloseEvent;
  closure: { socket: S } & CloseEvent;
  subscription: {
    socket: S;
    channel: string;
    subscriptionOptions: SubscriptionOptions;
    /** The same object as `subscriptionOptions`. */
    channelOptions: SubscriptionOptions;
  };
  unsubscription: { socket: S; channel: string };
  authentication: { socket: S; authToken: Claims<C> };
  deauthentication: { socket: S; oldAuthToken: Claims<C> | null };
  authenticationStateChange: { socket: S } & AuthStateChange<C>;
  socketPressure: { socket: S } & PressureEvent;
  socketOverflow: { socket: S } & OverflowEvent;
  socketOverflowEnd: { socket: S } & OverflowEndEvent;
  badSocketAuthToken: { socket: S; authError: Error; signedAuthToken: string | null };
}

/** What a socket knows of its server; the server is the one object that implements it. */
export interface SocketHost {
  readonly clients: Readonly<Record<string, SocketFace>>;
  readonly pendingClients: Readonly<Record<string, SocketFace>>;
  readonly clientsCount: number;
  readonly pendingClientsCount: number;
  readonly exchange: BrokerExchange;
  readonly brokerEngine: BrokerEngine;
  readonly auth: AuthEngine;
  readonly codec: CodecEngine;
  readonly signatureKey: SignatureKey;
  readonly verificationKey: VerificationKey;
  readonly defaultSignatureOptions: TokenSignatureOptions;
  readonly defaultVerificationOptions: TokenVerificationOptions;
  readonly ackTimeout: number;
  readonly handshakeTimeout: number;
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly protocolVersion: number;
  readonly pingTimeoutDisabled: boolean;
  readonly allowClientPublish: boolean;
  readonly strictHandshake: boolean;
  readonly middlewareEmitFailures: boolean;
  readonly socketChannelLimit: number | false | null;
  readonly limits: ResolvedLimits;
  /** How fast clients may send; `undefined` for as fast as they like. @hidden */
  readonly rates: RateLimits | undefined;
  readonly middlewareFunctions: MiddlewareFunctions;
  /** What the clients agreed on; what they send is checked by it. */
  readonly contract: ContractChecks | undefined;
  /** Whether what is sent is checked by the contract, too. */
  readonly checkOutgoing: boolean;
  /** The largest frame that is taken, in bytes; `Infinity` for no limit. */
  readonly maxPayload: number;
  /** The one timer of all sockets. */
  readonly deadlines: DeadlineQueue;
  /** Says whether a valid token was revoked. */
  readonly isTokenRevoked: IsTokenRevoked | undefined;
  /** Tells logins under way that tokens were revoked. @hidden */
  readonly revocations: Revocations;
  /** The claim of a token that says whose it is. */
  readonly userClaim: string;
  /** How much waits for all slow sockets. */
  readonly outboundLedger: OutboundLedger;
  /** Emits what happened to a socket. */
  emitOfSocket<E extends keyof SocketTwinEvents<SocketFace>>(
    event: E,
    data: SocketTwinEvents<SocketFace>[E],
  ): void;
  /** Emits `error` on the server. */
  emitError(error: unknown): void;
  /** Emits `warning` on the server. */
  emitWarning(warning: unknown): void;
  /** Whether, and how, handshakes are refused now. */
  turnAway(): TurnAway | undefined;
  /** Moves a socket from the pending to the connected ones. */
  admit(socket: SocketFace): void;
  /** Counts a socket to another user, or to none. */
  moveToUser(socket: SocketFace, from: string | undefined, to: string | undefined): void;
  /** Forgets a socket. */
  release(socket: SocketFace): void;
}

/** How a message of ours is to be delivered. */
export interface DeliveryOptions {
  /** Wait for the client to confirm, and reject when it does not. */
  readonly rejectOnFailedDelivery?: boolean;
}

/** What the parts of a socket use of its public object, where users may have replaced or extended it. */
export interface SocketFace
  extends Subscriber,
    Pick<AsyncStreamEmitter<SocketEvents>, 'emit' | 'hasListener'> {
  readonly server: SocketHost;
  readonly request: IncomingMessage;
  readonly remoteAddress: string | undefined;
  forwardedForAddress?: string;
  transmit(event: string, data: unknown, options?: TransmitOptions): Promise<void> | void;
  hasProcedure(name: string): boolean;
  isFollowed(name: string, isProcedure: boolean): boolean;
  emitError(error: unknown): void;
  writeReceiver(name: string, data: unknown): void;
  writeProcedure(name: string, request: unknown): void;
  createRequest(socket: SocketFace, id: number, procedure: string, data: unknown): AGRequest;
  sendObject(object: unknown): void;
  deauthenticate(options?: DeliveryOptions): Promise<void>;
  disconnect(code?: number, reason?: string): Promise<void>;
  closeAllStreams(): void;
  killAllMiddlewares(): void;
  killIO(): void;
  killAllReceivers(): void;
  killAllProcedures(): void;
  killAllListeners(): void;
}

/** Makes the request object for a call of the client, instead of `AGRequest`; `this` is the socket too. `S` is its class. */
export type RequestCreator<S> = (socket: S, id: number, procedureName: string, data: unknown) => AGRequest<S>;

/** What every part of a socket can rely on. */
export interface SocketContext {
  readonly socket: SocketFace;
  readonly server: SocketHost;
  readonly engine: EngineSocket;
  readonly state: SocketState;
  readonly outbound: SocketOutput;
  readonly middleware: MiddlewareStreams;
}

/** What the other parts of a socket send through. */
export interface SocketOutput {
  /** Sends an event that nobody answers; on a socket that is not open it emits an error instead. */
  transmit(event: string, data: unknown): void;
  /** As `transmit()`, in every state of the socket. */
  push(event: string, data: unknown): void;
  /** Calls a procedure of the client; settles with its answer. */
  invoke(event: string, data: unknown, ackTimeout: number | undefined): Promise<unknown>;
}
