import type { IncomingMessage } from 'node:http';
import {
  type AnyContract,
  type AuthToken,
  type AuthTokenExpiredError,
  type Claims,
  InvalidActionError,
  type Untyped,
} from '@socketcluster-ts/core';
import type { ActionAllowance, VerdictReceiver } from './verdict.js';

/** The names of the four middleware lines. */
export type MiddlewareType = 'handshake' | 'inboundRaw' | 'inbound' | 'outbound';

/** What an action can be about. */
export type ActionType =
  | 'handshakeWS'
  | 'handshakeSC'
  | 'message'
  | 'transmit'
  | 'invoke'
  | 'subscribe'
  | 'publishIn'
  | 'publishOut'
  | 'authenticate';

/** The authentication found in a handshake; what a `handshakeSC` middleware changes here is what counts. */
export interface AuthInfo {
  signedAuthToken: string | null;
  authToken: AuthToken | null;
  authTokenError?: Error | null | undefined;
  authState: 'authenticated' | 'unauthenticated';
}

/** What every action has. `S` is the class of the socket. */
export interface ActionBase<Type extends ActionType> {
  readonly type: Type;
  /** `null` until there is a verdict. */
  readonly outcome: 'allowed' | 'blocked' | null;
  /** Settles with the verdict: the packet given to `allow()`, or a rejection with the error of the block. */
  readonly promise: Promise<unknown>;
  /**
   * Lets the action happen, optionally with another payload. May be called detached from the action.
   * @throws {InvalidActionError} when there was a verdict before
   */
  readonly allow: (packet?: ActionAllowance) => void;
  /**
   * Prevents the action. What the requester is told: the error, or, for no error and for one with a truthy
   * `silent` property, only that the action was blocked. May be called detached from the action.
   * @throws {InvalidActionError} when there was a verdict before
   */
  readonly block: (error?: unknown) => void;
  readonly HANDSHAKE_WS: 'handshakeWS';
  readonly HANDSHAKE_SC: 'handshakeSC';
  readonly MESSAGE: 'message';
  readonly TRANSMIT: 'transmit';
  readonly INVOKE: 'invoke';
  readonly SUBSCRIBE: 'subscribe';
  readonly PUBLISH_IN: 'publishIn';
  readonly PUBLISH_OUT: 'publishOut';
  readonly AUTHENTICATE: 'authenticate';
}

/** An HTTP upgrade request; a block answers 401 with the message of the error. */
export interface HandshakeWSAction extends ActionBase<'handshakeWS'> {
  readonly request: IncomingMessage;
}

/** A `#handshake` packet; a block closes the connection with `statusCode` of the error, 4008 without one. */
export interface HandshakeSCAction<S> extends ActionBase<'handshakeSC'> {
  readonly request: IncomingMessage;
  readonly socket: S;
  readonly data: AuthInfo;
}

/** A WebSocket message as it came; a block drops it. */
export interface MessageAction<S> extends ActionBase<'message'> {
  readonly socket: S;
  data: string | Buffer;
}

/** Fields of the actions at which an expired token is noticed. */
export interface TokenExpiryFields {
  /** Set on the first action at which the token was found expired; the socket is deauthenticated by then. */
  readonly authTokenExpiredError?: AuthTokenExpiredError;
}

/** An event of the client that nobody answers; a block drops it silently. */
export interface TransmitAction<S, Name extends string = string, Data = unknown>
  extends ActionBase<'transmit'>,
    TokenExpiryFields {
  readonly socket: S;
  readonly receiver: Name;
  data?: Data;
}

/** A call of the client; a block is the error answer. */
export interface InvokeAction<S, Name extends string = string, Data = unknown>
  extends ActionBase<'invoke'>,
    TokenExpiryFields {
  readonly socket: S;
  readonly procedure: Name;
  data?: Data;
}

/** A client wants to subscribe; a block is the error answer. */
export interface SubscribeAction<S> extends ActionBase<'subscribe'>, TokenExpiryFields {
  readonly socket: S;
  readonly channel: string;
  data?: unknown;
}

/** A client publishes; a block is the error answer, or silent where the client wanted none. */
export interface PublishInAction<S> extends ActionBase<'publishIn'>, TokenExpiryFields {
  readonly socket: S;
  readonly channel: string;
  data?: unknown;
}

/**
 * A message of a channel is about to go to this socket; a block keeps it from this socket only. `data` is a copy (plain
 * objects and arrays in it are): what is changed in it, or put in its place, reaches this socket only.
 */
export interface PublishOutAction<S> extends ActionBase<'publishOut'> {
  readonly socket: S;
  readonly channel: string;
  data?: unknown;
}

/** A client showed a valid token; a block leaves the socket unauthenticated. */
export interface AuthenticateAction<S, C extends AnyContract = Untyped> extends ActionBase<'authenticate'> {
  readonly socket: S;
  readonly signedAuthToken: string;
  readonly authToken: Claims<C>;
}

/** The events of a contract as actions: `receiver` narrows `data`. Without a contract any name, and any data. */
export type TransmitActionOf<S, C extends AnyContract> = C['types']['isTyped'] extends true
  ? {
      [N in keyof C['types']['events'] & string]: TransmitAction<S, N, C['types']['events'][N]['output']>;
    }[keyof C['types']['events'] & string]
  : TransmitAction<S>;

/** The procedures of a contract as actions: `procedure` narrows `data`. Without a contract any name, and any data. */
export type InvokeActionOf<S, C extends AnyContract> = C['types']['isTyped'] extends true
  ? {
      [N in keyof C['types']['procedures'] & string]: InvokeAction<
        S,
        N,
        C['types']['procedures'][N]['argument']['output']
      >;
    }[keyof C['types']['procedures'] & string]
  : InvokeAction<S>;

/** Which actions each middleware line sees. `S` is the class of the socket, `C` the contract. */
export interface ActionsByMiddleware<S, C extends AnyContract = Untyped> {
  handshake: HandshakeWSAction | HandshakeSCAction<S>;
  inboundRaw: MessageAction<S>;
  inbound:
    | TransmitActionOf<S, C>
    | InvokeActionOf<S, C>
    | SubscribeAction<S>
    | PublishInAction<S>
    | AuthenticateAction<S, C>;
  outbound: PublishOutAction<S>;
}

/** Any action; narrow it by `type`. */
export type Action<S, C extends AnyContract = Untyped> = ActionsByMiddleware<S, C>[MiddlewareType];

/** The fields of an action besides its type, as the server fills them. */
export interface ActionFields {
  request?: IncomingMessage;
  socket?: unknown;
  data?: unknown;
  receiver?: string;
  procedure?: string;
  channel?: string;
  signedAuthToken?: string | null;
  authToken?: AuthToken | null;
  authTokenExpiredError?: AuthTokenExpiredError;
}

const TYPES = {
  HANDSHAKE_WS: 'handshakeWS',
  HANDSHAKE_SC: 'handshakeSC',
  MESSAGE: 'message',
  TRANSMIT: 'transmit',
  INVOKE: 'invoke',
  SUBSCRIBE: 'subscribe',
  PUBLISH_IN: 'publishIn',
  PUBLISH_OUT: 'publishOut',
  AUTHENTICATE: 'authenticate',
} as const;

type ActionTypes = typeof TYPES;

/** Who put an action before a middleware function: the stream of that function. */
export interface VerdictKeeper {
  /** The action was decided, with the packet of `allow()` or the error of `block()`. Must not throw. */
  settle(action: AGAction, packetOrError: unknown, receiver: VerdictReceiver): void;
}

/** Has `keeper.settle()` called for `receiver`, once, in a microtask after the verdict on the action. */
export let keepVerdict: (action: AGAction, keeper: VerdictKeeper, receiver: VerdictReceiver) => void;

/** Blocks an action that nobody may decide any more; a verdict that its middleware gives later has no effect. */
export let giveUpAction: (action: AGAction, error: unknown) => void;

/** Those given up: an application that decides late, because the client has left meanwhile, has made no mistake. */
const givenUp = new WeakSet<AGAction>();

// The verdicts of a burst share one microtask: a message to a thousand subscribers costs one job, not a thousand.
const settled = Promise.resolve();
let decided: AGAction[] = [];
let settleAll: () => void;

/** The promise of an action, for those few who look at it. */
class VerdictWatch {
  readonly promise: Promise<unknown>;
  #resolve: ((packet: unknown) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor(outcome: AGAction['outcome'], verdict: unknown) {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Who does not look at the promise must not be ended by it.
    this.promise.catch(() => {});
    if (outcome !== null) this.settle(outcome, verdict);
  }

  settle(outcome: 'allowed' | 'blocked', verdict: unknown): void {
    if (outcome === 'allowed') this.#resolve?.(verdict);
    else this.#reject?.(verdict);
  }
}

/**
 * Owns the verdict on something a peer wants to do.
 *
 * This is the class behind every {@link Action}; middleware functions receive it typed by its `type`.
 */
export class AGAction implements ActionFields, ActionTypes {
  static readonly HANDSHAKE_WS: ActionTypes['HANDSHAKE_WS'] = TYPES.HANDSHAKE_WS;
  static readonly HANDSHAKE_SC: ActionTypes['HANDSHAKE_SC'] = TYPES.HANDSHAKE_SC;
  static readonly MESSAGE: ActionTypes['MESSAGE'] = TYPES.MESSAGE;
  static readonly TRANSMIT: ActionTypes['TRANSMIT'] = TYPES.TRANSMIT;
  static readonly INVOKE: ActionTypes['INVOKE'] = TYPES.INVOKE;
  static readonly SUBSCRIBE: ActionTypes['SUBSCRIBE'] = TYPES.SUBSCRIBE;
  static readonly PUBLISH_IN: ActionTypes['PUBLISH_IN'] = TYPES.PUBLISH_IN;
  static readonly PUBLISH_OUT: ActionTypes['PUBLISH_OUT'] = TYPES.PUBLISH_OUT;
  static readonly AUTHENTICATE: ActionTypes['AUTHENTICATE'] = TYPES.AUTHENTICATE;

  declare readonly HANDSHAKE_WS: ActionTypes['HANDSHAKE_WS'];
  declare readonly HANDSHAKE_SC: ActionTypes['HANDSHAKE_SC'];
  declare readonly MESSAGE: ActionTypes['MESSAGE'];
  declare readonly TRANSMIT: ActionTypes['TRANSMIT'];
  declare readonly INVOKE: ActionTypes['INVOKE'];
  declare readonly SUBSCRIBE: ActionTypes['SUBSCRIBE'];
  declare readonly PUBLISH_IN: ActionTypes['PUBLISH_IN'];
  declare readonly PUBLISH_OUT: ActionTypes['PUBLISH_OUT'];
  declare readonly AUTHENTICATE: ActionTypes['AUTHENTICATE'];

  declare request?: IncomingMessage;
  declare socket?: unknown;
  declare data?: unknown;
  declare receiver?: string;
  declare procedure?: string;
  declare channel?: string;
  declare signedAuthToken?: string | null;
  declare authToken?: AuthToken | null;
  declare authTokenExpiredError?: AuthTokenExpiredError;
  type: ActionType | undefined;
  outcome: 'allowed' | 'blocked' | null = null;
  #verdict: unknown;
  #keeper: VerdictKeeper | undefined;
  #receiver: VerdictReceiver | undefined;
  #watch: VerdictWatch | undefined;

  static {
    // Lets middleware streams, and no application, into the private part.
    keepVerdict = (action, keeper, receiver): void => {
      action.#keeper = keeper;
      action.#receiver = receiver;
    };
    giveUpAction = (action, error): void => {
      action.#decide('blocked', 'block', error);
      givenUp.add(action);
    };
    settleAll = (): void => {
      const due = decided;
      decided = [];
      for (const action of due) action.#tell();
    };
  }

  constructor(type?: ActionType, fields?: ActionFields) {
    this.type = type;
    if (fields !== undefined) Object.assign(this, fields);
  }

  // Made when they are read and not kept, like the promise: a loop that waits for its next action still holds the last
  // one, and what thousands of waiting loops hold is copied by every collection of young objects.
  /** See {@link ActionBase.allow}. */
  get allow(): (packet?: ActionAllowance) => void {
    return (packet) => this.#decide('allowed', 'allow', packet);
  }

  set allow(allow: (packet?: ActionAllowance) => void) {
    Object.defineProperty(this, 'allow', { value: allow, writable: true });
  }

  /** See {@link ActionBase.block}. */
  get block(): (error?: unknown) => void {
    return (error) => this.#decide('blocked', 'block', error);
  }

  set block(block: (error?: unknown) => void) {
    Object.defineProperty(this, 'block', { value: block, writable: true });
  }

  get promise(): Promise<unknown> {
    this.#watch ??= new VerdictWatch(this.outcome, this.#verdict);
    return this.#watch.promise;
  }

  #decide(outcome: 'allowed' | 'blocked', verb: string, verdict: unknown): void {
    if (this.outcome !== null) {
      if (givenUp.has(this)) return;
      const kind = String(this.type);
      throw new InvalidActionError(`AGAction ${kind} has already been ${this.outcome}; cannot ${verb}`);
    }
    this.outcome = outcome;
    this.#verdict = verdict;
    // Not at once: what the loop does next, up to its next `await`, comes before the effect of the verdict.
    if (this.#keeper !== undefined && decided.push(this) === 1) void settled.then(settleAll);
    this.#watch?.settle(outcome, verdict);
  }

  #tell(): void {
    const receiver = this.#receiver;
    if (receiver !== undefined) this.#keeper?.settle(this, this.#verdict, receiver);
  }
}

for (const [name, value] of Object.entries(TYPES)) {
  Object.defineProperty(AGAction.prototype, name, { value });
}
